"""The same request sent again under one Idempotency-Key, as HTTP tells it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from service.adapters.fernet_sealer import FernetSealer
from service.adapters.schema_answers import answers
from service.adapters.sql_answers import SqlAnswers
from service.core import errors
from service.core.caller import Scope
from service.core.canary import EICAR
from service.core.errors import BadRequest, LedgerUnavailable
from service.core.upload import State
from service.ports import Claim
from service.stages import once
from service.stages.heartbeat import LEASE
from service.stages.parts import Parts
from service.web.public import create_app
from service.web.public.operation import IDEMPOTENCY_KEY, Operation, headers_of, problems_of
from service.web.public.retries import idempotency_key
from service.web.public.slots import Slots
from tests.fakes.clock import FakeClock
from tests.web.conftest import SLOTS, Backend, Without, assert_problem, new_backend
from tests.web.test_grants import holding, minted
from tests.web.test_uploads import CLOSE, part

GRANT = {"kind": "upload", "meeting": "m1"}


def fresh_key() -> dict[str, str]:
    """The header with a key that was never used."""
    return {"Idempotency-Key": secrets.token_hex(16)}


def told(answer: TestResponse) -> tuple[int, bytes, str | None, str]:
    """What makes two answers the same."""
    return answer.status_code, answer.data, answer.headers.get("Location"), answer.headers["Content-Type"]


def assert_again(first: TestResponse, again: TestResponse) -> None:
    """Check that `again` is `first`, marked as such, and its own response otherwise."""
    assert told(again) == told(first)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]


def stored(backend: Backend) -> list[State]:
    """The states of the account's uploads."""
    return [upload.state for upload in backend.parts.ledger.page(backend.account, "m1", None, 100)]


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ('"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("a", "a"),
        ('"a"', "a"),
        (" a\t", "a"),
        ("a b, c", "a b, c"),
        ('" a "', " a "),
        ('a"b\\', 'a"b\\'),
        ('"a\\"b\\\\"', 'a"b\\'),
        ("k" * 255, "k" * 255),
        ('"' + "k" * 255 + '"', "k" * 255),
        ('"' + '\\"' * 255 + '"', '"' * 255),
    ],
)
def test_bare_and_quoted_keys(header: str, key: str) -> None:
    """A structured string (RFC 9651, 3.3.3) and the same text without quotes are one key."""
    assert idempotency_key(header) == key


@pytest.mark.parametrize(
    "header",
    [
        *("", " ", '"', '""', '"a', '"a"b', '"a";x=1', '"a", "b"', '"a\\b"', "k" * 256),
        *('"' + "k" * 256 + '"', '"' + '\\"' * 256 + '"', "caf\u00e9", "a\x7f", "a\nb", '"\x00"', "\u0665"),
    ],
)
def test_odd_keys_are_refused(header: str) -> None:
    """Empty, too long, not ASCII, half quoted, several: a sender must not believe that it is safe."""
    with pytest.raises(BadRequest, match="Idempotency-Key"):
        idempotency_key(header)


def posts(app: Flask) -> list[tuple[str, Operation]]:
    """Every route that takes a POST, with what it declares."""
    found = []
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()):
            operation = getattr(app.view_functions[rule.endpoint], "operation", None)
            assert isinstance(operation, Operation), f"{rule.rule} declares nothing"
            found.append((rule.rule, operation))
    return found


def test_every_post_takes_a_key(app: Flask, backend: Backend, administrator: Backend) -> None:
    """No POST of the app is left out: each reads the key (an odd one is refused) and says so to OpenAPI."""
    found = posts(app)
    assert {"/v1/uploads", "/v1/grants"} <= {rule for rule, _ in found}
    for rule, operation in found:
        assert operation.scope is not None, rule
        assert headers_of(operation, "POST")[-1] is IDEMPOTENCY_KEY
        told_of = {errors.IdempotencyMismatch, errors.IdempotencyInProgress, errors.RateLimited}
        assert told_of <= set(problems_of(operation, "POST"))
        headers = {"Idempotency-Key": "", "Tus-Resumable": "1.0.0"}
        caller = administrator if operation.scope is Scope.ADMIN else backend
        answer = caller.call("POST", rule.replace("<", "").replace(">", ""), headers=headers)
        assert "Idempotency-Key" in assert_problem(answer, 400, "bad_request")["detail"]
        assert IDEMPOTENCY_KEY not in headers_of(operation, "GET")


@pytest.mark.parametrize(
    ("content", "name", "status"),
    [(b"minutes", "a.txt", 201), (EICAR, "a.txt", 201), (b"minutes", "a.png", 415), (b"x", "a.exe", 415)],
)
def test_an_upload_sent_again_is_answered_again(
    backend: Backend, content: bytes, name: str, status: int
) -> None:
    """Released, blocked or refused: the same answer to the letter, and one row."""
    key = fresh_key()
    first = backend.post(content, name, headers=key)
    assert first.status_code == status
    quoted = {"Idempotency-Key": f'"{key["Idempotency-Key"]}"'}
    for headers in (key, quoted):
        assert_again(first, backend.post(content, name, headers=headers))
    assert len(stored(backend)) == 1


def test_without_a_key_nothing_is_remembered(backend: Backend) -> None:
    """Two uploads of the same file are two."""
    first, second = backend.post(), backend.post()
    assert first.get_json()["id"] != second.get_json()["id"]


@pytest.mark.parametrize(
    "other",
    [
        lambda backend, key: backend.post(b"minuteX", headers=key),
        lambda backend, key: backend.post(b"minutes!", headers=key),
        lambda backend, key: backend.post(name="other.txt", headers=key),
        lambda backend, key: backend.post(meeting="m2", headers=key),
        lambda backend, key: backend.post(headers=key | {"Content-Type": "text/csv"}),
        lambda backend, key: backend.post(
            headers=key | {"Repr-Digest": f"sha-256=:{base64.b64encode(bytes(32)).decode()}:"}
        ),
        lambda backend, key: backend.call("POST", "/v1/grants", json=GRANT, headers=key),
    ],
    ids=["content", "length", "name", "meeting", "type", "digest", "route"],
)
def test_another_request_with_the_key_is_422(
    backend: Backend, other: Callable[[Backend, dict[str, str]], TestResponse]
) -> None:
    """Whatever differs, nothing is done and the first answer stays."""
    key = fresh_key()
    first = backend.post(headers=key)
    assert assert_problem(other(backend, key), 422, "idempotency_mismatch")["retryable"] is False
    assert_again(first, backend.post(headers=key))
    assert len(stored(backend)) == 1


class Unreadable:
    """A body of which nobody may read."""

    def read(self, _size: int = -1) -> bytes:
        """Fail the test."""
        pytest.fail("the body was read")


def test_a_digest_saves_reading_the_body_again(backend: Backend) -> None:
    """A sender that announces the digest is answered before a byte of its body is read."""
    digest = base64.b64encode(hashlib.sha256(b"minutes").digest()).decode()
    headers = fresh_key() | {"Repr-Digest": f"sha-256=:{digest}:"}
    first = backend.post(headers=headers)
    unread = {"wsgi.input": Unreadable(), "CONTENT_LENGTH": "7", "wsgi.input_terminated": True}
    assert_again(first, backend.post(b"", headers=headers, environ_overrides=unread))


def post_form(
    backend: Backend, key: dict[str, str], content: bytes, boundary: str, file: str = "form.txt"
) -> TestResponse:
    """Post a form with a boundary of one's own."""
    disposition = f'form-data; name="file"; filename="{file}"'.encode()
    body = (part(content, disposition) + CLOSE).replace(b"greenroom", boundary.encode())
    kind = f"multipart/form-data; boundary={boundary}"
    query = {"meeting": "m1"}
    return backend.call("POST", "/v1/uploads", query_string=query, data=body, content_type=kind, headers=key)


def test_a_form_sent_again_may_have_another_boundary(backend: Backend) -> None:
    """Each time that a browser sends a form it makes a new boundary; the file and its name must agree."""
    key = fresh_key()
    first = post_form(backend, key, b"minutes", "one")
    assert first.status_code == 201
    assert_again(first, post_form(backend, key, b"minutes", "another-boundary"))
    for answer in (
        post_form(backend, key, b"minuteX", "one"),
        post_form(backend, key, b"minutes", "one", "other.txt"),
        backend.call("POST", "/v1/uploads?meeting=m1&name=form.txt", data=b"minutes", headers=key),
    ):
        assert_problem(answer, 422, "idempotency_mismatch")


def test_while_the_first_runs_the_second_is_409(backend: Backend) -> None:
    """It is told when to come back, and then gets the answer of the first; another request is 422."""
    key, seen = fresh_key(), list[TestResponse]()
    content = b"minutes of the first " * 5000

    class Body:
        left = content

        def read(self, size: int = -1) -> bytes:
            if stored(backend) and not seen:
                seen.extend([backend.post(content, headers=key), backend.post(name="b.txt", headers=key)])
            size = min(size, 1000)
            piece, self.left = self.left[:size], self.left[size:]
            return piece

    body = {"wsgi.input": Body(), "CONTENT_LENGTH": str(len(content)), "wsgi.input_terminated": True}
    first = backend.post(b"", headers=key, environ_overrides=body)
    assert first.status_code == 201
    running, mismatch = seen
    assert assert_problem(running, 409, "idempotency_in_progress")["retryable"] is True
    assert int(running.headers["Retry-After"]) > 0
    assert_problem(mismatch, 422, "idempotency_mismatch")
    assert_again(first, backend.post(content, headers=key))
    assert len(stored(backend)) == 1


def test_a_truncated_upload_leaves_the_key_free(backend: Backend) -> None:
    """What is to be sent again is taken the next time, whatever came of it before."""
    key = fresh_key()
    cut = {"CONTENT_LENGTH": "1001"}
    assert_problem(backend.post(b"x" * 1000, headers=key, environ_overrides=cut), 400, "truncated")
    wrong = {"Repr-Digest": f"sha-256=:{base64.b64encode(bytes(32)).decode()}:"}
    assert_problem(backend.post(headers=key | wrong), 400, "digest_mismatch")
    first = backend.post(headers=key)
    assert first.status_code == 201
    assert_again(first, backend.post(headers=key))
    assert sorted(stored(backend)).count(State.RELEASED) == 1


def test_an_upload_whose_process_died_is_409_until_its_lease_ends(parts: Parts) -> None:
    """Then the key is free, and the dead upload is abandoned for good."""
    clock = FakeClock(parts.clock.now())
    there = replace(parts, clock=clock)
    backend = new_backend(create_app(there, SLOTS), there)
    key = fresh_key()
    died = backend.insert(State.RECEIVING, lease_until=clock.now() + LEASE)
    first = backend.post(headers=key)
    assert first.status_code in {201, 202}
    engine = cast("SqlAnswers", parts.answers)._database.engine
    with engine.begin() as connection:
        connection.execute(
            answers.update()
            .where(answers.c.account_id == backend.account)
            .values(upload_id=died.id, status=None)
        )
    running = backend.post(headers=key)
    assert assert_problem(running, 409, "idempotency_in_progress")["retryable"] is True
    assert int(running.headers["Retry-After"]) > 0
    clock.advance(LEASE.total_seconds())
    second = backend.post(headers=key)
    assert second.status_code in {201, 202}
    assert second.get_json()["id"] not in {died.id, first.get_json()["id"]}
    row = parts.ledger.find(died.id)
    assert row
    assert row.state is State.ABANDONED


def test_an_answer_that_got_lost_is_made_anew(parts: Parts) -> None:
    """The process died after the upload was safe and before its answer was kept: the next time the sender
    gets the same upload, or the same refusal.
    """
    away = Without(parts.answers, LedgerUnavailable("away"), "settle")
    forgetful = replace(parts, answers=cast("Any", away))
    backend = new_backend(create_app(forgetful, SLOTS), forgetful)
    key, other = fresh_key(), fresh_key()
    first = backend.post(headers=key)
    again = backend.post(headers=key)
    assert (again.status_code, again.get_json(), again.headers["Location"]) == (
        first.status_code,
        first.get_json(),
        first.headers["Location"],
    )
    refused = backend.post(b"minutes", "a.png", headers=other)
    assert_problem(refused, 415, "type_not_allowed")
    assert_problem(backend.post(b"minutes", "a.png", headers=other), 415, "type_not_allowed")
    assert_problem(backend.post(b"minuteX", headers=key), 422, "idempotency_mismatch")
    assert len(stored(backend)) == 2


def test_a_full_house_takes_no_key(parts: Parts) -> None:
    """503 for want of a place is no answer to keep, the first time and when sent again."""
    full = new_backend(create_app(parts, Slots(uploads=1, waits=1, downloads=1)), parts)
    key, seen = fresh_key(), list[TestResponse]()

    class Body:
        left = [b"minutes"]  # noqa: RUF012 - one body, read once

        def read(self, _size: int = -1) -> bytes:
            if not seen:
                seen.append(full.post(headers=key))
            return self.left.pop() if self.left else b""

    body = {"wsgi.input": Body(), "CONTENT_LENGTH": "7", "wsgi.input_terminated": True}
    assert full.post(b"", environ_overrides=body).status_code == 201
    assert_problem(seen[0], 503, "overloaded")
    assert full.post(headers=key).status_code == 201


def test_a_document_sent_again_is_answered_again(backend: Backend) -> None:
    """One grant, one token, however often and in whatever order its members are sent."""
    key = fresh_key()
    first = backend.call("POST", "/v1/grants", json=GRANT | {"max_files": 2}, headers=key)
    assert first.status_code == 201
    other_order = ' {"max_files": 2,\n "meeting": "m1", "kind": "upload"} '
    for body in (json.dumps(GRANT | {"max_files": 2}), other_order):
        again = backend.call("POST", "/v1/grants", data=body, content_type="application/json", headers=key)
        assert_again(first, again)
    assert_problem(
        backend.call("POST", "/v1/grants", json=GRANT | {"max_files": 3}, headers=key),
        422,
        "idempotency_mismatch",
    )
    refresh = f"/v1/grants/{first.get_json()['id']}/refresh"
    assert_problem(backend.call("POST", refresh, json={}, headers=key), 422, "idempotency_mismatch")


def test_a_final_refusal_of_a_document_is_answered_again(backend: Backend) -> None:
    """404 stays 404 under its key, also after the file is there."""
    key = fresh_key()
    unknown = {"kind": "download", "meeting": "m1", "file": f"up_{0:032x}"}
    first = backend.call("POST", "/v1/grants", json=unknown, headers=key)
    assert_problem(first, 404, "not_found")
    assert_again(first, backend.call("POST", "/v1/grants", json=unknown, headers=key))


@pytest.mark.parametrize(
    "error", [LedgerUnavailable("away"), RuntimeError("a bug"), errors.Conflict("another was first")]
)
def test_a_failure_that_may_pass_is_forgotten(parts: Parts, error: Exception) -> None:
    """503, 500 and 409 are no answers to keep: the next time the request runs again."""
    broken = replace(parts, credentials=cast("Any", Without(parts.credentials, error, "keep_grant")))
    backend = new_backend(create_app(broken, SLOTS), parts)
    key = fresh_key()
    first = backend.call("POST", "/v1/grants", json=GRANT, headers=key)
    assert first.status_code in {409, 500, 503}
    mended = replace(backend, app=create_app(parts, SLOTS))
    assert mended.call("POST", "/v1/grants", json=GRANT, headers=key).status_code == 201


def held_by(backend: Backend, key: dict[str, str], clock: FakeClock) -> Claim:
    """Hold a key for the request that mints `GRANT`, as a process does that is at it."""
    sealed = backend.call("POST", "/v1/grants", json=GRANT, headers=key)
    assert sealed.status_code == 201
    entry = backend.parts.answers.find(backend.account, "", key["Idempotency-Key"])
    assert entry
    backend.parts.answers.release(entry.claim)
    claim = replace(entry.claim, id="0" * 32, running_until=clock.now() + once.LONGEST_RUN)
    backend.parts.answers.claim(claim)
    return claim


def test_a_document_whose_process_died_is_409_for_a_minute(parts: Parts) -> None:
    """Then it runs again, and whoever was only slow does not replace the answer."""
    clock = FakeClock(parts.clock.now())
    there = replace(parts, clock=clock)
    backend = new_backend(create_app(there, SLOTS), there)
    key = fresh_key()
    claim = held_by(backend, key, clock)
    running = backend.call("POST", "/v1/grants", json=GRANT, headers=key)
    assert_problem(running, 409, "idempotency_in_progress")
    assert int(running.headers["Retry-After"]) > 0
    other = backend.call("POST", "/v1/grants", json=GRANT | {"meeting": "m2"}, headers=key)
    assert_problem(other, 422, "idempotency_mismatch")
    clock.advance(timedelta(minutes=1).total_seconds())
    first = backend.call("POST", "/v1/grants", json=GRANT, headers=key)
    assert first.status_code == 201
    once.settle(there, claim, 500, {}, b"late")
    assert_again(first, backend.call("POST", "/v1/grants", json=GRANT, headers=key))


def test_a_key_belongs_to_its_account_and_grant(backend: Backend, stranger: Backend) -> None:
    """The same key of another account, or of the holder of a grant, is another key."""
    key = fresh_key()
    presenters = [holding(backend, minted(backend)) for _ in range(2)]
    ids = [one.post(headers=key).get_json()["id"] for one in (backend, stranger, *presenters)]
    assert len(set(ids)) == 4
    assert backend.post(headers=key).get_json()["id"] == ids[0]
    assert presenters[1].post(headers=key).get_json()["id"] == ids[3]


def test_an_upload_sent_again_costs_no_second_place_of_the_grant(backend: Backend) -> None:
    """A grant for one file, used up by it, still answers the sender that sends the same again."""
    presenter = holding(backend, minted(backend, max_files=1))
    key = fresh_key()
    first = presenter.post(headers=key)
    assert first.status_code == 201
    assert_again(first, presenter.post(headers=key))
    assert_problem(presenter.post(headers=fresh_key()), 403, "quota_exceeded")


def test_who_may_not_come_in_learns_nothing_by_a_key(app: Flask, parts: Parts, backend: Backend) -> None:
    """Authentication and scope come first, and their refusals are not kept."""
    key = fresh_key()
    first = backend.post(headers=key)
    assert_problem(replace(backend, key="gr_0.x").post(headers=key), 401, "unauthenticated")
    scopeless = new_backend(app, parts, frozenset({"read"}))
    assert_problem(scopeless.post(headers=key), 403, "forbidden")
    assert_again(first, backend.post(headers=key))


def test_answers_lie_sealed_in_the_database(backend: Backend, parts: Parts) -> None:
    """Nobody who reads the database finds a token there; without the key it was sealed with, no answer."""
    key = fresh_key()
    token = backend.call("POST", "/v1/grants", json=GRANT, headers=key).get_json()["token"]
    engine: Engine = cast("SqlAnswers", parts.answers)._database.engine
    with engine.connect() as connection:
        row = connection.execute(select(answers).where(answers.c.account_id == backend.account)).one()
    assert token.encode() not in row.sealed_body
    assert token not in str(row)
    assert b"grant" not in row.sealed_body
    other = replace(parts, sealer=FernetSealer([base64.urlsafe_b64encode(bytes(32)).decode()]))
    elsewhere = replace(backend, app=create_app(other, SLOTS))
    answer = elsewhere.call("POST", "/v1/grants", json=GRANT, headers=key)
    assert_problem(answer, 500, "internal_error")
