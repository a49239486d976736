"""What ``ports.Ledger`` promises of uploads whose time is over, for the fake, SQLite and PostgreSQL."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import pytest

from service.adapters.sql_accounts import SqlAccounts
from service.adapters.sql_meetings import SqlMeetings
from service.core.account import Account, Plan
from service.core.errors import AccountRemoved
from service.core.journal import Act, Entry
from service.core.meeting import Meeting
from service.core.retention import RETAINED, Terms
from service.core.upload import Event, State
from service.ports import Accounts, Ledger, Meetings
from tests.contract.conftest import LINE, NOON, LedgerCase, make_upload
from tests.core.shipped import POLICY
from tests.fakes.credentials import FakeCredentials
from tests.fakes.faults import Faults
from tests.fakes.journal import FakeJournal
from tests.fakes.meetings import FakeMeetings

DAY: Final = timedelta(days=1)
SAID: Final = Entry(NOON, Act.MEETING_CHANGED.value, {}, "key:gr_1", None, "acme", "m1")


@dataclass
class Case:
    """A ledger with two accounts, one of each plan, and their meetings."""

    ledger: Ledger
    accounts: Accounts
    meetings: Meetings

    def over(self, at: datetime, limit: int = 2) -> list[str]:
        """Return what is over then, in its order, taken in pages."""
        found: list[str] = []
        after: str | None = ""
        while after is not None:
            page = self.ledger.at_rest(POLICY.periods, at, after, limit)
            assert len(page) <= limit
            found += [one for one in page if self._until(one) <= at]
            after = page[-1] if page else None
        return found

    def _until(self, upload_id: str) -> datetime:
        upload = self.ledger.find(upload_id)
        assert upload
        plan = Plan.PAID if upload.account_id == "acme" else Plan.TRIAL
        meeting = self.meetings.find(upload.account_id, upload.meeting_id)
        term = Terms(plan, POLICY.periods[plan], meeting).of(upload)
        assert term, "it is at rest"
        return term.until


@pytest.fixture
def case(ledger_case: LedgerCase) -> Case:
    """Each of them in turn."""
    if ledger_case.engine is not None:
        accounts: Accounts = SqlAccounts(ledger_case.engine)
        meetings: Meetings = SqlMeetings(ledger_case.engine)
    else:
        assert isinstance(ledger_case.credentials, FakeCredentials)
        assert isinstance(ledger_case.journal, FakeJournal)
        accounts = ledger_case.credentials.accounts
        meetings = FakeMeetings(Faults(), ledger_case.journal)
    accounts.add(Account("acme", NOON, Plan.PAID), LINE)
    accounts.add(Account("tryout", NOON, Plan.TRIAL), LINE)
    return Case(ledger_case.ledger, accounts, meetings)


def remove(case: Case, account_id: str) -> Account:
    """Remove an account."""
    account = case.accounts.find(account_id)
    assert account
    return case.accounts.change(account.removed(NOON, DAY), LINE)


def test_each_is_found_when_its_time_is_over(case: Case) -> None:
    """By its plan and state, and not a moment before; what is on its way or erased, never."""
    number, ends = 0, {}
    for account_id, plan in (("acme", Plan.PAID), ("tryout", Plan.TRIAL)):
        for state in State:
            upload = case.ledger.save(make_upload(number, account_id=account_id, state=state))
            number += 1
            if state in RETAINED:
                ends[upload.id] = NOON + timedelta(days=POLICY.periods[plan].published()[state.value])
    for at in {*ends.values(), *(end - timedelta(seconds=1) for end in ends.values())}:
        assert case.over(at) == sorted(one for one, end in ends.items() if end <= at)
    assert case.over(NOON + 4000 * DAY, limit=200) == sorted(ends)


def test_what_a_meeting_says_counts(case: Case) -> None:
    """Fewer days than the plan's, and its start; another account's meeting of the same name says nothing."""
    short = case.ledger.save(make_upload(1, state=State.RELEASED))
    late = case.ledger.save(make_upload(2, state=State.RELEASED, meeting_id="m2"))
    other = case.ledger.save(make_upload(3, state=State.RELEASED, account_id="tryout"))
    case.meetings.save(Meeting("acme", "m1", retention={"released": 1}), SAID)
    case.meetings.save(Meeting("acme", "m2", NOON + 100 * DAY, retention={"released": 2}), SAID)
    assert case.over(NOON + DAY - timedelta(seconds=1)) == []
    assert case.over(NOON + DAY) == [short.id]
    assert case.over(NOON + 30 * DAY) == [short.id, other.id]
    assert case.over(NOON + 102 * DAY - timedelta(seconds=1)) == [short.id, other.id]
    assert case.over(NOON + 102 * DAY) == [short.id, late.id, other.id]


def test_a_removed_account_is_only_held(case: Case) -> None:
    """Nothing of it is found, and a save that would end its time is refused, so that no process that found it
    before goes on; brought back, it goes on.
    """
    upload = case.ledger.save(make_upload(1, state=State.RELEASED))
    at = NOON + 365 * DAY
    removed = remove(case, "acme")
    assert case.over(at) == []
    with pytest.raises(AccountRemoved):
        case.ledger.save(upload.moved(Event.RETENTION_ENDED, at))
    assert case.ledger.find(upload.id) == upload
    assert case.ledger.history(upload.id) == []
    case.accounts.change(removed.reactivated(), LINE)
    assert case.over(at) == [upload.id]
    assert case.ledger.save(upload.moved(Event.RETENTION_ENDED, at)).state is State.ERASED
    assert case.over(at) == []
