"""Between the rows of webhooks and the core's values."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from service.core.webhook import (
    Attempt,
    Delivery,
    DeliveryState,
    Disabled,
    Endpoint,
    EventType,
    Notice,
)

_ENDPOINT = (
    *("id", "account_id", "url", "description", "created_at", "secret", "previous_secret", "previous_until"),
    *("failures", "rest_until", "last_success_at"),
)
_DELIVERY = (
    *("id", "account_id", "endpoint_id", "event_id", "type", "created_at", "due_at", "lease_until"),
    "version",
)


def endpoint_to_row(endpoint: Endpoint) -> dict[str, Any]:
    """Return an endpoint's row."""
    row = {name: getattr(endpoint, name) for name in _ENDPOINT}
    reason = endpoint.disabled_reason.value if endpoint.disabled_reason else None
    return row | {"events": " ".join(sorted(endpoint.events)), "disabled_reason": reason}


def row_to_endpoint(row: RowMapping) -> Endpoint:
    """Return the endpoint of a row."""
    plain = {name: row[name] for name in _ENDPOINT}
    events = frozenset(EventType(name) for name in row["events"].split())
    reason = Disabled(row["disabled_reason"]) if row["disabled_reason"] else None
    return Endpoint(**plain, events=events, disabled_reason=reason)


def notice_to_row(notice: Notice) -> dict[str, Any]:
    """Return an event's row."""
    names = ("id", "account_id", "upload_id", "type", "at", "body", "traceparent")
    return {name: getattr(notice, name) for name in names}


def delivery_to_row(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery's row."""
    row = {name: getattr(delivery, name) for name in _DELIVERY}
    return row | {"state": delivery.state.value, "attempts": attempts_to_json(delivery.attempts)}


def row_to_delivery(row: RowMapping) -> Delivery:
    """Return the delivery of a row."""
    plain = {name: row[name] for name in _DELIVERY}
    attempts = tuple(
        Attempt(datetime.fromisoformat(one["at"]), one["status"], one["error"], one["duration"])
        for one in row["attempts"]
    )
    return Delivery(**plain, state=DeliveryState(row["state"]), attempts=attempts)


def attempts_to_json(attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    """Return attempts as they stand in their delivery's row."""
    return [
        {"at": one.at.isoformat(), "status": one.status, "error": one.error, "duration": one.duration}
        for one in attempts
    ]
