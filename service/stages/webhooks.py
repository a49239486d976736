"""Webhook endpoints as their account manages them: made, rotated, switched, tried, replayed."""

import base64
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from service.core.caller import Caller
from service.core.errors import EndpointDisabled, NotFound, RangeNotAllowed
from service.core.outcome import Failure
from service.core.webhook import (
    ALL_TYPES,
    ROTATION,
    TEST,
    Delivery,
    Disabled,
    Endpoint,
    EventType,
    Notice,
    notice,
    ordered_id,
)
from service.stages.parts import Parts, new_event_id

#: What ids of endpoints, deliveries and events look like.
ENDPOINT_ID: Final = re.compile(r"we_[0-9a-f]{24}")
DELIVERY_ID: Final = re.compile(r"wd_[0-9a-f]{32}")
EVENT_ID: Final = re.compile(r"msg_[0-9a-f]{32}")
MOST_ENDPOINTS: Final = 10
MOST_REPLAYED: Final = 10_000
MOST_PER_PAGE: Final = 200
_SECRET_BYTES: Final = 32
#: An account hears of the same trouble again after this long at the earliest.
#: What every database can compare.
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_QUIET: Final = timedelta(minutes=10)
_UNREADY: Final = "Uploads are taken in and kept safely; none is released until the scanner is well again."


def create(
    parts: Parts, caller: Caller, untrusted_url: str, events: frozenset[EventType], description: str
) -> tuple[Endpoint, str]:
    """Make an endpoint and return it with its secret, this once. No ``events`` means all.

    Raises ``AddressNotAllowed`` for a URL that may not be sent to, ``TooManyEndpoints`` for one too many.
    """
    parts.webhook_sender.vet(untrusted_url)
    now = parts.clock.now()
    secret = secrets.token_bytes(_SECRET_BYTES)
    endpoint = Endpoint(
        # Its time is in its row; 24 digits leave 48 bits of chance.
        id=ordered_id("we", now, secrets.token_hex(6)),
        account_id=caller.account_id,
        url=untrusted_url,
        events=events or ALL_TYPES,
        description=description,
        created_at=now,
        secret=parts.sealer.seal(secret),
    )
    parts.webhook_endpoints.add(endpoint, MOST_ENDPOINTS)
    return endpoint, _shown(secret)


def own(parts: Parts, caller: Caller, untrusted_id: str) -> Endpoint:
    """Return an endpoint of the caller's account. Raises ``NotFound``, also for one of another account."""
    endpoint = parts.webhook_endpoints.find(untrusted_id) if ENDPOINT_ID.fullmatch(untrusted_id) else None
    if endpoint is None or endpoint.account_id != caller.account_id:
        raise NotFound("There is no such endpoint.")
    return endpoint


def rotate(parts: Parts, endpoint: Endpoint) -> tuple[str, datetime]:
    """Give an endpoint a new secret; return it, this once, and until when the one before signs too."""
    secret = secrets.token_bytes(_SECRET_BYTES)
    until = parts.clock.now() + ROTATION
    parts.webhook_endpoints.rotate(endpoint.id, parts.sealer.seal(secret), until)
    return _shown(secret), until


def switch(parts: Parts, caller: Caller, endpoint: Endpoint, disabled: Disabled | None) -> Endpoint:
    """Disable an endpoint, which cancels what is pending there, or enable it; return it as it then is."""
    parts.webhook_endpoints.switch(endpoint.id, disabled)
    return own(parts, caller, endpoint.id)


def send_test(parts: Parts, endpoint: Endpoint) -> Delivery:
    """Send an event of the type ``webhook.test`` to one endpoint. Raises ``EndpointDisabled``."""
    _check_enabled(endpoint)
    now = parts.clock.now()
    data = {"endpoint": endpoint.id}
    message = notice(new_event_id(now), endpoint.account_id, TEST, now, data, None)
    return parts.webhook_deliveries.send_to(endpoint.id, message)


def replay_event(parts: Parts, endpoint: Endpoint, event_id: str) -> int:
    """Deliver one kept event again; return how many deliveries that makes. Raises ``NotFound``."""
    _check_enabled(endpoint)
    return parts.webhook_deliveries.replay(endpoint, event_id, parts.clock.now())


def replay_range(parts: Parts, endpoint: Endpoint, begin: datetime, end: datetime) -> int:
    """Deliver the subscribed events from ``begin`` to before ``end`` again; return how many.

    Raises ``RangeNotAllowed`` for an empty range and for one with more than 10 000 events.
    """
    _check_enabled(endpoint)
    if not _EARLIEST <= begin < end <= _LATEST:
        raise RangeNotAllowed("from must be before to, and both of this century.")
    return parts.webhook_deliveries.replay_range(endpoint, begin, end, parts.clock.now(), MOST_REPLAYED)


def page(
    parts: Parts, endpoint: Endpoint, cursor: str | None, limit: int
) -> tuple[Sequence[Delivery], str | None]:
    """Return a page of an endpoint's deliveries, newest first, and the next page's cursor if there is one."""
    found = parts.webhook_deliveries.page(endpoint.id, cursor, limit + 1)
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def tell_unready(parts: Parts, failure: Failure) -> int:
    """Tell every account that has endpoints that nothing is released for now; return how many were told.

    One that was told within the last 10 minutes, by whichever worker, is not told again.
    """
    now = parts.clock.now()
    # No more than that: what is wrong inside is the operator's to know.
    data = {"ready": False, "code": failure.value, "advice": _UNREADY}

    def make(account_id: str) -> Notice:
        return notice(new_event_id(now), account_id, EventType.UNREADY.value, now, data, None)

    return parts.webhook_deliveries.alarm(make, now, _QUIET)


def _check_enabled(endpoint: Endpoint) -> None:
    if endpoint.disabled_reason is not None:
        raise EndpointDisabled("The endpoint is disabled. Enable it first.")


def _shown(secret: bytes) -> str:
    return f"whsec_{base64.b64encode(secret).decode()}"
