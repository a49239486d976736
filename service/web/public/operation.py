"""One declaration for each route: who may call it, what it takes, what it answers.

What is declared is enforced here, in one order for all routes (who, may they, what), and the OpenAPI document
is made from the same declarations.
"""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from flask import request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from service.core.caller import Caller, Scope
from service.core.errors import BadRequest, GreenroomError
from service.stages import access
from service.stages.parts import Parts

#: The largest JSON body that is read, in bytes.
_LONGEST_BODY: Final = 64 * 1024
_DECIMAL: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_View = Callable[..., ResponseReturnValue]


class Body(BaseModel):
    """A JSON document that a client sends: nothing but what is declared, and no type taken for another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _decimal(value: object) -> object:
    """Refuse what is no plain whole number: signs, blanks, underscores and other scripts' digits."""
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise ValueError("must be a whole number")
    return value


#: A whole number in a query.
Whole = Annotated[int, BeforeValidator(_decimal)]


class Query(BaseModel):
    """The query parameters of a route. Texts, read as what they are declared to be."""

    model_config = ConfigDict(extra="ignore", frozen=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """One successful answer: what it means, and the model of its JSON or its media type."""

    description: str
    model: Any = None
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Header:
    """A request header that a route reads, with its JSON schema."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Content:
    """A request body that is no JSON: its media types and what they hold."""

    description: str
    media_types: Sequence[str]


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route is.

    ``scope`` is what a caller needs, ``None`` for a route that anybody may call. ``problems`` are the errors
    of its own, beside those that its other declarations bring. With ``expired_grants`` the holder of a grant
    may call it after the grant's time, for what was begun under it.
    """

    summary: str
    tag: str
    answers: Mapping[int, Answer]
    scope: Scope | None = None
    query: type[Query] | None = None
    body: type[Body] | Content | None = None
    headers: Sequence[Header] = ()
    path: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[type[GreenroomError]] = ()
    description: str = ""
    expired_grants: bool = False


class Door:
    """Opens the routes of one app to those who may use them."""

    def __init__(self, parts: Parts) -> None:
        """Check callers with ``parts``."""
        self._parts = parts

    def operation(self, operation: Operation) -> Callable[[_View], _View]:
        """Return the decorator that makes a view keep to ``operation``.

        The view is called with ``caller``, ``query`` and ``body`` where they are declared.
        """

        def decorate(view: _View) -> _View:
            @functools.wraps(view)
            def guarded(**path: str) -> ResponseReturnValue:
                given: dict[str, Any] = dict(path)
                if operation.scope is not None:
                    given["caller"] = self._caller(operation.scope, expired_grants=operation.expired_grants)
                if operation.query is not None:
                    given["query"] = _query(operation.query)
                if isinstance(operation.body, type):
                    given["body"] = _json(operation.body)
                return view(**given)

            guarded.operation = operation  # type: ignore[attr-defined]
            return guarded

        return decorate

    def _caller(self, scope: Scope, *, expired_grants: bool) -> Caller:
        scheme, _, untrusted = request.headers.get("Authorization", "").partition(" ")
        bearer = untrusted.strip() if scheme.lower() == "bearer" else ""
        caller = access.authenticate(self._parts, bearer, expired_grants_too=expired_grants)
        caller.require(scope)
        return caller


def _json(model: type[Body]) -> Body:
    if request.mimetype != "application/json":
        raise BadRequest("Send a JSON document with Content-Type: application/json.")
    if request.content_length is None or request.content_length > _LONGEST_BODY:
        raise BadRequest(f"The document must announce its length, at most {_LONGEST_BODY} bytes.")
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        raise BadRequest(_sentence(error)) from None


def _query(model: type[Query]) -> Query:
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
