"""``ports.WebhookDeliveries``: events sent again, sent to one, sent to all, and forgotten."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, func, insert, select, text

from service.adapters.schema_webhooks import webhook_events
from service.adapters.webhook_rows import notice_to_row
from service.core.errors import NotFound, RangeNotAllowed
from service.core.upload import Event, State
from service.core.webhook import (
    DeliveryState,
    Disabled,
    EventType,
    Notice,
)
from tests.contract.conftest import NOON, LedgerCase, make_upload
from tests.contract.test_ledger_races import at_once
from tests.contract.webhooks import (
    QUIET,
    SECOND,
    claimed,
    delivered,
    make_endpoint,
    make_notice,
    pending,
    told,
)


def test_replaying_one_event(ledger_case: LedgerCase) -> None:
    """The same event, so the same id and bytes; not while it is still pending; only one's own account's."""
    endpoint = make_endpoint(1)
    ledger_case.endpoints.add(endpoint, 1)
    ledger_case.endpoints.add(make_endpoint(2, "other"), 1)
    told(ledger_case, make_notice(1))
    later = NOON + timedelta(hours=1)
    assert ledger_case.deliveries.replay(endpoint, make_notice(1).id, later) == 0
    ledger_case.deliveries.conclude(claimed(ledger_case, endpoint, later), delivered(later))
    assert ledger_case.deliveries.replay(endpoint, make_notice(1).id, later) == 1
    work = claimed(ledger_case, endpoint, later)
    assert (work.delivery.event_id, work.body) == (make_notice(1).id, make_notice(1).body)
    for stranger, event_id in ((make_endpoint(2, "other"), make_notice(1).id), (endpoint, "msg_unknown")):
        with pytest.raises(NotFound):
            ledger_case.deliveries.replay(stranger, event_id, later)


def test_replaying_a_time_range(ledger_case: LedgerCase) -> None:
    """From its beginning to before its end, subscribed types alone; too much is refused whole."""
    endpoint = make_endpoint(1, events=frozenset({EventType.RELEASED}))
    ledger_case.endpoints.add(endpoint, 2)
    ledger_case.endpoints.switch(endpoint.id, Disabled.ASKED)
    for number in range(1, 6):
        kind = EventType.HELD if number == 3 else EventType.RELEASED
        told(ledger_case, make_notice(number, type=kind.value), number=number)
    ledger_case.endpoints.switch(endpoint.id, None)
    begin, end, now = NOON + 2 * SECOND, NOON + 5 * SECOND, NOON + timedelta(hours=1)
    with pytest.raises(RangeNotAllowed):
        ledger_case.deliveries.replay_range(endpoint, begin, end, now, 1)
    assert pending(ledger_case, endpoint) == []
    assert ledger_case.deliveries.replay_range(endpoint, begin, end, now, 2) == 2
    assert ledger_case.deliveries.replay_range(endpoint, begin, end, now, 2) == 0
    works = [claimed(ledger_case, endpoint, now + SECOND) for _ in range(2)]
    assert [work.delivery.event_id for work in works] == [make_notice(2).id, make_notice(4).id]


def test_an_erased_upload_is_told_of_no_more(ledger_case: LedgerCase) -> None:
    """What was kept of it, its name in it, is forgotten with the save that erases it; what was pending is
    cancelled, and only the erasure itself is told."""
    endpoint = make_endpoint(1)
    ledger_case.endpoints.add(endpoint, 1)
    refused = make_upload(1, name="secret plans.pdf").moved(Event.REFUSED, NOON)
    body = b'{"name":"secret plans.pdf"}'
    upload = ledger_case.ledger.save(refused, notices=[make_notice(1, upload_id=refused.id, body=body)])
    told(ledger_case, make_notice(2), number=2)
    erased = replace(upload, name="").moved(Event.DELETED, NOON)
    assert erased.state is State.ERASED
    ledger_case.ledger.save(erased, notices=[make_notice(3, upload_id=upload.id)])
    now = NOON + timedelta(hours=1)
    works = [claimed(ledger_case, endpoint, now) for _ in range(2)]
    assert [work.delivery.event_id for work in works] == [make_notice(2).id, make_notice(3).id]
    with pytest.raises(NotFound):
        ledger_case.deliveries.replay(endpoint, make_notice(1).id, now)
    cancelled = [
        one
        for one in ledger_case.deliveries.page(endpoint.id, None, 10)
        if one.state is DeliveryState.CANCELLED
    ]
    assert [one.event_id for one in cancelled] == [make_notice(1).id]
    if ledger_case.engine is not None:
        with ledger_case.engine.connect() as connection:
            kept = connection.execute(text("SELECT body FROM webhook_events")).scalars().all()
        assert not any(b"secret" in bytes(one or b"") for one in kept)


def test_a_message_to_one_endpoint_goes_to_no_other(ledger_case: LedgerCase) -> None:
    """Whatever its type; at one that is gone it is not found."""
    for number in (1, 2):
        ledger_case.endpoints.add(make_endpoint(number), 10)
    made = ledger_case.deliveries.send_to(make_endpoint(1).id, make_notice(1, type="webhook.test"))
    assert ledger_case.deliveries.page(make_endpoint(1).id, None, 10) == [made]
    assert (made.event_id, made.type, made.due_at) == (make_notice(1).id, "webhook.test", NOON + SECOND)
    assert ledger_case.deliveries.page(make_endpoint(2).id, None, 10) == []
    with pytest.raises(NotFound):
        ledger_case.deliveries.send_to("we_unknown", make_notice(2))


def alarmed(case: LedgerCase, at: datetime, tag: int) -> int:
    """Alarm all accounts at a time, with ids of their own."""
    ids = {"acme": 1, "other": 2}

    def make(account: str) -> Notice:
        number = tag * 10 + ids[account]
        return make_notice(number, account, type=EventType.UNREADY.value, at=at)

    return case.deliveries.alarm(make, at, QUIET)


def test_an_alarm_reaches_each_account_once_in_a_while(ledger_case: LedgerCase) -> None:
    """Each account with endpoints, disabled ones too, is told; again only after the quiet time."""
    one = make_endpoint(1)
    ledger_case.endpoints.add(one, 1)
    assert alarmed(ledger_case, NOON, 1) == 1
    ledger_case.endpoints.add(make_endpoint(2, "other", disabled_reason=Disabled.ASKED), 1)
    assert alarmed(ledger_case, NOON + QUIET - SECOND, 2) == 1
    assert alarmed(ledger_case, NOON + QUIET, 3) == 1
    assert [item.event_id for item in pending(ledger_case, one)] == [make_notice(31).id, make_notice(11).id]


def test_many_workers_alarm_once(ledger_case: LedgerCase) -> None:
    """Decided in the database: of six that alarm at once, one tells each account."""
    ledger_case.endpoints.add(make_endpoint(1), 1)
    ledger_case.endpoints.add(make_endpoint(2, "other"), 1)
    counts: list[int] = []

    def alarm(number: int) -> bool:
        counts.append(alarmed(ledger_case, NOON, number + 1))
        return True

    at_once(6, alarm)
    assert sum(counts) == 2
    assert [len(pending(ledger_case, make_endpoint(number))) for number in (1, 2)] == [1, 1]


def test_many_old_events_are_forgotten_in_short_transactions(sql_case: LedgerCase) -> None:
    """A thousand events at a time, until none is left."""
    assert sql_case.engine
    notices = [make_notice(number, at=NOON) for number in range(2500)]
    with sql_case.engine.begin() as connection:
        connection.execute(insert(webhook_events), [notice_to_row(notice) for notice in notices])
    commits: list[object] = []

    def note(connection: object) -> None:
        commits.append(connection)

    event.listen(sql_case.engine, "commit", note)
    try:
        sql_case.deliveries.purge(NOON + SECOND)
    finally:
        event.remove(sql_case.engine, "commit", note)
    assert len(commits) == 3
    with sql_case.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(webhook_events)) == 0


def test_old_events_are_forgotten(ledger_case: LedgerCase) -> None:
    """With their deliveries, pending ones too; younger ones stay."""
    endpoint = make_endpoint(1)
    ledger_case.endpoints.add(endpoint, 1)
    for number in (1, 2):
        told(ledger_case, make_notice(number), number=number)
    ledger_case.deliveries.purge(NOON + 2 * SECOND)
    assert [one.event_id for one in pending(ledger_case, endpoint)] == [make_notice(2).id]
    with pytest.raises(NotFound):
        ledger_case.deliveries.replay(endpoint, make_notice(1).id, NOON)
