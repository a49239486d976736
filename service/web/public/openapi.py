"""The OpenAPI 3.1 document, made from the declarations that the routes are enforced by."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask

from service.core.caller import Scope
from service.web.public import documents
from service.web.public.conventions import EVERY_ANSWER, GRANTABLE, brought
from service.web.public.notifications import Notification
from service.web.public.operation import Content, Header, Operation, PathPart
from service.web.public.responses import header, responses
from service.web.public.schemas import Schemas

_FORM: Final = "multipart/form-data"
#: Flask answers these by itself, wherever it answers GET.
#: The methods that come with others of a route.
_IMPLIED: Final = {
    "HEAD": frozenset({"GET"}),
    "OPTIONS": frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}),
}
_ABOUT: Final = """\
Greenroom takes a meeting's files in, scans them with ClamAV and releases only what was proved clean.

Send JSON and expect JSON, but for the files themselves. Every error is a problem document (RFC 9457): \
`code` says what went wrong, `detail` what to do about it, `retryable` whether the same request may succeed \
later. A path that is not listed here is answered with 404 and `not_found`, a method that is not listed with \
405, `method_not_allowed` and `Allow`. GET may be asked as HEAD.

Parameters of a query that are not listed are passed over; one that is listed may be given once. Answers \
never hold more than is described."""
_TAGS: Final[Mapping[str, str]] = {
    "uploads": "Files on their way: sent, asked after, listed, downloaded, deleted.",
    "tus": "The same uploads by pieces, for lines that break: tus 1.0.0.",
    "meetings": "What you say of your meetings.",
    "grants": "Short-lived tokens for a meeting's presenters and participants, and the keys that sign them.",
    "webhooks": "Where this service tells of what happens to uploads, and what it told.",
    "exports": "An account's data, or one person's, to be taken away.",
    "jitsi": "Jitsi Meet's file-sharing API.",
    "accounts": "Accounts: made, removed and brought back by whoever runs this service.",
    "holds": "Legal holds: what nobody may delete, placed and lifted by whoever runs this service.",
    "log": "What proves that a verdict was reached, and that nobody changed it since.",
    "erasures": "What is erased for good, and the certificates that say so.",
    "policy": "What may be sent and what happens to it.",
    "health": "Whether the service is up, for what watches over it.",
    "contract": "This description.",
}
_SECURITY: Final[Mapping[str, Any]] = {
    "api_key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "prefix.secret",
        "description": "An account's API key, made with `python -m service keys create`. For servers only.",
    },
    "admin_key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "prefix.secret",
        "description": "An administrator's key, made with `python -m service keys create --admin`. It opens"
        " no account's files.",
    },
    "grant": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A short-lived token for one meeting or file: a JWT of the type `greenroom-grant+jwt`."
        " It works wherever its kind permits, in place of an API key.",
    },
    "jitsi": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The token that Jitsi Meet gives its participants.",
    },
}


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the app: its method (upper case), its path as a template and its declaration."""

    id: str
    method: str
    path: str
    operation: Operation


def routes(app: Flask) -> Iterator[Route]:
    """Return the operations of ``app``.

    Raises ``TypeError`` for a route that declares none.
    """
    for rule in app.url_map.iter_rules():
        operation = getattr(app.view_functions[rule.endpoint], "operation", None)
        if not isinstance(operation, Operation):
            raise TypeError(f"{rule} declares no operation")
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        methods = rule.methods or set()
        for method in sorted(one for one in methods if not methods & _IMPLIED.get(one, frozenset())):
            yield Route(rule.endpoint.replace(".", "_"), method, path, operation)


def document(app: Flask, notifications: Sequence[Notification]) -> dict[str, Any]:
    """Return the OpenAPI document of ``app``, which sends ``notifications``."""
    found = sorted(routes(app), key=lambda route: (_rank(route.operation.tag), route.path, route.method))
    schemas = Schemas([documents.Problem, *_types(found), *(event.model for event in notifications)])
    paths: dict[str, Any] = {}
    for route in found:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    holders = {name for route in found for one in _security(route.operation) for name in one}
    used = dict.fromkeys(route.operation.tag for route in found)
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Greenroom",
            "version": "1",
            "summary": "Secure file uploads for meetings.",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} | ({"description": _TAGS[tag]} if tag in _TAGS else {}) for tag in used],
        "paths": paths,
    }
    if notifications:
        described["webhooks"] = {event.name: _webhook(event, schemas) for event in notifications}
    described["components"] = {
        "schemas": schemas.components,
        "headers": {name: header(sent) for name, sent in EVERY_ANSWER.items()},
        "securitySchemes": {name: _SECURITY[name] for name in _SECURITY if name in holders},
    }
    return described


def _rank(tag: str) -> tuple[int, str]:
    known = list(_TAGS)
    return (known.index(tag) if tag in _TAGS else len(known), tag)


def _types(found: Sequence[Route]) -> Iterator[Any]:
    for route in found:
        operation = route.operation
        yield from (answer.model for answer in operation.answers.values() if answer.model is not None)
        yield from (model for model in (operation.query, operation.body) if isinstance(model, type))


def _operation(route: Route, schemas: Schemas) -> dict[str, Any]:
    operation = route.operation
    common = brought(operation, route.method)
    described: dict[str, Any] = {
        "operationId": route.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "security": _security(operation),
        "parameters": [
            *_path_parameters(route),
            *(schemas.parameters(operation.query) if operation.query else ()),
            *(_parameter(one) for one in (*operation.headers, *common.headers)),
        ],
        "requestBody": _body(operation.body, schemas),
        "responses": responses(operation, common, schemas),
    }
    # An empty list of security requirements says that there are none; other empty members say nothing.
    return {name: value for name, value in described.items() if value or name == "security"}


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    if operation.scope is None:
        return []
    if operation.credential != "bearer":
        return [{operation.credential: [operation.scope.value]}]
    holders = ("api_key", "grant") if operation.scope in GRANTABLE else ("api_key",)
    named = [{holder: [operation.scope.value]} for holder in holders]
    return [*named, {"admin_key": [Scope.ADMIN.value]}] if operation.administrators else named


def _path_parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{([^{}]+)}", route.path):
        part = route.operation.path.get(name, "")
        schema: dict[str, Any] = {"type": "string"}
        if isinstance(part, PathPart):
            schema |= {"pattern": part.pattern, "examples": [part.example]}
        text = part.description if isinstance(part, PathPart) else part
        yield {"name": name, "in": "path", "required": True, "description": text, "schema": schema}


def _parameter(read: Header) -> dict[str, Any]:
    described = {"name": read.name, "in": "header", "description": read.description}
    return described | ({"required": True} if read.required else {}) | {"schema": dict(read.schema)}


def _body(body: Any, schemas: Schemas) -> dict[str, Any] | None:  # noqa: ANN401 - a model's type or content
    if body is None:
        return None
    if not isinstance(body, Content):
        return {"required": True, "content": {"application/json": {"schema": schemas.of(body)}}}
    form = {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}},
        "required": ["file"],
        "additionalProperties": False,
    }
    kinds = {kind: {"schema": form} if kind == _FORM else {} for kind in body.media_types}
    # A request without a body is an empty file, but no form.
    return {"description": body.description, "required": kinds.keys() == {_FORM}, "content": kinds}


def _webhook(event: Notification, schemas: Schemas) -> dict[str, Any]:
    described = {
        "operationId": "on_" + re.sub(r"[^a-z0-9]+", "_", event.name),
        "tags": ["webhooks"],
        "summary": event.summary,
        "description": event.description,
        "parameters": [_parameter(one) | {"required": True} for one in event.headers],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schemas.of(event.model)}},
        },
        "responses": {
            "2XX": {"description": "The endpoint took it."},
            "410": {"description": "The endpoint is gone for good and gets no more."},
        },
    }
    return {"post": {name: value for name, value in described.items() if value}}
