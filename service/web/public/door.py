"""The door: lets callers in as the declarations of the routes say, in one order for all of them.

Who, may they, how often, did they ask before, what do they say: then the view.
"""

import functools
import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Final

from flask import request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from service.core.caller import Caller, Scope
from service.core.errors import BadRequest, NotFound
from service.ports import Claim
from service.stages import access, accounts, once
from service.stages.parts import Parts
from service.web.public import retries
from service.web.public.body import RawBody
from service.web.public.operation import Body, Content, Operation, PathPart, Query, creates
from service.web.public.pace import Pace
from service.web.public.throttle import throttle

#: The largest JSON body that is read, in bytes.
_LONGEST_BODY: Final = 64 * 1024
_View = Callable[..., ResponseReturnValue]


class Door:
    """Opens the routes of one app to those who may use them."""

    def __init__(self, parts: Parts, authenticate: Callable[[str], Caller] | None = None) -> None:
        """Check callers by ``authenticate``, which gets an untrusted bearer token; else by keys, grants."""
        self._parts = parts
        self._pace = Pace(parts.policy.minimum_rate, parts.policy.rate_window)
        self._authenticate = authenticate

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
                    given["caller"] = self._caller(operation, operation.scope)
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
                    return self._once_content(view, given, key, operation.body)
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

    def _once_content(
        self, view: _View, given: Mapping[str, Any], key: str | None, content: Content
    ) -> ResponseReturnValue:
        """Let ``view`` answer: only it can compare the content with what came before."""
        if key is None:
            return view(**given, begun=None)
        begun = once.begin_upload(
            self._parts, given["caller"], key, retries.content_fingerprint(content.announced_by)
        )
        run = functools.partial(view, **given, begun=begun)
        return retries.first_time(self._parts, begun, run) if isinstance(begun, Claim) else run()

    def _caller(self, operation: Operation, scope: Scope) -> Caller:
        scheme, _, untrusted = request.headers.get("Authorization", "").partition(" ")
        bearer = untrusted.strip() if scheme.lower() == "bearer" else ""
        if self._authenticate is not None:
            caller = self._authenticate(bearer)
        else:
            caller = access.authenticate(self._parts, bearer, expired_grants_too=operation.expired_grants)
        # Here, where every way of authenticating comes by.
        accounts.check_there(self._parts, caller.account_id)
        if not (operation.administrators and caller.is_administrator):
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
