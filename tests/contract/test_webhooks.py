"""``ports.WebhookDeliveries``: the same laws for the fake, SQLite and PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Connection, event, text

from service.core.errors import Conflict, NotFound
from service.core.webhook import (
    Attempt,
    DeliveryState,
    Disabled,
    EventType,
)
from service.core.webhook_schedule import Conclusion
from service.ports import Task
from tests.contract.conftest import NOON, LedgerCase, make_upload
from tests.contract.test_ledger_races import at_once
from tests.contract.webhooks import (
    LEASE,
    SECOND,
    claimed,
    delivered,
    failed,
    make_endpoint,
    make_notice,
    pending,
    told,
)


def test_a_notice_is_due_at_each_enabled_endpoint_that_subscribes(ledger_case: LedgerCase) -> None:
    """In the save's own transaction, one job for each endpoint; the bytes come out as they went in."""
    subscribed = make_endpoint(1, events=frozenset({EventType.RELEASED}))
    for endpoint in (
        subscribed,
        make_endpoint(2, events=frozenset({EventType.HELD})),
        make_endpoint(3, disabled_reason=Disabled.ASKED),
        make_endpoint(4, "other"),
    ):
        ledger_case.endpoints.add(endpoint, 10)
    told(ledger_case, make_notice(1))
    assert [(job.task, job.subject) for job in ledger_case.jobs] == [(Task.DELIVER, subscribed.id)]
    assert [len(pending(ledger_case, make_endpoint(number))) for number in (1, 2, 3, 4)] == [1, 0, 0, 0]
    work = claimed(ledger_case, subscribed, NOON + SECOND)
    assert (work.delivery.event_id, work.body) == (make_notice(1).id, make_notice(1).body)


def test_a_save_that_fails_tells_nobody(ledger_case: LedgerCase) -> None:
    """A conflict, or a job that cannot be queued, leaves no event and no delivery."""
    ledger_case.endpoints.add(make_endpoint(1), 1)
    told(ledger_case)
    with pytest.raises(Conflict):
        told(ledger_case, make_notice(1))
    ledger_case.refuse_jobs = True
    with pytest.raises(RuntimeError, match="refuses"):
        ledger_case.ledger.save(make_upload(2), wake=True, notices=[make_notice(2)])
    ledger_case.refuse_jobs = False
    assert ledger_case.deliveries.page(make_endpoint(1).id, None, 10) == []
    for number in (1, 2):
        with pytest.raises(NotFound):
            ledger_case.deliveries.replay(make_endpoint(1), make_notice(number).id, NOON)


def test_events_are_kept_for_accounts_with_any_endpoint(ledger_case: LedgerCase) -> None:
    """Also a disabled one, so that replay can catch up; of an account without endpoints nothing is kept."""
    asleep = make_endpoint(1, disabled_reason=Disabled.ASKED)
    ledger_case.endpoints.add(asleep, 1)
    told(ledger_case, make_notice(1))
    told(ledger_case, make_notice(2, "other"), number=2, account="other")
    ledger_case.endpoints.add(make_endpoint(2, "other"), 1)
    ledger_case.endpoints.switch(asleep.id, None)
    end = NOON + timedelta(hours=1)
    assert ledger_case.deliveries.replay_range(asleep, NOON, end, NOON, 10) == 1
    assert ledger_case.deliveries.replay_range(make_endpoint(2, "other"), NOON, end, NOON, 10) == 0


@pytest.mark.parametrize("traceparent", [None, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"])
def test_an_event_keeps_the_trace_of_its_upload(ledger_case: LedgerCase, traceparent: str | None) -> None:
    """Whoever takes the delivery on gets it with the body."""
    endpoint = make_endpoint(1)
    ledger_case.endpoints.add(endpoint, 5)
    told(ledger_case, make_notice(1, traceparent=traceparent))
    now = NOON + 2 * SECOND
    work = ledger_case.deliveries.claim(endpoint.id, now, now + LEASE)
    assert work
    assert work.traceparent == traceparent


def test_a_burst_is_one_job(ledger_case: LedgerCase) -> None:
    """Where something is due already somebody was told; the next event after all was sent is a job again."""
    endpoint = make_endpoint(1)
    ledger_case.endpoints.add(endpoint, 1)
    for number in range(1, 6):
        told(ledger_case, make_notice(number), number=number)
    assert len(ledger_case.jobs) == 1
    for _ in range(5):
        work = claimed(ledger_case, endpoint, NOON + 10 * SECOND)
        ledger_case.deliveries.conclude(work, delivered(NOON))
    told(ledger_case, make_notice(6), number=6)
    assert len(ledger_case.jobs) == 2


def test_what_is_due_longest_comes_first_and_each_is_taken_once(ledger_case: LedgerCase) -> None:
    """Two under way at one endpoint, not a third; nothing before its time; a lease that ran out frees."""
    endpoint = make_endpoint(1)
    ledger_case.endpoints.add(endpoint, 1)
    for number in (3, 1, 2):
        told(ledger_case, make_notice(number), number=number)
    now = NOON + 5 * SECOND
    assert ledger_case.deliveries.claim(endpoint.id, NOON, NOON + LEASE) is None
    works = [claimed(ledger_case, endpoint, now) for _ in range(2)]
    assert [work.delivery.event_id for work in works] == [make_notice(1).id, make_notice(2).id]
    assert ledger_case.deliveries.claim(endpoint.id, now, now + LEASE) is None
    again = claimed(ledger_case, endpoint, now + LEASE)
    assert again.delivery.event_id == make_notice(1).id
    with pytest.raises(Conflict):
        ledger_case.deliveries.conclude(works[0], delivered(NOON))
    ledger_case.deliveries.conclude(again, delivered(NOON))


def test_claiming_at_once_takes_each_delivery_once(ledger_case: LedgerCase) -> None:
    """Of eight workers that claim at once, two get different deliveries and the others none."""
    endpoint = make_endpoint(1)
    ledger_case.endpoints.add(endpoint, 1)
    for number in range(1, 7):
        told(ledger_case, make_notice(number), number=number)
    now = NOON + 10 * SECOND
    got: list[str] = []

    def claim(_number: int) -> bool:
        work = ledger_case.deliveries.claim(endpoint.id, now, now + LEASE)
        if work is not None:
            got.append(work.delivery.id)
        return work is not None

    assert sum(at_once(8, claim)) == 2
    assert len(set(got)) == 2


def test_an_account_with_many_endpoints_leaves_room_for_others(ledger_case: LedgerCase) -> None:
    """Three under way in one account, however many claim at its endpoints at once; another's is taken on."""
    mine, other = [make_endpoint(number) for number in range(1, 9)], make_endpoint(9, "other")
    for endpoint in (*mine, other):
        ledger_case.endpoints.add(endpoint, 10)
    told(ledger_case, make_notice(1))
    told(ledger_case, make_notice(2, "other"), number=2, account="other")
    now = NOON + 5 * SECOND

    def claim(number: int) -> bool:
        return ledger_case.deliveries.claim(mine[number].id, now, now + LEASE) is not None

    assert sum(at_once(8, claim)) == 3
    assert not any(claim(number) for number in range(8))
    assert claimed(ledger_case, other, now).endpoint == other
    assert (
        sum(ledger_case.deliveries.claim(one.id, now + LEASE, now + 2 * LEASE) is not None for one in mine)
        == 3
    )


def test_an_endpoint_that_fails_has_one_attempt_at_a_time_and_rests(ledger_case: LedgerCase) -> None:
    """Until it succeeds; what failed comes again at its own time, and a job is queued for then."""
    endpoint = make_endpoint(1)
    ledger_case.endpoints.add(endpoint, 1)
    for number in (1, 2, 3):
        told(ledger_case, make_notice(number), number=number)
    now = NOON + 5 * SECOND
    first = claimed(ledger_case, endpoint, now)
    ledger_case.deliveries.conclude(first, failed(now, timedelta(minutes=5), 4, 2 * SECOND))
    assert ledger_case.jobs[-1].due_at == now + timedelta(minutes=5)
    assert ledger_case.deliveries.claim(endpoint.id, now + SECOND, now + LEASE) is None
    assert ledger_case.deliveries.due(now + SECOND, 10) == []
    later = now + 2 * SECOND
    second = claimed(ledger_case, endpoint, later)
    assert second.endpoint.failures == 4
    assert ledger_case.deliveries.claim(endpoint.id, later, later + LEASE) is None
    ledger_case.deliveries.conclude(second, delivered(later))
    assert claimed(ledger_case, endpoint, later).endpoint.failures == 0
    assert ledger_case.deliveries.claim(endpoint.id, later, later + LEASE) is None
    (retried,) = [one for one in pending(ledger_case, endpoint) if one.attempts]
    assert retried.attempts == (Attempt(now, 500, "bad_status", 0.5),)
    found = ledger_case.endpoints.find(endpoint.id)
    assert found
    assert found.last_success_at == later


def test_a_conclusion_may_disable(ledger_case: LedgerCase) -> None:
    """410: this delivery failed, the others are cancelled, and nothing is made due there any more."""
    endpoint = make_endpoint(1)
    ledger_case.endpoints.add(endpoint, 1)
    for number in (1, 2):
        told(ledger_case, make_notice(number), number=number)
    now = NOON + 5 * SECOND
    work = claimed(ledger_case, endpoint, now)
    gone = Conclusion(Attempt(now, 410, "gone", 0.1), DeliveryState.FAILED, None, 1, None, Disabled.GONE)
    ledger_case.deliveries.conclude(work, gone)
    found = ledger_case.deliveries.page(endpoint.id, None, 10)
    assert [one.state for one in found] == [DeliveryState.CANCELLED, DeliveryState.FAILED]
    told(ledger_case, make_notice(3), number=3)
    assert len(ledger_case.deliveries.page(endpoint.id, None, 10)) == 2


def test_nothing_is_due_where_somebody_disables_at_that_moment(sql_case: LedgerCase) -> None:
    """An upload's save waits for one who disables, and then makes nothing due there."""
    assert sql_case.engine
    endpoint = make_endpoint(1)
    sql_case.endpoints.add(endpoint, 1)
    with ThreadPoolExecutor(1) as pool, sql_case.engine.connect() as connection:
        connection.execute(text("UPDATE webhook_endpoints SET disabled_reason = 'asked'"))
        saving = pool.submit(told, sql_case, make_notice(1))
        # SQLite has one writer at a time anyway.
        while sql_case.engine.dialect.name == "postgresql" and not saving.done() and not _waits(connection):
            pass
        connection.commit()
        saving.result(30)
    assert pending(sql_case, endpoint) == []


def _waits(connection: Connection) -> bool:
    """Tell whether somebody waits for this transaction on PostgreSQL."""
    query = "SELECT EXISTS (SELECT FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
    return bool(connection.scalar(text(query)))


def test_a_delivery_of_an_endpoint_that_is_gone_is_sent_by_nobody(sql_case: LedgerCase) -> None:
    """What an upload's save wrote while the endpoint was being removed bothers nobody and is purged."""
    assert sql_case.engine
    sql_case.endpoints.add(make_endpoint(1), 1)
    told(sql_case, make_notice(1))
    with sql_case.engine.begin() as connection:
        connection.execute(text("DELETE FROM webhook_endpoints"))
    assert sql_case.deliveries.due(NOON + SECOND, 10) == []
    assert sql_case.deliveries.claim(make_endpoint(1).id, NOON + SECOND, NOON + LEASE) is None
    sql_case.deliveries.purge(NOON + timedelta(days=1))
    assert sql_case.deliveries.page(make_endpoint(1).id, None, 10) == []


def test_due_names_each_endpoint_once(ledger_case: LedgerCase) -> None:
    """However much is due there, so that a dead endpoint's thousands hide nobody; the longest due first."""
    for number in (1, 2):
        ledger_case.endpoints.add(make_endpoint(number, events=frozenset(list(EventType)[:number])), 10)
    for number in (1, 2, 3):
        told(ledger_case, make_notice(number, type=EventType.HELD.value), number=number)
    told(ledger_case, make_notice(4), number=4)
    found = ledger_case.deliveries.due(NOON + 10 * SECOND, 10)
    assert [(one.endpoint_id, one.event_id) for one in found] == [
        (make_endpoint(2).id, make_notice(1).id),
        (make_endpoint(1).id, make_notice(4).id),
    ]
    assert ledger_case.deliveries.due(NOON + 10 * SECOND, 1) == found[:1]
    assert len(ledger_case.deliveries.due(NOON + 2 * SECOND, 10)) == 1


def test_a_page_of_deliveries_is_newest_first(ledger_case: LedgerCase) -> None:
    """Keyset paging, of one endpoint alone."""
    for number in (1, 2):
        ledger_case.endpoints.add(make_endpoint(number), 10)
    for number in range(1, 6):
        told(ledger_case, make_notice(number), number=number)
    first = ledger_case.deliveries.page(make_endpoint(1).id, None, 2)
    second = ledger_case.deliveries.page(make_endpoint(1).id, first[-1].id, 10)
    assert [one.event_id for one in (*first, *second)] == [make_notice(n).id for n in (5, 4, 3, 2, 1)]
    assert {one.endpoint_id for one in (*first, *second)} == {make_endpoint(1).id}


def test_an_account_without_endpoints_pays_one_question(sql_case: LedgerCase) -> None:
    """A save with notices asks once whether there is anybody to tell, and one without does not ask."""
    assert sql_case.engine
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.extend([statement] if "webhook" in statement else [])

    event.listen(sql_case.engine, "before_cursor_execute", note)
    try:
        upload = told(sql_case)
        assert asked == []
        sql_case.ledger.save(upload, notices=[make_notice(1)])
    finally:
        event.remove(sql_case.engine, "before_cursor_execute", note)
    (statement,) = asked
    assert statement.startswith("SELECT")
