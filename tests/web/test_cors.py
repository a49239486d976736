"""Which pages may call from a browser."""

from __future__ import annotations

import pytest

from service.stages.parts import Parts
from service.web.public import create_app
from tests.web.conftest import SLOTS, Backend, new_backend

ORIGIN = "https://meet.example"
ORIGINS = frozenset({ORIGIN, "http://localhost:3000"})
PREFLIGHT = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "upload-offset"}


@pytest.fixture
def open_backend(parts: Parts) -> Backend:
    """A backend of a service that two origins may call."""
    return new_backend(create_app(parts, SLOTS, origins=ORIGINS), parts)


@pytest.mark.parametrize(
    "path", ["/v1/tus", "/v1/tus/up_0", "/v1/uploads", "/v1/uploads/up_0", "/v1/policy", "/v1/grant"]
)
def test_preflight(open_backend: Backend, path: str) -> None:
    """A listed origin is told what it may send: each header and method of tus, no cookies."""
    answer = open_backend.app.test_client().options(path, headers={"Origin": ORIGIN, **PREFLIGHT})
    assert answer.status_code in {200, 204}
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Credentials" not in answer.headers
    methods = set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert methods >= {"POST", "HEAD", "PATCH", "DELETE", "GET"}
    allowed = {name.lower() for name in answer.headers["Access-Control-Allow-Headers"].split(", ")}
    assert allowed >= {
        *("authorization", "content-type", "tus-resumable", "upload-length", "upload-metadata"),
        *("upload-offset", "upload-checksum", "x-http-method-override", "x-request-id"),
    }
    assert "Origin" in answer.headers["Vary"]


def test_answers_show_a_page_what_the_protocol_needs(open_backend: Backend) -> None:
    """Errors too: a page that cannot read a 409 cannot go on."""
    for headers in ({"Tus-Resumable": "1.0.0"}, {}):
        answer = open_backend.call("HEAD", "/v1/tus/up_0", headers={"Origin": ORIGIN, **headers})
        exposed = {name.lower() for name in answer.headers["Access-Control-Expose-Headers"].split(", ")}
        assert exposed >= {
            *("location", "upload-offset", "upload-length", "upload-expires", "upload-metadata"),
            *("tus-version", "tus-resumable", "tus-max-size", "tus-extension", "retry-after"),
            *("ratelimit", "ratelimit-policy", "idempotent-replayed"),
        }
        assert "Access-Control-Allow-Methods" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://meet.example",
        "https://meet.example:8443",
        "https://meet.example.evil.example",
        "https://MEET.example",
        "null",
        "*",
        "",
    ],
)
def test_other_origins_get_nothing(open_backend: Backend, origin: str) -> None:
    """Exact origins only, and the answer is not kept for another."""
    answer = open_backend.app.test_client().options("/v1/tus", headers={"Origin": origin, **PREFLIGHT})
    assert not [name for name in answer.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "path", ["/v1/grants", "/v1/grant-keys", "/healthz", "/readyz", "/.well-known/jwks.json"]
)
def test_pages_are_let_in_nowhere_else(open_backend: Backend, path: str) -> None:
    """What only a backend calls is closed to pages."""
    answer = open_backend.call("GET", path, headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_nobody_is_listed_unless_the_operator_says_so(backend: Backend) -> None:
    """The default is none."""
    answer = backend.app.test_client().options("/v1/tus", headers={"Origin": ORIGIN, **PREFLIGHT})
    assert "Access-Control-Allow-Origin" not in answer.headers
