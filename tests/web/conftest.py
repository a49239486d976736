"""The public API in this process: the Flask app over a real store, clamd and SQLite."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from service import config, wiring
from service.adapters.sql_ledger import SqlLedger
from service.core.account import OPERATOR
from service.core.upload import State, Upload
from service.stages.access import SCOPES, create_admin_key, create_key
from service.stages.gate import Gate, Health
from service.stages.parts import Parts, new_upload_id
from service.web.public import create_app
from service.web.public.slots import Slots
from stack import environment
from stack.clamd import Clamd
from stack.settings import Settings
from stack.store import Store
from tests.fakes.log import FakeLog

SLOTS = Slots(uploads=8, waits=4, downloads=8)


@pytest.fixture(scope="session")
def environ(parts_folder: Path, store: Store, clamd: Clamd) -> dict[str, str]:
    """What the service is configured with; the database does not exist yet."""
    settings = Settings(parts_folder, 0, store.s3_port, clamd.signatures, "demo")
    path = {"PATH": os.environ["PATH"]}
    database = {"GREENROOM_DATABASE_URL": f"sqlite:///{parts_folder / 'web.db'}"}
    return environment.compose(path, settings, store.identities) | database


@pytest.fixture(scope="session")
def built(environ: dict[str, str]) -> Iterator[Parts]:
    """The service's parts, with their tables made."""
    wiring.migrate(config.read_settings(environ))
    built = wiring.build(environ).parts
    yield built
    cast("SqlLedger", built.ledger)._database.engine.dispose()


@pytest.fixture
def parts(built: Parts) -> Parts:
    """The parts, with a log to look into and a scanner whose canaries passed just now."""
    return believing(replace(built, log=FakeLog()))


def believing(parts: Parts) -> Parts:
    """Return the parts with a gate of their own whose canaries passed just now."""
    gate = Gate(parts.scanner, parts.clock, parts.log, parts.policy, parts.protection)
    gate.report(Health(parts.clock.now(), ()))
    return replace(parts, gate=gate)


@pytest.fixture
def log(parts: Parts) -> FakeLog:
    """What was logged."""
    return cast("FakeLog", parts.log)


@dataclass
class Backend:
    """A meeting backend with an account and a key of its own."""

    app: Flask
    parts: Parts
    account: str
    key: str

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send a request with the key."""
        headers = {"Authorization": f"Bearer {self.key}", **options.pop("headers", {})}
        # Buffered, so that a response's body is read and let go within the call.
        return self.app.test_client().open(path, method=method, headers=headers, buffered=True, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        """GET with the key."""
        return self.call("GET", path, **options)

    def post(
        self, content: bytes = b"minutes", name: str = "notes.txt", meeting: str = "m1", **options: Any
    ) -> TestResponse:
        """Upload a raw body."""
        query = {"meeting": meeting, "name": name}
        return self.call("POST", "/v1/uploads", query_string=query, data=content, **options)

    def insert(self, state: State, name: str = "notes.txt", meeting: str = "m1", **changes: Any) -> Upload:
        """Put an upload that is in `state` into the ledger, without any content in the store."""
        now = self.parts.clock.now()
        upload = Upload(
            id=new_upload_id(now),
            account_id=self.account,
            meeting_id=meeting,
            name=name,
            declared_type="text/plain",
            detected_type="text/plain",
            state=state,
            created_at=now,
            updated_at=now,
        )
        return self.parts.ledger.save(replace(upload, **changes))


def new_backend(app: Flask, parts: Parts, scopes: frozenset[str] = SCOPES) -> Backend:
    """Make an account with one key."""
    account = f"acc-{secrets.token_hex(6)}"
    return Backend(app, parts, account, create_key(parts, account, "test", scopes, None))


@pytest.fixture
def app(parts: Parts) -> Flask:
    """The app."""
    return create_app(parts, SLOTS)


@pytest.fixture
def backend(app: Flask, parts: Parts) -> Backend:
    """A backend that may do everything."""
    return new_backend(app, parts)


@pytest.fixture
def stranger(app: Flask, parts: Parts) -> Backend:
    """A backend of another account."""
    return new_backend(app, parts)


@pytest.fixture(scope="session")
def admin_key(built: Parts) -> str:
    """The key of whoever runs the service."""
    return create_admin_key(built, "test", None)


@pytest.fixture
def administrator(app: Flask, parts: Parts, admin_key: str) -> Backend:
    """Who runs the service."""
    return Backend(app, parts, OPERATOR, admin_key)


class Without:
    """A part of which some calls raise, and everything else works."""

    def __init__(self, part: object, error: Exception, *calls: str) -> None:
        self._part = part
        self._error = error
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        if name in self._calls:
            return self._raise
        return getattr(self._part, name)

    def _raise(self, *_: object, **__: object) -> None:
        raise self._error


def assert_problem(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """Check that `answer` is a complete problem document (RFC 9457) and return it."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = answer.get_json(force=True)
    assert set(document) == {"type", "title", "status", "detail", "code", "retryable", "request_id"}
    assert document["type"] == f"urn:greenroom:problem:{code}"
    assert document["code"] == code
    assert document["status"] == status
    assert isinstance(document["retryable"], bool)
    assert document["title"]
    assert document["detail"]
    assert document["request_id"] == answer.headers["X-Request-Id"] != ""
    return document
