"""When a webhook is sent again, and what an answer means for the delivery and for its endpoint."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from service.core.webhook import Attempt, DeliveryState, Disabled, Work

#: Seconds before each attempt, after the one before it (Standard Webhooks 1.0.0, "Deliverability").
SCHEDULE: Final = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
#: Pauses are made longer by up to this part, so that what failed together does not come back together.
JITTER: Final = 0.1
#: The longest that an endpoint's Retry-After is heeded, in seconds.
MOST_RETRY_AFTER: Final = 3600.0
#: Attempts under way at one endpoint, and one while it fails: a slow one must not take all threads.
_AT_ONCE: Final = 2
#: Attempts under way at all endpoints of one account: its slow ones, however many, leave threads to others.
ACCOUNT_AT_ONCE: Final = 3
#: An endpoint that goes on failing is left alone between attempts: 1 s after the third, twice that each time.
_REST_FROM: Final = 3
_LONGEST_REST: Final = 60.0
_DIGITS: Final = 9
_OK, _REDIRECTS, _ERRORS, _GONE = 200, 300, 400, 410


class Unanswered(StrEnum):
    """Why a message got no status."""

    ADDRESS_REFUSED = "address_refused"
    CONNECT_FAILED = "connect_failed"
    TLS_FAILED = "tls_failed"
    TIMEOUT = "timeout"
    BAD_ANSWER = "bad_answer"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - no secret


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of sending: a status with ``Retry-After`` as it was answered, or why there is none."""

    status: int | None
    error: Unanswered | None = None
    untrusted_retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What an attempt means: the delivery's next state and time, and how its endpoint stands."""

    attempt: Attempt
    state: DeliveryState
    due_at: datetime | None
    failures: int
    rest_until: datetime | None
    disabled: Disabled | None = None


def room(failures: int) -> int:
    """Return how many attempts may be under way at once at an endpoint with that many failures in a row."""
    return 1 if failures else _AT_ONCE


def pause(made: int, chance: float) -> float | None:
    """Return the seconds between the attempt number ``made`` and the next; ``None`` after the last.

    ``chance`` is a random number from 0 to 1.
    """
    if made >= len(SCHEDULE):
        return None
    return SCHEDULE[made] * (1 + JITTER * chance)


def retry_after(untrusted_value: str | None, now: datetime) -> float:
    """Return the seconds that ``Retry-After`` asks for (RFC 9110, 10.2.3), from 0 to ``MOST_RETRY_AFTER``.

    Takes seconds and every form of HTTP date; what is neither asks for nothing.
    """
    text = (untrusted_value or "").strip()
    if text.isascii() and text.isdigit():
        return MOST_RETRY_AFTER if len(text) > _DIGITS else min(float(text), MOST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return max(0.0, min(seconds, MOST_RETRY_AFTER))


def conclude(work: Work, reply: Reply, begun: datetime, now: datetime, chance: float) -> Conclusion:
    """Return what ``reply`` means for a delivery whose newest attempt lasted from ``begun`` to ``now``."""
    duration = max(0.0, (now - begun).total_seconds())
    attempt = Attempt(begun, reply.status, _complaint(reply), duration)
    if attempt.error is None:
        return Conclusion(attempt, DeliveryState.DELIVERED, None, 0, None)
    failures = work.endpoint.failures + 1
    if reply.status == _GONE:
        return Conclusion(attempt, DeliveryState.FAILED, None, failures, None, Disabled.GONE)
    wait = pause(len(work.delivery.attempts) + 1, chance)
    if wait is None:
        disabled = None if _worked_meanwhile(work) else Disabled.FAILING
        return Conclusion(attempt, DeliveryState.FAILED, None, failures, None, disabled)
    asked = retry_after(reply.untrusted_retry_after, now)
    rest = max(asked, _rest(failures))
    return Conclusion(
        attempt,
        DeliveryState.PENDING,
        now + timedelta(seconds=max(wait, asked)),
        failures,
        now + timedelta(seconds=rest) if rest else None,
    )


def _complaint(reply: Reply) -> str | None:
    status = reply.status
    if status is None:
        return (reply.error or Unanswered.BAD_ANSWER).value
    if _OK <= status < _REDIRECTS:
        return None
    if _REDIRECTS <= status < _ERRORS:
        return "redirect"
    return "gone" if status == _GONE else "bad_status"


def _rest(failures: int) -> float:
    steps = failures - _REST_FROM
    return 0.0 if steps < 0 else min(2.0 ** min(steps, _DIGITS), _LONGEST_REST)


def _worked_meanwhile(work: Work) -> bool:
    """Tell whether the endpoint took anything since this delivery began: then it is not the endpoint."""
    last = work.endpoint.last_success_at
    return last is not None and last > work.delivery.created_at
