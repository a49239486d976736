"""One declaration for each route: who may call it, what it takes, what it answers.

What is declared is enforced here, in one order for all routes (who, may they, what), and the OpenAPI document
is made from the same declarations.
"""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from flask import request
from flask.typing import ResponseReturnValue
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from service.core.caller import Caller, Scope
from service.core.errors import (
    BadRequest,
    GreenroomError,
    IdempotencyInProgress,
    IdempotencyMismatch,
    LedgerUnavailable,
    NotFound,
    RateLimited,
)
from service.ports import Claim
from service.stages import access, once
from service.stages.parts import Parts
from service.web.public import retries
from service.web.public.body import RawBody
from service.web.public.pace import Pace
from service.web.public.throttle import throttle

#: The largest JSON body that is read, in bytes.
_LONGEST_BODY: Final = 64 * 1024
_DECIMAL: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_View = Callable[..., ResponseReturnValue]


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
    """A request header that a route reads, with its JSON schema."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PathPart:
    """A parameter in a route's path. What does not match ``pattern`` (anchored) is not found."""

    description: str
    pattern: str
    example: str


@dataclass(frozen=True, slots=True)
class Content:
    """A request body that is no JSON: its media types and what they hold.

    ``multipart/form-data`` among them means one part, ``file``.
    """

    description: str
    media_types: Sequence[str]


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route is.

    ``scope`` is what a caller needs, ``None`` for a route that anybody may call. ``credential`` names the
    kind of bearer token that callers show, for the document; the ``Door`` knows how it is checked.
    ``problems`` are the errors of its own, beside those that its other declarations bring (see
    ``conventions``). ``path`` describes the parameters in its path, ``description`` says in CommonMark what
    the summary has no room for.
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


class Door:
    """Opens the routes of one app to those who may use them."""

    def __init__(self, parts: Parts, authenticate: Callable[[str], Caller] | None = None) -> None:
        """Check callers by ``authenticate``, which gets an untrusted bearer token; else by keys, grants."""
        self._parts = parts
        self._pace = Pace(parts.policy.minimum_rate, parts.policy.rate_window)
        self._authenticate = authenticate or functools.partial(access.authenticate, parts)

    def operation(self, operation: Operation) -> Callable[[_View], _View]:
        """Return the decorator that makes a view keep to ``operation``.

        The view is called with ``caller``, ``query`` and ``body`` where they are declared. One to which a
        ``Content`` is posted gets ``begun`` too: ``None``, the ``Claim`` to save with what it makes, or
        ``once.Earlier`` if the same was sent before.
        """

        def decorate(view: _View) -> _View:
            @functools.wraps(view)
            def guarded(**path: str) -> ResponseReturnValue:
                given: dict[str, Any] = dict(path)
                creating = creates(operation, request.method)
                if operation.scope is not None:
                    given["caller"] = self._caller(operation.scope)
                if creating:
                    throttle(self._parts, given["caller"])
                key = retries.given_key() if creating else None
                _check_path(operation.path, path)
                if operation.query is not None:
                    given["query"] = _query(operation.query)
                document = b""
                if isinstance(operation.body, type):
                    document = self._document()
                    given["body"] = _json(operation.body, document)
                if creating and isinstance(operation.body, Content):
                    return self._once_content(view, given, key)
                return self._once(view, given, key, document) if key is not None else view(**given)

            guarded.operation = operation  # type: ignore[attr-defined]
            return guarded

        return decorate

    def _document(self) -> bytes:
        """Read a JSON document. A sender that stops in the middle of it must not keep a thread."""
        if request.mimetype != "application/json":
            raise BadRequest("Send a JSON document with Content-Type: application/json.")
        if request.content_length is None or request.content_length > _LONGEST_BODY:
            raise BadRequest(f"The document must announce its length, at most {_LONGEST_BODY} bytes.")
        with ExitStack() as watching:
            watched = watching.enter_context(self._pace.watch(request.environ.get("gunicorn.socket")))
            body = RawBody(request.stream, request.content_length, watched, watching.close)
            return b"".join(iter(lambda: body.read(_LONGEST_BODY), b""))

    def _once(self, view: _View, given: Mapping[str, Any], key: str, document: bytes) -> ResponseReturnValue:
        """Let ``view`` answer, unless the same request was answered before."""
        fingerprint = retries.document_fingerprint(document)
        begun = once.begin(self._parts, given["caller"], key, fingerprint)
        if isinstance(begun, Claim):
            return retries.first_time(self._parts, begun, functools.partial(view, **given))
        return retries.again(self._parts, begun.reply)

    def _once_content(self, view: _View, given: Mapping[str, Any], key: str | None) -> ResponseReturnValue:
        """Let ``view`` answer: only it can compare the content with what came before."""
        if key is None:
            return view(**given, begun=None)
        begun = once.begin_upload(self._parts, given["caller"], key, retries.content_fingerprint())
        run = functools.partial(view, **given, begun=begun)
        return retries.first_time(self._parts, begun, run) if isinstance(begun, Claim) else run()

    def _caller(self, scope: Scope) -> Caller:
        scheme, _, untrusted = request.headers.get("Authorization", "").partition(" ")
        caller = self._authenticate(untrusted.strip() if scheme.lower() == "bearer" else "")
        caller.require(scope)
        return caller


def _json(model: type[Body], document: bytes) -> Body:
    try:
        return model.model_validate_json(document)
    except ValidationError as error:
        raise BadRequest(_sentence(error)) from None


def _check_path(parts: Mapping[str, str | PathPart], given: Mapping[str, str]) -> None:
    for name, part in parts.items():
        if isinstance(part, PathPart) and not re.fullmatch(part.pattern, given[name]):
            raise NotFound("There is nothing of that name.")


def _query(model: type[Query]) -> Query:
    for name in model.model_fields:
        if len(request.args.getlist(name)) > 1:
            raise BadRequest(f"{name}: give it once.")
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise BadRequest(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    """Return what is wrong with the first wrong field, without repeating its value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(step) for step in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}." if where else f"{message}."
