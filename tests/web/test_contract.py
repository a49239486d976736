"""What is published is what is answered: real answers against the served document, and its page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from flask import Flask
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import Field
from werkzeug.test import TestResponse

from service.core import errors
from service.core.caller import Scope
from service.core.errors import ScannerUnavailable
from service.core.upload import State
from service.stages.parts import Parts
from service.web.public import create_app, documents, openapi
from service.web.public.door import Door
from service.web.public.notifications import Notification
from service.web.public.operation import Answer, Body, Content, Header, Operation, PathPart, Query, Whole
from stack.samples import EICAR
from tests.web.conftest import SLOTS, Backend, Without, new_backend

UPLOADS = "/v1/uploads"
ONE = "/v1/uploads/{upload_id}"


@pytest.fixture
def published(backend: Backend) -> dict[str, Any]:
    """The document as it is served."""
    document: dict[str, Any] = backend.get("/openapi.json").get_json()
    return document


def check(document: dict[str, Any], method: str, path: str, answer: TestResponse) -> None:
    """An answer has a status, headers and a body as published for its operation."""
    promised = document["paths"][path][method]["responses"][str(answer.status_code)]
    for name, header in promised["headers"].items():
        found = document["components"]["headers"][name] if "$ref" in header else header
        assert not found["required"] or name in answer.headers, name
        if name in answer.headers and found["schema"].get("type") != "integer":
            _validate(document, found["schema"], answer.headers[name])
    content = promised.get("content", {})
    if "*/*" in content or not content:
        return
    schema = content[answer.mimetype].get("schema", {})
    _validate(document, schema, answer.get_json(force=True))


def _validate(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    rooted = {**schema, "components": document["components"]}
    OAS31Validator(rooted, format_checker=OAS31Validator.FORMAT_CHECKER).validate(value)


def test_uploads_are_as_published(backend: Backend, published: dict[str, Any]) -> None:
    """Released, blocked, waiting, listed, erased: every form of an upload's document, and a download."""
    released = backend.post()
    check(published, "post", UPLOADS, released)
    upload_id = released.get_json()["id"]
    blocked = backend.post(EICAR, "eicar.txt")
    assert blocked.get_json()["state"] == "blocked"
    check(published, "post", UPLOADS, blocked)
    check(published, "get", ONE, backend.get(f"{UPLOADS}/{upload_id}"))
    check(published, "get", UPLOADS, backend.get(f"{UPLOADS}?meeting=m1&limit=1"))
    check(published, "get", f"{ONE}/content", backend.get(f"{UPLOADS}/{upload_id}/content"))
    check(published, "delete", ONE, backend.call("DELETE", f"{UPLOADS}/{upload_id}"))
    check(published, "get", ONE, backend.get(f"{UPLOADS}/{upload_id}"))
    for state in State:
        check(published, "get", ONE, backend.get(f"{UPLOADS}/{backend.insert(state).id}"))


def test_upload_without_a_verdict_is_as_published(parts: Parts, published: dict[str, Any]) -> None:
    """202 while the scanner is away."""
    away = cast("Any", Without(parts.scanner, ScannerUnavailable("clamd is away"), "engine", "open"))
    waiting = replace(parts, scanner=away)
    answer = new_backend(create_app(waiting, SLOTS), parts).post(headers={"Prefer": "wait=0"})
    assert answer.status_code == 202
    check(published, "post", UPLOADS, answer)


def test_problems_are_as_published(backend: Backend, parts: Parts, published: dict[str, Any]) -> None:
    """Each problem that can be had for the asking has a status and a code that its operation lists."""
    none = backend.insert(State.HELD).id
    erased = backend.insert(State.ERASED).id
    weak = new_backend(backend.app, parts, frozenset({"grants"}))
    stranger = backend.app.test_client()
    wrong = {"Repr-Digest": "sha-256=:" + "A" * 43 + "=:"}
    for method, path, answer in [
        ("post", UPLOADS, backend.post(meeting="")),
        ("post", UPLOADS, backend.post(name="x.exe")),
        ("post", UPLOADS, backend.post(headers=wrong)),
        ("post", UPLOADS, backend.post(environ_overrides={"CONTENT_LENGTH": str(2**40)})),
        ("post", UPLOADS, weak.post()),
        ("post", UPLOADS, stranger.post(UPLOADS)),
        ("get", UPLOADS, backend.get(f"{UPLOADS}?meeting=m1&limit=0")),
        ("get", UPLOADS, backend.get(f"{UPLOADS}?meeting=m1&meeting=m2")),
        ("get", ONE, backend.get(f"{UPLOADS}/x")),
        ("get", f"{ONE}/content", backend.get(f"{UPLOADS}/{none}/content")),
        ("get", f"{ONE}/content", backend.get(f"{UPLOADS}/{erased}/content")),
        ("delete", ONE, backend.call("DELETE", f"{UPLOADS}/{backend.insert(State.SCANNING).id}")),
    ]:
        assert answer.status_code >= 400, (method, path)
        check(published, method, path, answer)


def test_policy_and_health_are_as_published(
    backend: Backend, parts: Parts, published: dict[str, Any]
) -> None:
    """The policy, both health routes, and readiness with the scanner away and with the store away."""
    check(published, "get", "/v1/policy", backend.get("/v1/policy"))
    check(published, "get", "/healthz", backend.get("/healthz"))
    check(published, "get", "/readyz", backend.get("/readyz"))
    error = ScannerUnavailable("clamd is away")
    troubled = replace(parts, scanner=cast("Any", Without(parts.scanner, error, "engine", "open")))
    answer = create_app(troubled, SLOTS).test_client().get("/readyz")
    assert answer.status_code == 503
    check(published, "get", "/readyz", answer)


def test_every_route_declares_an_operation(app: Flask) -> None:
    """A route that is not described cannot be published."""
    assert {route.path for route in openapi.routes(app)} >= {"/healthz", "/v1/policy", UPLOADS, ONE}
    app.add_url_rule("/undeclared", view_func=lambda: "")
    with pytest.raises(TypeError, match="/undeclared declares no operation"):
        openapi.document(app, ())


class _Colour(Body):
    """A colour."""

    name: str = Field(pattern="^[a-z]+$", examples=["teal"])
    shades: list[int] = Field(min_length=1)


class _Filter(Query):
    """Which colours."""

    first: Whole
    most: Whole = Field(10, ge=1, le=20)
    like: str | None = None


_PAINT = Operation(
    "Paint <it>",
    "paint",
    {201: Answer("Painted.", _Colour), 204: Answer("Nothing to do.")},
    scope=Scope.WEBHOOKS,
    query=_Filter,
    body=_Colour,
    headers=(Header("X-Tone", "The tone.", {"type": "string"}),),
    path={"wall": PathPart("Which wall.", "^[a-z]{4}$", "west"), "room": "Which room."},
    problems=(errors.Conflict,),
)


@pytest.fixture
def painted(parts: Parts) -> dict[str, Any]:
    """The document of an app with one route of every kind of declaration, and one event."""
    app = Flask("test", static_folder=None)
    app.post("/rooms/<room>/<string:wall>")(Door(parts).operation(_PAINT)(lambda **_: ""))
    event = Notification("wall.dried", "A wall dried.", _Colour, (Header("webhook-id", "Its id.", {}),))
    return openapi.document(app, [event])


def test_declarations_become_an_operation(painted: dict[str, Any]) -> None:
    """Path, query, headers, JSON body, answers, problems, scope and events each have their place."""
    OpenAPIV31SpecValidator(painted).validate()
    operation = painted["paths"]["/rooms/{room}/{wall}"]["post"]
    assert operation["security"] == [{"api_key": ["webhooks"]}]
    parameters = {one["name"]: one for one in operation["parameters"]}
    assert parameters["wall"]["schema"]["pattern"] == "^[a-z]{4}$"
    assert (parameters["first"]["required"], parameters["most"]["required"]) == (True, False)
    assert parameters["first"]["schema"] == {"type": "integer", "minimum": 0, "maximum": 999_999_999}
    assert parameters["most"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 20, "default": 10}
    assert parameters["like"]["schema"] == {"type": "string"}
    assert parameters["X-Tone"]["in"] == "header"
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/_Colour"}
    assert parameters["Idempotency-Key"]["in"] == "header"
    problems = {"400", "401", "403", "408", "409", "410", "422", "429", "500", "503"}
    assert operation["responses"].keys() == {"201", "204"} | problems
    assert "RateLimit" in operation["responses"]["201"]["headers"]
    assert operation["responses"]["429"]["headers"]["Retry-After"]["required"] is True
    assert "content" not in operation["responses"]["204"]
    sent = painted["webhooks"]["wall.dried"]["post"]
    assert sent["requestBody"]["content"]["application/json"]["schema"] == body
    assert sent["parameters"][0]["name"] == "webhook-id"
    assert "_Filter" not in painted["components"]["schemas"]


def test_an_answer_and_a_problem_cannot_share_a_status(parts: Parts) -> None:
    """One status has one kind of body."""
    app = Flask("test", static_folder=None)
    both = Operation("Clash", "x", {409: Answer("Fine.", documents.Alive)}, problems=(errors.Conflict,))
    app.get("/clash")(Door(parts).operation(both)(lambda: ""))
    with pytest.raises(TypeError, match="409"):
        openapi.document(app, ())


def test_a_form_alone_must_be_sent(parts: Parts) -> None:
    """No body is an empty file where a file may be sent as it is, and nothing where only a form is taken."""
    app = Flask("test", static_folder=None)
    form = Operation("Send", "x", {204: Answer("Done.")}, body=Content("A form.", ("multipart/form-data",)))
    app.post("/form")(Door(parts).operation(form)(lambda: ""))
    document = openapi.document(app, ())
    assert document["paths"]["/form"]["post"]["requestBody"]["required"] is True
