"""Webhooks: what is told to whom. Events, the endpoints they go to and their deliveries, as values.

The form of what is sent is Standard Webhooks 1.0.0: https://www.standardwebhooks.com.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from service.core.journal import Entry
from service.core.representation import rfc3339, upload_document
from service.core.upload import LogLine, State, Upload

#: How long a secret that was replaced goes on signing beside the new one.
ROTATION: Final = timedelta(hours=24)
#: How long events are kept for replay.
KEPT: Final = timedelta(days=30)


#: How many downloads, the newest, are told of a file that is recalled.
MOST_DOWNLOADS: Final = 200


class EventType(StrEnum):
    """What an endpoint can be told of."""

    RELEASED = "upload.released"
    HELD = "upload.held"
    BLOCKED = "upload.blocked"
    REFUSED = "upload.refused"
    RECALLED = "upload.recalled"
    ERASED = "upload.erased"
    UNREADY = "scanner.unready"


#: The type of the event that an account sends to itself to try an endpoint. Nobody subscribes to it.
TEST: Final = "webhook.test"
ALL_TYPES: Final = frozenset(EventType)


class Disabled(StrEnum):
    """Why an endpoint is not sent to."""

    ASKED = "asked"
    GONE = "gone"
    FAILING = "failing"


class DeliveryState(StrEnum):
    """What became of one event at one endpoint."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Notice:
    """One event of one account. ``body`` are the very bytes that are stored, signed and sent;
    ``traceparent`` is that of its upload.
    """

    id: str
    account_id: str
    upload_id: str | None
    type: str
    at: datetime
    body: bytes
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an account is told of its events.

    ``secret`` and, until ``previous_until``, ``previous_secret`` sign; both are sealed. ``failures`` counts
    failed attempts since the last success; until ``rest_until`` nothing is sent.
    """

    id: str
    account_id: str
    url: str
    events: frozenset[EventType]
    description: str
    created_at: datetime
    secret: bytes
    previous_secret: bytes | None = None
    previous_until: datetime | None = None
    disabled_reason: Disabled | None = None
    failures: int = 0
    rest_until: datetime | None = None
    last_success_at: datetime | None = None

    def live_secrets(self, now: datetime) -> tuple[bytes, ...]:
        """Return the sealed secrets that sign at ``now``, the newest first."""
        if self.previous_secret is None or self.previous_until is None or self.previous_until <= now:
            return (self.secret,)
        return self.secret, self.previous_secret


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: the status that was answered, or a word for why there was none. Duration in seconds."""

    at: datetime
    status: int | None
    error: str | None
    duration: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint. ``version`` counts changes (compare-and-swap)."""

    id: str
    account_id: str
    endpoint_id: str
    event_id: str
    type: str
    created_at: datetime
    state: DeliveryState = DeliveryState.PENDING
    due_at: datetime | None = None
    lease_until: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """A delivery that one worker has taken on, with all that an attempt needs."""

    delivery: Delivery
    endpoint: Endpoint
    body: bytes
    traceparent: str | None = None


def ordered_id(prefix: str, at: datetime, random_hex: str) -> str:
    """Return an id that sorts by time, 48 bits of milliseconds, and ends in ``random_hex``."""
    return f"{prefix}_{int(at.timestamp() * 1000):012x}{random_hex}"


def notices(upload: Upload, new_id: Callable[[], str]) -> tuple[Notice, ...]:
    """Return what the unsaved moves of ``upload`` are to be told as, in their order."""
    types = [(line, kind) for line in upload.unsaved if (kind := _told_as(upload, line)) is not None]
    return tuple(_of_upload(upload, new_id(), kind, line.at) for line, kind in types)


def notice(
    notice_id: str, account_id: str, kind: str, at: datetime, data: Mapping[str, Any], upload_id: str | None
) -> Notice:
    """Return an event with its body: type, timestamp and data as compact JSON in UTF-8."""
    document = {"type": kind, "timestamp": rfc3339(at), "data": data}
    return Notice(notice_id, account_id, upload_id, kind, at, _body(document))


def with_downloads(notice: Notice, total: int, newest: Sequence[Entry]) -> Notice:
    """Return what is told of a recall with how often the file was downloaded, and with the ``newest``
    downloads: by whom, as the log names them, and when.
    """
    document = json.loads(notice.body)
    made = [{"by": entry.actor, "at": rfc3339(entry.at)} for entry in newest]
    document["data"]["downloads"] = {"total": total, "newest": made}
    return replace(notice, body=_body(document))


def _body(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _told_as(upload: Upload, line: LogLine) -> EventType | None:
    if line.after is State.ERASED:
        # One that was refused or abandoned had nothing that could be erased.
        return EventType.ERASED if upload.size is not None else None
    if line.before is State.RELEASED:
        return EventType.RECALLED
    if line.after is State.HELD and upload.state is State.CLEARED:
        # An allowance let it pass in the same transaction: there is nothing to look at.
        return None
    return _BY_STATE.get(line.after)


_BY_STATE: Final[Mapping[State, EventType]] = {
    State.RELEASED: EventType.RELEASED,
    State.HELD: EventType.HELD,
    State.BLOCKED: EventType.BLOCKED,
    State.REFUSED: EventType.REFUSED,
}


def _of_upload(upload: Upload, notice_id: str, kind: EventType, at: datetime) -> Notice:
    # What tells that a file is gone must not keep its name.
    shown = replace(upload, name="") if kind is EventType.ERASED else upload
    told = notice(notice_id, upload.account_id, kind.value, at, upload_document(shown), upload.id)
    return replace(told, traceparent=upload.traceparent)


def endpoint_document(endpoint: Endpoint) -> dict[str, Any]:
    """Return an endpoint as the API shows it, without its secrets."""
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "events": [kind.value for kind in EventType if kind in endpoint.events],
        "description": endpoint.description,
        "enabled": endpoint.disabled_reason is None,
        "disabled_reason": endpoint.disabled_reason.value if endpoint.disabled_reason else None,
        "created_at": rfc3339(endpoint.created_at),
    }


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as the API shows it; durations in seconds."""
    pending = delivery.state is DeliveryState.PENDING
    return {
        "id": delivery.id,
        "event": delivery.event_id,
        "type": delivery.type,
        "state": delivery.state.value,
        "attempts": [
            {
                "at": rfc3339(attempt.at),
                "status": attempt.status,
                "error": attempt.error,
                "duration_seconds": round(attempt.duration, 3),
            }
            for attempt in delivery.attempts
        ],
        "created_at": rfc3339(delivery.created_at),
        "next_attempt_at": rfc3339(delivery.due_at) if pending and delivery.due_at else None,
    }
