"""``ports.WebhookEndpoints``: the same laws for the fake and both databases; both ports without one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import Engine

from service.adapters.outbox import Outbox
from service.adapters.sql_webhook_deliveries import SqlWebhookDeliveries
from service.adapters.sql_webhook_endpoints import SqlWebhookEndpoints
from service.core.errors import Conflict, LedgerUnavailable, TooManyEndpoints
from service.core.webhook import (
    Delivery,
    DeliveryState,
    Disabled,
    EventType,
    Work,
)
from service.ports import WebhookDeliveries, WebhookEndpoints
from tests.contract.conftest import NOON, LedgerCase
from tests.contract.test_ledger_races import at_once, useless
from tests.contract.webhooks import (
    LEASE,
    QUIET,
    SECOND,
    claimed,
    delivered,
    make_endpoint,
    make_notice,
    told,
)

__all__ = ["useless"]


def test_endpoints_come_back_as_they_were_added(ledger_case: LedgerCase) -> None:
    """Every field, by id, and of one account oldest first."""
    one = make_endpoint(1, events=frozenset({EventType.HELD, EventType.UNREADY}))
    two = make_endpoint(
        2,
        previous_secret=b"sealed-0",
        previous_until=NOON,
        disabled_reason=Disabled.GONE,
        failures=3,
        rest_until=NOON,
        last_success_at=NOON,
    )
    for endpoint in (two, one, make_endpoint(3, "other")):
        ledger_case.endpoints.add(endpoint, 10)
    assert ledger_case.endpoints.of_account("acme") == [one, two]
    assert ledger_case.endpoints.find(two.id) == two
    assert ledger_case.endpoints.find("we_unknown") is None


def test_an_account_has_at_most_so_many_endpoints(ledger_case: LedgerCase) -> None:
    """Also when eight are added at once; another account is not concerned."""

    def add(number: int) -> bool:
        try:
            ledger_case.endpoints.add(make_endpoint(number), 3)
        except TooManyEndpoints:
            return False
        return True

    assert sum(at_once(8, add)) == 3
    assert len(ledger_case.endpoints.of_account("acme")) == 3
    ledger_case.endpoints.add(make_endpoint(9, "other"), 3)


def test_rotating_keeps_two_secrets(ledger_case: LedgerCase) -> None:
    """The newest first, the one before it until its time; the one before that is gone at once."""
    endpoints = ledger_case.endpoints
    endpoints.add(make_endpoint(1), 1)
    endpoints.rotate(make_endpoint(1).id, b"sealed-2", NOON + SECOND)
    endpoints.rotate(make_endpoint(1).id, b"sealed-3", NOON + 2 * SECOND)
    found = endpoints.find(make_endpoint(1).id)
    assert found
    assert found.live_secrets(NOON) == (b"sealed-3", b"sealed-2")
    assert found.live_secrets(NOON + 2 * SECOND) == (b"sealed-3",)


def test_disabling_cancels_what_is_pending(ledger_case: LedgerCase) -> None:
    """Also what is under way, whose conclusion then conflicts; enabling begins anew and sends nothing old."""
    endpoint = make_endpoint(1, failures=5, rest_until=NOON)
    ledger_case.endpoints.add(endpoint, 1)
    for number in (1, 2):
        told(ledger_case, make_notice(number), number=number)
    now = NOON + 5 * SECOND
    work = claimed(ledger_case, endpoint, now)
    ledger_case.endpoints.switch(endpoint.id, Disabled.ASKED)
    with pytest.raises(Conflict):
        ledger_case.deliveries.conclude(work, delivered(now))
    found = ledger_case.deliveries.page(endpoint.id, None, 10)
    assert {one.state for one in found} == {DeliveryState.CANCELLED}
    ledger_case.endpoints.switch(endpoint.id, None)
    enabled = ledger_case.endpoints.find(endpoint.id)
    assert enabled == replace(endpoint, failures=0, rest_until=None)
    assert ledger_case.deliveries.claim(endpoint.id, now, now + LEASE) is None


def test_removing_takes_the_deliveries_along(ledger_case: LedgerCase) -> None:
    """An attempt under way then conflicts; removing twice is removing once."""
    endpoint = make_endpoint(1)
    ledger_case.endpoints.add(endpoint, 1)
    told(ledger_case, make_notice(1))
    work = claimed(ledger_case, endpoint, NOON + 5 * SECOND)
    for _ in range(2):
        ledger_case.endpoints.remove(endpoint.id)
    assert ledger_case.endpoints.find(endpoint.id) is None
    assert ledger_case.deliveries.page(endpoint.id, None, 10) == []
    with pytest.raises(Conflict):
        ledger_case.deliveries.conclude(work, delivered(NOON))
    assert ledger_case.deliveries.due(NOON + timedelta(days=1), 10) == []


ENDPOINT_CALLS: Final[dict[str, Callable[[WebhookEndpoints], object]]] = {
    "add": lambda port: port.add(make_endpoint(1), 1),
    "find": lambda port: port.find("we_1"),
    "of_account": lambda port: port.of_account("acme"),
    "remove": lambda port: port.remove("we_1"),
    "rotate": lambda port: port.rotate("we_1", b"", NOON),
    "disable": lambda port: port.switch("we_1", Disabled.ASKED),
    "enable": lambda port: port.switch("we_1", None),
}
WORK: Final = Work(Delivery("wd_1", "acme", "we_1", "msg_1", "t", NOON), make_endpoint(1), b"")
DELIVERY_CALLS: Final[dict[str, Callable[[WebhookDeliveries], object]]] = {
    "alarm": lambda port: port.alarm(lambda _: make_notice(1), NOON, QUIET),
    "send_to": lambda port: port.send_to("we_1", make_notice(1)),
    "replay": lambda port: port.replay(make_endpoint(1), "msg_1", NOON),
    "replay_range": lambda port: port.replay_range(make_endpoint(1), NOON, NOON, NOON, 1),
    "page": lambda port: port.page("we_1", None, 1),
    "claim": lambda port: port.claim("we_1", NOON, NOON),
    "conclude": lambda port: port.conclude(WORK, delivered(NOON)),
    "due": lambda port: port.due(NOON, 1),
    "purge": lambda port: port.purge(NOON),
}


@pytest.mark.parametrize("call", ENDPOINT_CALLS)
def test_endpoints_that_are_away_say_so(useless: Engine, call: str) -> None:
    """Every call raises ``LedgerUnavailable`` and nothing else."""
    with pytest.raises(LedgerUnavailable):
        ENDPOINT_CALLS[call](SqlWebhookEndpoints(useless))


@pytest.mark.parametrize("call", DELIVERY_CALLS)
def test_deliveries_that_are_away_say_so(useless: Engine, call: str) -> None:
    """Every call raises ``LedgerUnavailable`` and nothing else."""
    with pytest.raises(LedgerUnavailable):
        DELIVERY_CALLS[call](SqlWebhookDeliveries(useless, Outbox(lambda *_: None)))
