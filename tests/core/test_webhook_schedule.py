"""When a webhook is sent again, and what an answer means."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.webhook import (
    ALL_TYPES,
    Attempt,
    Delivery,
    DeliveryState,
    Disabled,
    Endpoint,
    Work,
)
from service.core.webhook_schedule import (
    JITTER,
    MOST_RETRY_AFTER,
    SCHEDULE,
    Reply,
    Unanswered,
    conclude,
    pause,
    retry_after,
    room,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOURS = (2, 5, 10, 14, 20, 24)


def work(made: int = 0, failures: int = 0, last_success_at: datetime | None = None) -> Work:
    """Return a delivery with that many attempts behind it, at an endpoint that failed that often."""
    attempts = (Attempt(NOON, 500, "bad_status", 0.1),) * made
    delivery = Delivery("wd_1", "acme", "we_1", "msg_1", "t", NOON, due_at=NOON, attempts=attempts)
    endpoint = Endpoint(
        "we_1",
        "acme",
        "https://a.b",
        ALL_TYPES,
        "",
        NOON,
        b"",
        failures=failures,
        last_success_at=last_success_at,
    )
    return Work(delivery, endpoint, b"{}")


def test_the_schedule_is_the_specification_s() -> None:
    """Ten attempts: at once, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; 75:35:05 in all."""
    assert (0, 5, 300, 1800, *(hours * 3600 for hours in HOURS)) == SCHEDULE
    assert timedelta(seconds=sum(SCHEDULE)) == timedelta(hours=75, minutes=35, seconds=5)
    assert [pause(made, 0.0) for made in range(1, 11)] == [*SCHEDULE[1:], None]


@given(st.integers(1, 9), st.floats(0, 1))
def test_jitter_only_makes_longer_and_by_little(made: int, chance: float) -> None:
    """Up to a tenth; nothing is sent before its time."""
    seconds = pause(made, chance)
    assert seconds is not None
    assert SCHEDULE[made] <= seconds <= SCHEDULE[made] * (1 + JITTER)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_success(status: int) -> None:
    """Whatever failed before is forgotten."""
    done = conclude(work(3, 7), Reply(status), NOON, NOON + timedelta(seconds=2), 0.5)
    assert (done.state, done.due_at, done.failures, done.rest_until) == (
        DeliveryState.DELIVERED,
        None,
        0,
        None,
    )
    assert done.attempt == Attempt(NOON, status, None, 2.0)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(301), "redirect"),
        (Reply(304), "redirect"),
        (Reply(307), "redirect"),
        (Reply(101), "bad_status"),
        (Reply(400), "bad_status"),
        (Reply(404), "bad_status"),
        (Reply(429), "bad_status"),
        (Reply(500), "bad_status"),
        (Reply(599), "bad_status"),
        (Reply(None), "bad_answer"),
        *((Reply(None, error), error.value) for error in Unanswered),
    ],
)
def test_anything_else_is_tried_again(reply: Reply, error: str) -> None:
    """3xx included: nothing is followed."""
    done = conclude(work(), reply, NOON, NOON, 0.0)
    assert (done.state, done.due_at) == (DeliveryState.PENDING, NOON + timedelta(seconds=5))
    assert (done.attempt.status, done.attempt.error, done.failures) == (reply.status, error, 1)
    assert done.disabled is None


def test_gone_disables() -> None:
    """410 says that nobody wants this: no further attempt, at any time."""
    done = conclude(work(), Reply(410, None, "5"), NOON, NOON, 0.0)
    assert (done.state, done.due_at, done.disabled) == (DeliveryState.FAILED, None, Disabled.GONE)
    assert done.attempt.error == "gone"


def test_after_the_last_attempt_the_delivery_failed_and_the_endpoint_with_it() -> None:
    """An endpoint that took nothing in more than three days is not sent to any more."""
    done = conclude(work(9, 20), Reply(500), NOON, NOON, 0.0)
    assert (done.state, done.due_at, done.disabled) == (DeliveryState.FAILED, None, Disabled.FAILING)
    earlier = conclude(work(9, 20, NOON - timedelta(days=1)), Reply(500), NOON, NOON, 0.0)
    assert earlier.disabled is Disabled.FAILING


def test_one_event_that_is_never_taken_does_not_cost_the_endpoint() -> None:
    """Where others were taken meanwhile, only this delivery failed."""
    done = conclude(work(9, 1, NOON + timedelta(hours=1)), Reply(500), NOON, NOON, 0.0)
    assert (done.state, done.disabled) == (DeliveryState.FAILED, None)


RETRY_AFTERS = {
    "0": 0.0,
    "120": 120.0,
    " 120 ": 120.0,
    "0120": 120.0,
    "3600": 3600.0,
    "3601": MOST_RETRY_AFTER,
    "9" * 400: MOST_RETRY_AFTER,
    "Sun, 22 Nov 2026 12:02:00 GMT": 120.0,
    "Sunday, 22-Nov-26 12:02:00 GMT": 120.0,
    "Sun Nov 22 12:02:00 2026": 120.0,
    "Sun, 22 Nov 2026 11:00:00 GMT": 0.0,
    "Fri, 22 Nov 2999 12:00:00 GMT": MOST_RETRY_AFTER,
    "": 0.0,
    "soon": 0.0,
    "-5": 0.0,
    "+5": 0.0,
    "1.5": 0.0,
    "1e3": 0.0,
    "\u0661\u0662\u0660": 0.0,
    "120, 60": 0.0,
    "Sun, 99 Nov 2026 12:02:00 GMT": 0.0,
    "2026-11-22T12:02:00Z": 0.0,
}


@pytest.mark.parametrize("text", RETRY_AFTERS)
def test_retry_after_in_every_form(text: str) -> None:
    """RFC 9110, 10.2.3: seconds or one of three dates, within bounds; anything else asks for nothing."""
    assert retry_after(text, NOON) == RETRY_AFTERS[text]
    assert retry_after(None, NOON) == 0.0


@given(st.text(max_size=60))
def test_retry_after_is_a_stranger_s_text(text: str) -> None:
    """Whatever it says: a number within bounds."""
    assert 0.0 <= retry_after(text, NOON) <= MOST_RETRY_AFTER


def test_retry_after_makes_longer_and_never_shorter() -> None:
    """The next attempt waits for the schedule and for what was asked, and so does the endpoint for others."""
    asked = conclude(work(), Reply(429, None, "120"), NOON, NOON, 0.0)
    assert asked.due_at == asked.rest_until == NOON + timedelta(seconds=120)
    scheduled = conclude(work(2), Reply(503, None, "1"), NOON, NOON, 0.0)
    assert scheduled.due_at == NOON + timedelta(minutes=30)


def test_an_endpoint_that_goes_on_failing_is_left_alone_for_longer_and_longer() -> None:
    """From the third failure in a row: 1 s, 2 s, 4 s, up to a minute. One event's own schedule is slower."""
    rests = []
    for failures in range(12):
        done = conclude(work(0, failures), Reply(500), NOON, NOON, 0.0)
        rests.append((done.rest_until - NOON).total_seconds() if done.rest_until else 0)
    assert rests == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert all(rest <= pause_ for rest, pause_ in zip(rests, SCHEDULE[1:], strict=False))
    assert (room(0), room(1), room(99)) == (2, 1, 1)
