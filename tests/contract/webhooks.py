"""What the contract suites of webhooks share."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from service.core.upload import Upload
from service.core.webhook import (
    ALL_TYPES,
    Attempt,
    Delivery,
    DeliveryState,
    Endpoint,
    EventType,
    Notice,
    Work,
)
from service.core.webhook_schedule import Conclusion
from tests.contract.conftest import NOON, LedgerCase, make_upload

SECOND: Final = timedelta(seconds=1)
LEASE: Final = timedelta(seconds=25)
QUIET: Final = timedelta(minutes=10)


def make_endpoint(number: int, account: str = "acme", **changes: object) -> Endpoint:
    """Return an enabled endpoint that subscribes to everything."""
    plain: dict[str, object] = {
        "id": f"we_{number:024x}",
        "account_id": account,
        "url": "https://hooks.example.com/",
        "events": ALL_TYPES,
        "description": "ünïcode",
        "created_at": NOON + number * SECOND,
        "secret": b"sealed-1",
    }
    return Endpoint(**(plain | changes))  # type: ignore[arg-type]


def make_notice(number: int, account: str = "acme", **changes: object) -> Notice:
    """Return an event of no upload."""
    plain: dict[str, object] = {
        "id": f"msg_{number:032x}",
        "account_id": account,
        "upload_id": None,
        "type": EventType.RELEASED.value,
        "at": NOON + number * SECOND,
        "body": f'{{"ü":{number}}}'.encode(),
    }
    return Notice(**(plain | changes))  # type: ignore[arg-type]


def told(case: LedgerCase, *notices: Notice, number: int = 1, account: str = "acme") -> Upload:
    """Save a new upload with notices of it; return it as saved."""
    upload = make_upload(number, account_id=account)
    mine = [replace(notice, upload_id=upload.id) for notice in notices]
    return case.ledger.save(upload, notices=mine)


def pending(case: LedgerCase, endpoint: Endpoint) -> list[Delivery]:
    """Return what is pending at an endpoint, newest first."""
    found = case.deliveries.page(endpoint.id, None, 100)
    return [one for one in found if one.state is DeliveryState.PENDING]


def claimed(case: LedgerCase, endpoint: Endpoint, now: datetime) -> Work:
    """Take the next delivery on."""
    work = case.deliveries.claim(endpoint.id, now, now + LEASE)
    assert work is not None
    return work


def delivered(at: datetime) -> Conclusion:
    """Return the conclusion of an attempt that went well."""
    return Conclusion(Attempt(at, 204, None, 0.25), DeliveryState.DELIVERED, None, 0, None)


def failed(at: datetime, again: timedelta, failures: int = 1, rest: timedelta | None = None) -> Conclusion:
    """Return the conclusion of an attempt that is to be repeated."""
    attempt = Attempt(at, 500, "bad_status", 0.5)
    rest_until = at + rest if rest else None
    return Conclusion(attempt, DeliveryState.PENDING, at + again, failures, rest_until)
