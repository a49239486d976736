"""``ports.Accounts``: the same laws for the fake, SQLite and PostgreSQL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import Engine, select

from service.adapters.schema import log
from service.adapters.sql_accounts import SqlAccounts
from service.adapters.sql_credentials import SqlCredentials
from service.core.account import OPERATOR, Account, Plan
from service.core.errors import AccountRemoved, Conflict
from service.core.journal import Act, Entry
from service.core.upload import Event
from service.ports import Accounts, Credentials
from tests.contract.conftest import LINE, NOON, LedgerCase, make_key, make_upload
from tests.contract.databases import empty
from tests.contract.test_ledger_races import at_once
from tests.contract.webhooks import LEASE, SECOND, make_endpoint, make_notice, told
from tests.fakes.accounts import FakeAccounts
from tests.fakes.credentials import FakeCredentials
from tests.fakes.faults import Faults
from tests.fakes.journal import FakeJournal

CREATED: Final = Entry(NOON, Act.ACCOUNT_CREATED.value, {}, "operator:command", account_id="acme")
REMOVED: Final = Entry(NOON, Act.ACCOUNT_REMOVED.value, {}, "operator:command", account_id="acme")
HELD_FOR: Final = timedelta(days=60)


@dataclass
class Case:
    """The accounts, their keys, and what was logged, in order."""

    accounts: Accounts
    credentials: Credentials
    events: Callable[[], Sequence[str]]


def make_account(name: str = "acme", **changes: Any) -> Account:
    """Return an account."""
    return replace(Account(name, NOON, Plan.TRIAL, "eu"), **changes)


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
def case(request: pytest.FixtureRequest) -> Case:
    """Each in turn, empty."""
    if request.param == "fake":
        journal = FakeJournal(Faults())
        accounts = FakeAccounts(Faults(), journal)
        credentials = FakeCredentials(Faults(), journal, accounts)
        return Case(accounts, credentials, lambda: [one.event for one in journal.entries])
    engine: Engine = request.getfixturevalue(
        "sqlite_engine" if request.param == "sqlite" else "postgres_engine"
    )
    empty(engine)

    def events() -> Sequence[str]:
        with engine.connect() as connection:
            return list(connection.scalars(select(log.c.event).order_by(log.c.id)))

    return Case(SqlAccounts(engine), SqlCredentials(engine), events)


def test_an_account_comes_back_as_it_was(case: Case) -> None:
    """With all its fields, at its beginning and after each change, and with its version counted up."""
    account = make_account()
    assert case.accounts.add(account, CREATED)
    assert case.accounts.find("acme") == account
    changed = replace(account.removed(NOON, HELD_FOR), sealed_key=b"\x00key", plan=Plan.PAID)
    assert case.accounts.change(changed, REMOVED) == replace(changed, version=2)
    assert case.accounts.find("acme") == replace(changed, version=2)
    erased = replace(changed, version=2, erased_at=NOON, sealed_key=None)
    assert case.accounts.change(erased, None) == replace(erased, version=3) == case.accounts.find("acme")
    assert case.accounts.find("ACME") is None
    assert case.events() == ["account_created", "account_removed"]


def test_an_id_is_given_once(case: Case) -> None:
    """The second of that id changes nothing and is not logged, and of many at once one is first."""
    assert case.accounts.add(make_account(), CREATED)
    assert not case.accounts.add(make_account(plan=Plan.PAID), CREATED)
    assert case.accounts.find("acme") == make_account()
    assert case.events() == ["account_created"]
    assert sorted(at_once(4, lambda _: case.accounts.add(make_account("raced"), CREATED))) == [
        *[False] * 3,
        True,
    ]


def test_a_change_of_what_was_changed_meanwhile_is_a_conflict(case: Case) -> None:
    """Nothing of it happens, and it is not logged. So it is for an account that is not there."""
    case.accounts.add(make_account(), CREATED)
    case.accounts.change(make_account(plan=Plan.PAID), None)
    with pytest.raises(Conflict):
        case.accounts.change(make_account().removed(NOON, HELD_FOR), REMOVED)
    with pytest.raises(Conflict):
        case.accounts.change(make_account("nobody"), REMOVED)
    assert case.accounts.find("acme") == make_account(plan=Plan.PAID, version=2)
    assert case.events() == ["account_created"]


def test_of_many_changes_at_once_one_is_made(case: Case) -> None:
    """Whoever is late must look again at what became of the account."""
    case.accounts.add(make_account(), CREATED)

    def remove(_: int) -> bool:
        try:
            case.accounts.change(make_account().removed(NOON, HELD_FOR), REMOVED)
        except Conflict:
            return False
        return True

    assert sorted(at_once(4, remove)) == [False, False, False, True]
    assert case.events() == ["account_created", "account_removed"]


def test_accounts_come_in_pages(case: Case) -> None:
    """By their ids, those that keys made among them, but not the one whose the administrators' keys are."""
    case.credentials.add_key(make_key(1, OPERATOR), NOON, 2, LINE)
    case.credentials.add_key(make_key(2, "keyed"), NOON, 2, LINE)
    for name in ("zeta", "0-first", "acme"):
        case.accounts.add(make_account(name), CREATED)
    assert [one.id for one in case.accounts.page("", 10)] == ["0-first", "acme", "keyed", "zeta"]
    assert [one.id for one in case.accounts.page("acme", 1)] == ["keyed"]
    assert case.accounts.page("zeta", 10) == []


def test_one_account_of_a_region_that_has_a_key_is_found(case: Case) -> None:
    """The same one each time, whatever its standing; none where none has one."""
    case.accounts.add(make_account("a"), CREATED)
    assert case.accounts.keyed("eu") is None
    for name in ("c", "b"):
        case.accounts.add(make_account(name, sealed_key=b"key", removed_at=NOON), CREATED)
    assert case.accounts.keyed("eu") == case.accounts.find("b")
    assert case.accounts.keyed("us") is None


@pytest.fixture
def accounts(ledger_case: LedgerCase) -> Accounts:
    """The accounts beside each ledger in turn, ``acme`` among them."""
    if ledger_case.engine is None:
        fake = ledger_case.credentials
        assert isinstance(fake, FakeCredentials)
        fake.accounts.known("acme", NOON)
        return fake.accounts
    return SqlAccounts(ledger_case.engine)


def removed(accounts: Accounts) -> Account:
    """Remove ``acme``."""
    acme = accounts.find("acme")
    assert acme is not None
    return accounts.change(acme.removed(NOON, HELD_FOR), None)


def test_nothing_begins_in_a_removed_account(ledger_case: LedgerCase, accounts: Accounts) -> None:
    """What began before goes on to its rest; what is brought back begins again."""
    begun = ledger_case.ledger.save(make_upload(1))
    acme = removed(accounts)
    with pytest.raises(AccountRemoved):
        ledger_case.ledger.save(make_upload(2))
    assert ledger_case.ledger.find(make_upload(2).id) is None
    ledger_case.ledger.save(begun.moved(Event.GAVE_UP, NOON, {"code": "interrupted"}))
    accounts.change(acme.reactivated(), None)
    ledger_case.ledger.save(make_upload(2))


def test_a_removed_account_is_told_nothing(ledger_case: LedgerCase, accounts: Accounts) -> None:
    """What is due at its endpoints waits until it is back; others' goes on."""
    endpoints = [make_endpoint(1), make_endpoint(2, "other")]
    for number, endpoint in enumerate(endpoints):
        ledger_case.endpoints.add(endpoint, 1)
        told(
            ledger_case, make_notice(number, endpoint.account_id), number=number, account=endpoint.account_id
        )
    acme, later = removed(accounts), NOON + 9 * SECOND

    def due() -> list[str]:
        return [one.endpoint_id for one in ledger_case.deliveries.due(later, 9)]

    assert due() == [endpoints[1].id]
    assert ledger_case.deliveries.claim(endpoints[0].id, later, later + LEASE) is None
    assert ledger_case.deliveries.claim(endpoints[1].id, later, later + LEASE)
    accounts.change(acme.reactivated(), None)
    assert due() == [endpoints[0].id]
    assert ledger_case.deliveries.claim(endpoints[0].id, later, later + LEASE)


def test_removal_and_beginnings_have_an_order(ledger_case: LedgerCase, accounts: Accounts) -> None:
    """With both under way at once, no upload is there afterwards that did not begin before the removal."""
    before: list[int] = []

    def run(number: int) -> bool:
        if number == 0:
            removed(accounts)
            before.extend(n for n in range(1, 9) if ledger_case.ledger.find(make_upload(n).id))
            return True
        try:
            ledger_case.ledger.save(make_upload(number))
        except AccountRemoved:
            return False
        return True

    at_once(9, run)
    assert before == [n for n in range(1, 9) if ledger_case.ledger.find(make_upload(n).id)]
