"""Deliver: send what is due at one endpoint, attempt by attempt.

An attempt is taken on under a lease and noted by compare-and-swap. A crash between sending and noting means
that the receiver gets the same event, with the same id, once more: delivery is at least once.
"""

import secrets
from datetime import timedelta
from typing import Final

from service.core.errors import Conflict, SecretsUnreadable
from service.core.webhook import KEPT, Notice, Work
from service.core.webhook_schedule import Conclusion, Reply, Unanswered, conclude
from service.stages.parts import Parts

#: Longer than any attempt takes; short enough that what a dead worker left is sent within half a minute.
LEASE: Final = timedelta(seconds=20)
#: Seconds after which a job lets others have its thread; what is left is brought back by the reconciler.
_TURN: Final = 20.0
#: Seconds after which an attempt was slow and ends the turn: a thread waits for one slow receiver once.
_SLOW: Final = 2.0
_CHANCES: Final = 1000


def deliver(parts: Parts, endpoint_id: str) -> int:
    """Send what is due at an endpoint until nothing is, the turn is over or an attempt was slow.

    Return how many attempts.

    Raises ``LedgerUnavailable``; the attempt under way is then made again when its lease has run out.
    """
    until = parts.clock.monotonic() + _TURN
    attempts = 0
    while parts.clock.monotonic() < until:
        now = parts.clock.now()
        work = parts.webhook_deliveries.claim(endpoint_id, now, now + LEASE)
        if work is None:
            break
        took = _attempt(parts, work)
        attempts += 1
        if took.total_seconds() > _SLOW:
            break
    return attempts


def _attempt(parts: Parts, work: Work) -> timedelta:
    """Make an attempt, note it and return how long it took."""
    begun = parts.clock.now()
    since = parts.clock.monotonic()
    reply = _sent(parts, work)
    took = timedelta(seconds=parts.clock.monotonic() - since)
    conclusion = conclude(work, reply, begun, begun + took, secrets.randbelow(_CHANCES) / _CHANCES)
    try:
        parts.webhook_deliveries.conclude(work, conclusion)
    except Conflict:
        # Cancelled, removed or taken over meanwhile; what was sent was sent.
        return took
    _log(parts, work, conclusion)
    return took


def _sent(parts: Parts, work: Work) -> Reply:
    delivery, endpoint = work.delivery, work.endpoint
    at = parts.clock.now()
    try:
        keys = [parts.sealer.unseal(sealed) for sealed in endpoint.live_secrets(at)]
    except SecretsUnreadable as error:
        parts.log.failure("webhook_secret", error, {"endpoint": endpoint.id})
        return Reply(None, Unanswered.SECRET_UNREADABLE)
    message = Notice(
        delivery.event_id, delivery.account_id, None, delivery.type, at, work.body, work.traceparent
    )
    return parts.webhook_sender.send(endpoint.url, message, keys, at)


def _log(parts: Parts, work: Work, conclusion: Conclusion) -> None:
    fields = {
        "delivery": work.delivery.id,
        "endpoint": work.endpoint.id,
        "account": work.endpoint.account_id,
        "type": work.delivery.type,
        "state": conclusion.state.value,
        "status": conclusion.attempt.status,
        "error": conclusion.attempt.error,
    }
    parts.log.emit("webhook", fields)
    if conclusion.disabled is not None:
        parts.log.emit(
            "webhook_disabled", {"endpoint": work.endpoint.id, "reason": conclusion.disabled.value}
        )


def forget_old(parts: Parts) -> None:
    """Forget events that are older than 30 days, and their deliveries."""
    parts.webhook_deliveries.purge(parts.clock.now() - KEPT)
