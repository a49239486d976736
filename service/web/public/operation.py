"""One declaration for each route: who may call it, what it takes, what it answers.

What is declared is enforced by the ``Door`` (``door.py``), and the OpenAPI document is made from the same
declarations.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from service.core.caller import Scope
from service.core.errors import (
    BadRequest,
    GreenroomError,
    IdempotencyInProgress,
    IdempotencyMismatch,
    LedgerUnavailable,
    RateLimited,
)

_DECIMAL: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


class Body(BaseModel):
    """A JSON document that a client sends: nothing but what is declared, and no type taken for another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _whole(value: object) -> object:
    """Take 5.0 for 5, as JSON schema does: JSON has one kind of number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: Marks a whole number in a JSON document; stands after its bounds, which the schema would else not tell.
WHOLE: Final = BeforeValidator(_whole)


def _decimal(value: object) -> object:
    """Refuse what is no plain whole number: signs, blanks, underscores and other scripts' digits."""
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise ValueError("must be a whole number")
    return value


class _Decimal:
    """Reads a number with ``_decimal`` and describes what that takes."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_decimal, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"minimum": 0, "maximum": 999_999_999, **handler(schema)}


#: A whole number in a query.
Whole = Annotated[int, _Decimal()]


#: One line of text: databases differ in what else they take.
LINE: Final = r"^[^\x00-\x1f\x7f]*$"


class Query(BaseModel):
    """The query parameters of a route. Texts, read as what they are declared to be."""

    model_config = ConfigDict(extra="ignore", frozen=True)


@dataclass(frozen=True, slots=True)
class Sent:
    """A header of an answer, with its JSON schema. ``always`` if no such answer comes without it."""

    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    always: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One successful answer: what it means, and the type of its JSON or its media type.

    JSON without a ``model`` means an answer without a body. A header that is only described is a text
    that may be left out.
    """

    description: str
    model: Any = None
    media_type: str = "application/json"
    headers: Mapping[str, str | Sent] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Header:
    """A request header that a route reads, with its JSON schema. Without a ``required`` one it refuses."""

    name: str
    description: str
    schema: Mapping[str, Any]
    required: bool = False


@dataclass(frozen=True, slots=True)
class PathPart:
    """A parameter in a route's path. What does not match ``pattern`` (anchored) is not found."""

    description: str
    pattern: str
    example: str


@dataclass(frozen=True, slots=True)
class Content:
    """A request body that is no JSON: its media types and what they hold.

    ``multipart/form-data`` among them means one part, ``file``. ``announced_by`` are the headers that tell a
    request to create something from others; without any its media type and length do.
    """

    description: str
    media_types: Sequence[str]
    announced_by: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route is.

    ``scope`` is what a caller needs, ``None`` for a route that anybody may call. ``credential`` names the
    kind of bearer token that callers show, for the document; the ``Door`` knows how it is checked.
    ``problems`` are the errors of its own, beside those that its other declarations bring (see
    ``conventions``). ``path`` describes the parameters in its path, ``description`` says in CommonMark what
    the summary has no room for. With ``expired_grants`` the holder of a grant may call it after the grant's
    time, for what was begun under it; with ``administrators`` an administrator's key may call it too.
    """

    summary: str
    tag: str
    answers: Mapping[int, Answer]
    scope: Scope | None = None
    credential: str = "bearer"
    query: type[Query] | None = None
    body: type[Body] | Content | None = None
    headers: Sequence[Header] = ()
    path: Mapping[str, str | PathPart] = field(default_factory=dict)
    problems: Sequence[type[GreenroomError]] = ()
    description: str = ""
    expired_grants: bool = False
    administrators: bool = False


#: How a sender makes it safe to send the same again.
IDEMPOTENCY_KEY: Final = Header(
    "Idempotency-Key",
    "A new text for each new request, such as a UUID, bare or quoted. The same request with the same key "
    "within 24 hours is done once and answered the same.",
    {
        "type": "string",
        "pattern": r'^(?:[!#-~](?:[ -~]{0,253}[!-~])?|"(?:[ !#-\[\]-~]|\\["\\]){1,255}")$',
    },
)
#: What every route that creates something may answer beside its own problems.
_OF_CREATING: Final = (BadRequest, IdempotencyMismatch, IdempotencyInProgress, RateLimited, LedgerUnavailable)


def headers_of(operation: Operation, method: str) -> Sequence[Header]:
    """Return every header that a route reads, those included that ``Door`` reads for it."""
    return (*operation.headers, IDEMPOTENCY_KEY) if creates(operation, method) else operation.headers


def problems_of(operation: Operation, method: str) -> Sequence[type[GreenroomError]]:
    """Return the errors of a route, those included that ``Door`` raises for what it creates."""
    return (*operation.problems, *_OF_CREATING) if creates(operation, method) else operation.problems


def creates(operation: Operation, method: str) -> bool:
    """Tell whether a route creates something, which is counted and may be asked to be done once."""
    return method == "POST" and operation.scope is not None
