"""The promises of ``ports.Meetings``, for the fake, SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.adapters.sql_meetings import SqlMeetings
from service.core.errors import Conflict
from service.core.journal import Act, Entry
from service.core.meeting import Meeting
from service.ports import Meetings
from tests.contract.conftest import NOON, LedgerCase
from tests.contract.test_ledger_races import at_once
from tests.fakes.faults import Faults
from tests.fakes.journal import FakeJournal
from tests.fakes.meetings import FakeMeetings

LINE = Entry(NOON, Act.MEETING_CHANGED.value, {"starts_at": None}, "key:gr_1", None, "acme", "m1")


@pytest.fixture
def meetings(ledger_case: LedgerCase) -> Meetings:
    """Each of them in turn, empty."""
    if ledger_case.engine is not None:
        return SqlMeetings(ledger_case.engine)
    assert isinstance(ledger_case.journal, FakeJournal)
    return FakeMeetings(Faults(), ledger_case.journal)


def test_a_meeting_is_found_as_it_was_saved(meetings: Meetings) -> None:
    """By account and id, case for case; the same id of another account is another meeting."""
    saved = meetings.save(Meeting("acme", "m1", NOON), LINE)
    assert saved == Meeting("acme", "m1", NOON, 1)
    other = meetings.save(Meeting("other", "m1"), LINE)
    assert meetings.find("acme", "m1") == saved
    assert meetings.find("other", "m1") == other
    assert meetings.find("acme", "M1") is None
    assert meetings.find("nobody", "m1") is None


def test_an_accounts_meetings_by_their_ids(meetings: Meetings) -> None:
    """Page by page, in the order of their bytes, and no other account's."""
    for name in ("m-2", "M1", "m1", "m.3"):
        meetings.save(Meeting("acme", name, NOON), LINE)
    meetings.save(Meeting("other", "m1"), LINE)
    first = meetings.page("acme", "", 3)
    assert [one.id for one in first] == ["M1", "m-2", "m.3"]
    assert meetings.page("acme", "m.3", 3) == [Meeting("acme", "m1", NOON, 1)]
    assert list(meetings.page("nobody", "", 3)) == []


def test_only_the_newest_is_changed(meetings: Meetings, ledger_case: LedgerCase) -> None:
    """An old version, and a second first one, are a conflict that changes nothing and writes no line."""
    first = meetings.save(Meeting("acme", "m1"), LINE)
    second = meetings.save(replace(first, starts_at=NOON + timedelta(hours=1)), LINE)
    for stale in (first, Meeting("acme", "m1", NOON)):
        with pytest.raises(Conflict):
            meetings.save(stale, LINE)
    assert meetings.find("acme", "m1") == second
    lines = [line.entry for line in ledger_case.journal.waiting(10)]
    assert [line.event for line in lines] == [Act.MEETING_CHANGED] * 2


def test_its_own_days_are_kept(meetings: Meetings) -> None:
    """With what was said before, or not any more."""
    first = meetings.save(Meeting("acme", "m1", retention={"released": 7, "held": 1}), LINE)
    assert meetings.find("acme", "m1") == first
    second = meetings.save(replace(first, retention={"blocked": 2}), LINE)
    assert meetings.find("acme", "m1") == second
    meetings.save(replace(second, retention={}), LINE)
    found = meetings.find("acme", "m1")
    assert found
    assert found.retention == {}


def test_of_many_at_once_one_is_first(meetings: Meetings) -> None:
    """Two threads that speak of a new meeting: one is heard, the other has to ask again."""

    def save(number: int) -> bool:
        try:
            meetings.save(Meeting("acme", "m1", NOON + timedelta(hours=number)), LINE)
        except Conflict:
            return False
        return True

    assert sorted(at_once(4, save)) == [False, False, False, True]
