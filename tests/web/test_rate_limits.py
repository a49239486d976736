"""Rate limits on what creates something, as HTTP tells them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from service.core.errors import LedgerUnavailable
from service.ports import Clock, RateLimiter
from service.stages.parts import Parts
from service.web.public import create_app
from tests.fakes.clock import FakeClock
from tests.fakes.limiter import FakeLimiter
from tests.web.conftest import SLOTS, Backend, Without, assert_problem, new_backend
from tests.web.test_grants import holding, minted

LIMIT = 3
GRANT = {"kind": "upload", "meeting": "m1"}


@pytest.fixture
def clock(parts: Parts) -> FakeClock:
    """The clock of the limiter, and of nothing else."""
    return FakeClock(parts.clock.now())


def limited(parts: Parts, clock: Clock, limit: int = LIMIT) -> Flask:
    """The app with a limit of its own."""
    limiter: RateLimiter = FakeLimiter(clock, limit, 60)
    return create_app(replace(parts, rate_limiter=limiter), SLOTS)


@pytest.fixture
def few(parts: Parts, clock: FakeClock) -> Backend:
    """A backend that may create three things a minute."""
    return new_backend(limited(parts, clock), parts)


def told(answer: TestResponse) -> tuple[str, int, int]:
    """The policy, what is left and the seconds, from headers in the form of the draft."""
    found = re.fullmatch(r'"create";r=(\d+);t=(\d+)', answer.headers["RateLimit"])
    assert found
    return answer.headers["RateLimit-Policy"], int(found[1]), int(found[2])


def test_each_creation_tells_how_many_are_left(few: Backend) -> None:
    """Also one that is refused or fails counts and tells; the one too many is 429 and says when to come."""
    answers = [few.post(), few.post(name="a.exe"), few.call("POST", "/v1/grants", json={})]
    assert [answer.status_code for answer in answers] == [201, 415, 400]
    assert [told(answer) for answer in answers] == [('"create";q=3;w=60', left, 60) for left in (2, 1, 0)]
    refused = few.post()
    assert assert_problem(refused, 429, "rate_limited")["retryable"] is True
    assert told(refused) == ('"create";q=3;w=60', 0, 60)
    assert refused.headers["Retry-After"] == "60"


def test_who_waits_as_told_is_let_in(few: Backend, clock: FakeClock) -> None:
    """After Retry-After, and not before, the next one is granted."""
    for _ in range(LIMIT):
        few.post()
    clock.advance(17.5)
    refused = few.post()
    wait = int(refused.headers["Retry-After"])
    assert wait == told(refused)[2] == 43
    clock.advance(wait - 1)
    assert few.post().status_code == 429
    clock.advance(1)
    assert few.post().status_code == 201


def test_what_creates_nothing_is_not_limited(few: Backend) -> None:
    """Asking, listing, downloading and deleting go on, and say nothing of limits."""
    uploads = [few.post().get_json() for _ in range(LIMIT)]
    path = f"/v1/uploads/{uploads[0]['id']}"
    for method, target in (
        ("GET", path),
        ("GET", "/v1/uploads?meeting=m1"),
        ("GET", f"{path}/content"),
        ("DELETE", path),
        ("GET", "/v1/policy"),
    ):
        answer = few.call(method, target)
        assert answer.status_code < 300
        assert "RateLimit" not in answer.headers


def test_each_key_and_each_grant_counts_for_itself(few: Backend, parts: Parts) -> None:
    """Minting counts for the key that mints, uploading for the grant; another account has its own count."""
    presenter, other = (holding(few, minted(few)) for _ in range(2))
    for _ in range(LIMIT):
        assert presenter.post().status_code == 201
    assert_problem(presenter.post(), 429, "rate_limited")
    assert told(other.post())[1] == LIMIT - 1
    assert told(few.post())[1] == 0
    assert_problem(few.call("POST", "/v1/grants", json=GRANT), 429, "rate_limited")
    assert new_backend(few.app, parts).post().status_code == 201


def test_the_one_too_many_is_refused_before_anything_is_read_or_written(few: Backend, parts: Parts) -> None:
    """Not a byte of the body is read, there is no row, and its key stays free."""

    class Unreadable:
        def read(self, _size: int = -1) -> bytes:
            pytest.fail("the body was read")

    for _ in range(LIMIT):
        few.post(meeting="before")
    unread = {"wsgi.input": Unreadable(), "CONTENT_LENGTH": "7", "wsgi.input_terminated": True}
    refused = few.post(b"", headers={"Idempotency-Key": "k"}, environ_overrides=unread)
    assert_problem(refused, 429, "rate_limited")
    assert parts.ledger.page(few.account, "m1", None, 10) == []
    assert parts.answers.find(few.account, "", "k") is None


def test_who_may_not_come_in_is_not_counted(few: Backend, app: Flask, parts: Parts) -> None:
    """A wrong key or scope uses up nobody's count, and is told nothing of limits."""
    scopeless = new_backend(few.app, parts, frozenset({"read"}))
    for answer in (replace(few, key=few.key[:-1]).post(), scopeless.post()):
        assert answer.status_code in {401, 403}
        assert "RateLimit" not in answer.headers
    assert told(few.post())[1] == LIMIT - 1


def test_an_answer_given_again_counts_and_tells_its_own_count(few: Backend) -> None:
    """What is told of limits belongs to this response, not to the answer that is kept."""
    answers = [few.post(headers={"Idempotency-Key": "k"}) for _ in range(LIMIT)]
    assert len({answer.data for answer in answers}) == 1
    assert [told(answer)[1] for answer in answers] == [2, 1, 0]


def test_without_a_count_nothing_is_created(parts: Parts) -> None:
    """Where the database that counts is away the answer is 503: uncounted is not unlimited."""
    away = Without(parts.rate_limiter, LedgerUnavailable("away"), "hit")
    backend = new_backend(create_app(replace(parts, rate_limiter=cast("Any", away)), SLOTS), parts)
    assert_problem(backend.post(), 503, "ledger_unavailable")
    assert parts.ledger.page(backend.account, "m1", None, 10) == []


def test_times_are_told_in_whole_seconds_never_too_short(parts: Parts) -> None:
    """A sender that comes back when it was told to is not refused for a fraction of a second."""
    clock = FakeClock()
    backend = new_backend(limited(parts, clock, 1), parts)
    backend.post()
    clock.advance(timedelta(seconds=59, milliseconds=999).total_seconds())
    assert backend.post().headers["Retry-After"] == "1"
