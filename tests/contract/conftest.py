"""The ledgers that must keep the port's promises: the fake, SQLite and PostgreSQL."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection, Engine, delete

from service.adapters.database import open_engine
from service.adapters.outbox import Outbox
from service.adapters.schema import log
from service.adapters.sql_accounts import SqlAccounts
from service.adapters.sql_answers import SqlAnswers
from service.adapters.sql_checkpoints import SqlCheckpoints
from service.adapters.sql_credentials import SqlCredentials
from service.adapters.sql_decisions import SqlAllowances, SqlDecisions
from service.adapters.sql_erasures import SqlErasures
from service.adapters.sql_holds import SqlHolds
from service.adapters.sql_journal import SqlJournal
from service.adapters.sql_ledger import SqlLedger
from service.adapters.sql_webhook_deliveries import SqlWebhookDeliveries
from service.adapters.sql_webhook_endpoints import SqlWebhookEndpoints
from service.core.journal import Act, Entry
from service.core.upload import State, Upload
from service.ports import (
    Accounts,
    Allowances,
    Answers,
    ApiKey,
    Checkpoints,
    Credentials,
    Decisions,
    Erasures,
    Holds,
    Job,
    Journal,
    Ledger,
    WebhookDeliveries,
    WebhookEndpoints,
)
from stack.postgres import Postgres
from tests.contract.databases import empty, migrate, sqlite_url
from tests.fakes.accounts import FakeAccounts
from tests.fakes.answers import FakeAnswers
from tests.fakes.checkpoints import FakeCheckpoints
from tests.fakes.credentials import FakeCredentials
from tests.fakes.decisions import FakeDecisions
from tests.fakes.erasures import FakeErasures
from tests.fakes.faults import Faults
from tests.fakes.holds import FakeHolds
from tests.fakes.journal import FakeJournal
from tests.fakes.ledger import FakeLedger
from tests.fakes.webhooks import FakeWebhooks

NOON: Final = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
#: What is logged beside a change that a test makes.
LINE: Final = Entry(NOON, Act.KEY_CREATED.value, {"key": "gr_1"}, "operator:command", account_id="acme")


@dataclass
class LedgerCase:
    """A ledger, its credentials, answers, webhooks, log and decisions, and what was queued.

    ``engine`` is the database behind it where there is one. ``refuse_jobs`` makes queueing fail.
    """

    ledger: Ledger
    credentials: Credentials
    answers: Answers
    endpoints: WebhookEndpoints
    deliveries: WebhookDeliveries
    journal: Journal
    checkpoints: Checkpoints
    decisions: Decisions
    allowances: Allowances
    accounts: Accounts
    erasures: Erasures
    holds: Holds
    engine: Engine | None
    jobs: list[Job] = field(default_factory=list)
    refuse_jobs: bool = False


def make_upload(number: int, **changes: object) -> Upload:
    """Return a new upload whose id sorts by ``number``."""
    plain: dict[str, object] = {
        "id": f"up_{number:032x}",
        "account_id": "acme",
        "meeting_id": "m1",
        "name": "déck ✓.pdf",
        "declared_type": "application/pdf",
        "detected_type": "application/pdf",
        "state": State.RECEIVING,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Upload(**(plain | changes))  # type: ignore[arg-type]


def make_key(number: int, account: str = "acme", **changes: object) -> ApiKey:
    """Return a key that never expires."""
    plain: dict[str, object] = {
        "prefix": f"gr_{number:012x}",
        "secret_sha256": f"{number:064x}",
        "account_id": account,
        "label": "a backend",
        "scopes": frozenset({"read", "upload"}),
        "created_at": NOON,
        "expires_at": None,
        "revoked_at": None,
    }
    return ApiKey(**(plain | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated and closed SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "ledger.db"
    migrate(sqlite_url(path))
    return path


@pytest.fixture(scope="session")
def postgres_engine(postgres: Postgres) -> Iterator[Engine]:
    """A migrated PostgreSQL database, emptied by each test that uses it."""
    url = postgres.fresh_database()
    migrate(url)
    engine = open_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """A migrated SQLite file of its own."""
    path = tmp_path / "ledger.db"
    shutil.copy(sqlite_template, path)
    engine = open_engine(sqlite_url(path))
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def sql_case(request: pytest.FixtureRequest) -> LedgerCase:
    """A real ledger, empty."""
    return _sql_case(request, request.param)


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
def ledger_case(request: pytest.FixtureRequest) -> LedgerCase:
    """Each ledger in turn, empty."""
    if request.param != "fake":
        return _sql_case(request, request.param)
    journal = FakeJournal(Faults())
    accounts, answers = FakeAccounts(Faults(), journal), FakeAnswers(Faults())
    credentials = FakeCredentials(Faults(), journal, accounts)
    webhooks = FakeWebhooks(Faults(), lambda job: _queue(case, job))
    webhooks.removed = credentials.accounts.is_removed
    decisions = FakeDecisions(Faults(), journal)
    holds = FakeHolds(Faults(), journal, credentials.accounts)
    ledger = FakeLedger(
        Faults(),
        lambda job: _queue(case, job),
        credentials,
        answers,
        webhooks.announce,
        journal,
        decisions,
        holds,
    )
    checkpoints = FakeCheckpoints(Faults())
    case = LedgerCase(
        ledger,
        credentials,
        answers,
        webhooks,
        webhooks,
        journal,
        checkpoints,
        decisions,
        decisions.allowances,
        accounts,
        FakeErasures(Faults(), ledger, journal, accounts, credentials, checkpoints, holds),
        holds,
        None,
    )
    for account in ("acme", "other"):
        accounts.known(account, NOON)
    return case


def _sql_case(request: pytest.FixtureRequest, name: str) -> LedgerCase:
    engine: Engine = request.getfixturevalue("sqlite_engine" if name == "sqlite" else "postgres_engine")
    empty(engine)

    def enqueue(_connection: Connection, job: Job) -> None:
        _queue(case, job)

    outbox = Outbox(enqueue)
    case = LedgerCase(
        SqlLedger(engine, enqueue, outbox.announce),
        SqlCredentials(engine),
        SqlAnswers(engine),
        SqlWebhookEndpoints(engine),
        SqlWebhookDeliveries(engine, outbox),
        SqlJournal(engine),
        SqlCheckpoints(engine),
        SqlDecisions(engine),
        SqlAllowances(engine),
        SqlAccounts(engine),
        SqlErasures(engine),
        SqlHolds(engine),
        engine,
    )
    # An upload's account is one that has a key.
    for number, account in enumerate(("acme", "other")):
        case.credentials.add_key(make_key(0xA0 + number, account), NOON, 2, LINE)
        case.credentials.revoke_key(f"gr_{0xA0 + number:012x}", NOON, LINE)
    with engine.begin() as connection:
        connection.execute(delete(log))
    return case


def _queue(case: LedgerCase, job: Job) -> None:
    if case.refuse_jobs:
        raise RuntimeError("the queue refuses")
    case.jobs.append(job)
