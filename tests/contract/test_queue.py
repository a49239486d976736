"""``ports.Queue`` and ``ports.QueueWorker`` on DBOS, and the fake queue by the same laws."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from dbos import DBOSClient
from sqlalchemy import Engine, create_engine

from service.adapters.database import open_engine
from service.adapters.dbos_queue import DbosQueue, DbosWorker
from service.adapters.sql_credentials import SqlCredentials
from service.adapters.sql_ledger import SqlLedger
from service.core.errors import Conflict, LedgerUnavailable
from service.ports import Ledger, Queue, Task, advancing
from tests.contract.conftest import LINE, NOON, make_key, make_upload
from tests.contract.databases import empty
from tests.fakes.clock import FakeClock
from tests.fakes.credentials import FakeCredentials
from tests.fakes.faults import Faults
from tests.fakes.ledger import FakeLedger
from tests.fakes.queue import FakeQueue


@dataclass
class QueueCase:
    """A queue, the ledger that queues in its own transactions, and a count of the jobs there are."""

    queue: Queue
    ledger: Ledger
    jobs: Callable[[], int]
    url: str | None = None


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
def case(request: pytest.FixtureRequest) -> QueueCase:
    """Each queue in turn, empty."""
    if request.param == "fake":
        clock = FakeClock(datetime.now(UTC))
        fake = FakeQueue(Faults(), clock)
        return QueueCase(
            fake, FakeLedger(Faults(), fake.enqueue, FakeCredentials(Faults())), lambda: len(fake.jobs)
        )
    return real_case(request.getfixturevalue(f"{request.param.removesuffix('ql')}_engine"))


def real_case(engine: Engine) -> QueueCase:
    """Return DBOS on a migrated database."""
    empty(engine)
    queue = DbosQueue(engine)
    client = DBOSClient(system_database_engine=engine, application_name="greenroom", lazy=True)
    client.delete_workflows([job.workflow_id for job in client.list_workflows()])
    ledger = SqlLedger(engine, queue.enqueue, lambda *_: None)
    SqlCredentials(engine).add_key(make_key(1), NOON, 2, LINE)
    url = engine.url.render_as_string(hide_password=False)
    return QueueCase(queue, ledger, lambda: len(client.list_workflows()), url)


def test_a_save_queues_its_job_in_its_own_transaction(case: QueueCase) -> None:
    """With ``wake`` the job is there when the save is; without it, or after a conflict, it is not."""
    saved = case.ledger.save(make_upload(1))
    assert case.jobs() == 0
    newest = case.ledger.save(saved, wake=True)
    assert case.jobs() == 1
    with pytest.raises(Conflict):
        case.ledger.save(saved, wake=True)
    with pytest.raises(Conflict):
        case.ledger.save(make_upload(1), wake=True)
    assert case.jobs() == 1
    case.ledger.save(newest, wake=True)
    assert case.jobs() == 2


def test_pushing_often_is_no_harm(case: QueueCase) -> None:
    """The reconciler pushes each second: that is one job, and another only some time later."""
    upload = case.ledger.save(make_upload(1))
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    for second in range(15):
        case.queue.push(advancing(upload), at + timedelta(seconds=second))
    assert case.jobs() == 1
    case.queue.push(advancing(upload), at + timedelta(seconds=30))
    assert case.jobs() == 2


def test_young_jobs_are_not_purged(case: QueueCase) -> None:
    """Only what is long over is forgotten."""
    case.queue.push(advancing(case.ledger.save(make_upload(1))), NOON)
    case.queue.purge(timedelta(hours=1))
    assert case.jobs() == 1


def test_a_locked_database_is_the_ledger_that_is_away(sqlite_engine: Engine) -> None:
    """Whoever pushes while another holds the database is told what the ledger would tell."""
    impatient = create_engine(sqlite_engine.url, connect_args={"timeout": 0})
    with sqlite_engine.connect() as other:
        other.exec_driver_sql("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerUnavailable):
            DbosQueue(impatient).push(advancing(make_upload(1)), NOON)
    impatient.dispose()


def test_a_database_that_is_away_is_not_waited_for() -> None:
    """Neither pushing nor purging hangs: both say that the ledger is away; the next round tries anew."""
    queue = DbosQueue(open_engine("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    with pytest.raises(LedgerUnavailable):
        queue.push(advancing(make_upload(1)), NOON)
    told = threading.Event()

    def purge() -> None:
        with pytest.raises(LedgerUnavailable):
            queue.purge(timedelta(hours=1))
        told.set()

    threading.Thread(target=purge, daemon=True).start()
    assert told.wait(20)


@contextmanager
def serving(case: QueueCase, handle: Callable[[str], None]) -> Iterator[None]:
    """Take jobs for as long as the block runs."""
    assert case.url
    worker = DbosWorker(case.url, {Task.ADVANCE: 2})
    worker.start({Task.ADVANCE: handle}, "test-executor")
    try:
        yield
    finally:
        worker.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def real(request: pytest.FixtureRequest) -> QueueCase:
    """The real queues alone."""
    return real_case(request.getfixturevalue(f"{request.param}_engine"))


def test_every_job_reaches_the_worker_and_is_then_forgotten(real: QueueCase) -> None:
    """Queued with a save, pushed, or queued while nobody worked: each upload's id is handed over. One that
    fails takes no other with it, and what is done can be purged."""
    handled: set[str] = set()
    all_done = threading.Event()
    uploads = [real.ledger.save(make_upload(number), wake=number % 2 == 0) for number in range(6)]

    def handle(upload_id: str) -> None:
        handled.add(upload_id)
        if len(handled) == len(uploads):
            all_done.set()
        if upload_id == uploads[0].id:
            raise RuntimeError("on purpose")

    with serving(real, handle):
        for upload in uploads[1::2]:
            real.queue.push(advancing(upload), datetime.now(UTC))
        assert all_done.wait(20)
    assert handled == {upload.id for upload in uploads}
    real.queue.purge(timedelta(0))
    assert real.jobs() == 0


def test_a_job_waits_until_it_is_due(real: QueueCase) -> None:
    """A retry with a pause does not begin before it."""
    begun: list[datetime] = []
    done = threading.Event()
    due_at = datetime.now(UTC) + timedelta(seconds=2)

    def handle(_upload_id: str) -> None:
        begun.append(datetime.now(UTC))
        done.set()

    real.ledger.save(replace(make_upload(1), due_at=due_at), wake=True)
    with serving(real, handle):
        assert done.wait(20)
    assert begun[0] >= due_at
