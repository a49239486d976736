"""The promises of ``ports.Rescans``, for the fake, SQLite and PostgreSQL."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import pytest
from sqlalchemy import select, update

from service.adapters.schema import accounts, uploads
from service.adapters.sql_meetings import SqlMeetings
from service.adapters.sql_rescans import SqlRescans
from service.core.account import Account
from service.core.journal import Act, Entry, of_upload
from service.core.meeting import Meeting
from service.core.outcome import Engine
from service.core.rescan import Taken, Wanted
from service.core.upload import Event, State, Upload
from service.core.verdict import Kind, Protection, Verdict
from service.ports import Ledger, Meetings, Rescans
from tests.contract.conftest import NOON, LedgerCase, make_upload
from tests.contract.test_ledger_races import at_once
from tests.fakes.accounts import FakeAccounts
from tests.fakes.faults import Faults
from tests.fakes.journal import FakeJournal
from tests.fakes.ledger import FakeLedger
from tests.fakes.meetings import FakeMeetings
from tests.fakes.rescans import FakeRescans

OLD: Final = 100
NEW: Final = 101
SOON: Final = NOON + timedelta(minutes=5)
HOUR: Final = timedelta(hours=1)
#: Longer than the stretches that uploads are told apart by.
STRETCH: Final = 2**25
LINE: Final = Entry(NOON, Act.MEETING_CHANGED.value, {}, "key:gr_1", None, "acme", "m1")


@dataclass
class Case:
    """Rescans with what they are about; ``remove`` removes an account, ``scanned_with`` tells of an upload
    with which signatures it was scanned again.
    """

    rescans: Rescans
    ledger: Ledger
    meetings: Meetings
    events: Callable[[], list[Entry]]
    remove: Callable[[str], None]
    scanned_with: Callable[[str], int | None]

    def released(self, number: int, version: int | None = OLD, **changes: object) -> Upload:
        """Put down a released upload, whose id sorts by ``number``, scanned with those signatures."""
        verdict = Verdict(
            Kind.CLEAN, "clean", None, "00" * 32, 1, Engine("1.4.6", version, NOON), Protection.OFFICIAL,
            "00" * 32, 0.1, NOON,
        )  # fmt: skip
        plain = make_upload(0, state=State.RELEASED, verdict=verdict)
        at = f"{number * STRETCH:012x}"
        return self.ledger.save(replace(plain, id=f"up_{at}{number:020x}", **changes))  # type: ignore[arg-type]

    def began(self, version: int | None = NEW, **narrow: str) -> None:
        """Begin a rescan."""
        assert self.rescans.begin(Wanted(version, **narrow), NOON)

    def took(self, version: int | None = NEW, at: datetime = NOON) -> Taken:
        """Take a file for five minutes."""
        taken = self.rescans.take(version, at, at + timedelta(minutes=5))
        assert taken is not None
        return taken

    def order(self, at: datetime = NOON) -> list[str]:
        """Take all that there is; return the ids in their order."""
        found = []
        while taken := self.rescans.take(NEW, at, at + timedelta(minutes=5)):
            found.append(taken.upload_id)
        return found


@pytest.fixture
def case(ledger_case: LedgerCase) -> Case:
    """Each of them in turn, with an empty ledger that has two accounts."""
    engine = ledger_case.engine

    def events() -> list[Entry]:
        return [line.entry for line in ledger_case.journal.waiting(100)]

    if engine is not None:

        def remove(account_id: str) -> None:
            with engine.begin() as connection:
                gone = update(accounts).where(accounts.c.id == account_id)
                connection.execute(gone.values(removed_at=NOON))

        def scanned_with(upload_id: str) -> int | None:
            with engine.connect() as connection:
                found: int | None = connection.scalar(
                    select(uploads.c.rescanned_with).where(uploads.c.id == upload_id)
                )
                return found

        return Case(SqlRescans(engine), ledger_case.ledger, SqlMeetings(engine), events, remove, scanned_with)
    assert isinstance(ledger_case.journal, FakeJournal)
    assert isinstance(ledger_case.ledger, FakeLedger)
    known = FakeAccounts(Faults(), ledger_case.journal)
    known.known("acme", NOON)
    meetings = FakeMeetings(Faults(), ledger_case.journal)
    fake = FakeRescans(Faults(), ledger_case.journal, ledger_case.ledger, known, meetings)

    def remove_known(account_id: str) -> None:
        known.change(Account(account_id, NOON, removed_at=NOON), None)

    return Case(fake, ledger_case.ledger, meetings, events, remove_known, fake.scanned_with.get)


def test_only_what_is_released_and_older_is_wanted(case: Case) -> None:
    """Of signatures that nobody knows it is not known that they are as new."""
    wanted = {case.released(1).id, case.released(2, None).id, case.released(3, NEW - 2).id}
    case.released(4, NEW)
    case.released(5, NEW + 1)
    case.released(6, state=State.HELD)
    case.released(7, state=State.CLEARED)
    begun = case.rescans.begin(Wanted(NEW), NOON)
    assert begun
    assert (begun.total, begun.done, begun.pending, begun.ended_at) == (3, 0, 3, None)
    assert set(case.order()) == wanted
    assert case.rescans.under_way() == case.rescans.newest(5) == [begun]
    assert case.rescans.find(begun.id) == begun
    assert case.rescans.find(begun.id + 1) is None
    (line,) = case.events()
    assert (line.event, line.detail["total"], line.detail["signature_version"]) == ("rescan_begun", 3, NEW)


def test_where_there_is_nothing_nothing_begins(case: Case) -> None:
    """And no line says that it did."""
    case.released(1, NEW)
    assert case.rescans.begin(Wanted(NEW), NOON) is None
    assert case.rescans.newest(5) == []
    assert case.events() == []


def test_people_may_want_all_or_some(case: Case) -> None:
    """Whatever it was scanned with: all, an account's, one."""
    mine, one, theirs = (
        case.released(1, NEW),
        case.released(2, NEW),
        case.released(3, NEW, account_id="other"),
    )
    totals = []
    for wanted in (Wanted(asked_by="operator:command"), Wanted(account_id="acme"), Wanted(upload_id=one.id)):
        begun = case.rescans.begin(wanted, NOON)
        assert begun
        assert begun.wanted == wanted
        totals.append(begun.total)
    assert totals == [3, 2, 1]
    assert case.order() == [theirs.id, one.id, mine.id]
    assert case.rescans.begin(Wanted(account_id="nobody"), NOON) is None
    assert [line.actor for line in case.events()] == ["operator:command", None, None]


def test_the_soonest_meeting_comes_first_then_the_newest_then_the_most_downloaded(case: Case) -> None:
    """A meeting that began less than four hours ago may still be on; one before that is none."""
    days = {name: number for number, name in enumerate(("over", "on", "soon", "later", "none"), start=1)}
    starts = {"over": -4.1, "on": -3.9, "soon": 1.0, "later": 48.0}
    for name, hours in starts.items():
        case.meetings.save(Meeting("acme", name, NOON + hours * HOUR), LINE)
    ids = {name: case.released(number, meeting_id=name).id for name, number in days.items()}
    # The same hours as "none" came in: only downloads tell them apart.
    close = ids["none"][:-1] + "f"
    plain = case.ledger.find(ids["none"])
    assert plain
    twin = case.ledger.save(replace(plain, id=close, version=0))
    for upload, times in ((plain, 3), (twin, 2)):
        for _ in range(times):
            case.ledger.downloaded(of_upload(upload, Act.DOWNLOADED, NOON, "key:gr_1"))
    case.began()
    assert case.order() == [*(ids[name] for name in ("on", "soon", "later", "none")), twin.id, ids["over"]]


def test_of_equals_the_newest_comes_first(case: Case) -> None:
    """By its id, which is its time."""
    first, second = case.released(1), case.released(2)
    case.began()
    assert case.order() == [second.id, first.id]


def test_a_meeting_of_another_account_is_another_meeting(case: Case) -> None:
    """Though it has the same name."""
    case.meetings.save(Meeting("other", "m1", NOON + HOUR), LINE)
    first, second = case.released(1), case.released(2)
    case.began()
    assert case.order() == [second.id, first.id]


def test_what_is_taken_is_nobody_else_s_until_its_time_is_over(case: Case) -> None:
    """Then it is taken again, by whoever comes; each time counts."""
    case.released(1)
    case.began()
    assert case.took().attempts == 1
    assert case.rescans.take(NEW, NOON + timedelta(minutes=4), SOON) is None
    assert case.took(at=SOON).attempts == 2


def test_what_is_put_off_waits(case: Case) -> None:
    """Until then and no longer."""
    case.released(1)
    case.began()
    case.rescans.put_off(case.took(), NOON + HOUR)
    assert case.rescans.take(NEW, NOON + HOUR - timedelta(seconds=1), NOON + 2 * HOUR) is None
    assert case.took(at=NOON + HOUR).attempts == 2


def test_of_many_that_take_at_once_each_gets_another(case: Case) -> None:
    """Four workers, four files."""
    ids = {case.released(number).id for number in range(4)}
    case.began()
    found: list[str] = []

    def take(_number: int) -> bool:
        found.append(case.took().upload_id)
        return True

    at_once(4, take)
    assert set(found) == ids


@pytest.mark.parametrize(
    ("state", "event", "recalled", "held"),
    [
        (State.RELEASED, None, 0, 0),
        (State.BLOCKED, Event.RECALLED, 1, 0),
        (State.HELD, Event.DOUBTED, 0, 1),
        (State.ERASED, Event.DELETED, 0, 0),
    ],
)
def test_a_file_that_is_done_counts_as_what_it_became(
    case: Case, state: State, event: Event | None, recalled: int, held: int
) -> None:
    """Once, however often it is said; only what is still released was scanned with these signatures."""
    upload = case.released(1)
    case.began()
    taken = case.took()
    if event is not None:
        case.ledger.save(upload.moved(event, NOON))
    for _ in range(2):
        case.rescans.finish(taken)
    (one,) = case.rescans.newest(1)
    assert (one.total, one.done, one.recalled, one.held, one.pending) == (1, 1, recalled, held, 0)
    assert case.scanned_with(upload.id) == (NEW if state is State.RELEASED else None)
    assert case.order(SOON) == []


def test_what_was_scanned_is_not_wanted_again(case: Case) -> None:
    """For these signatures; what was dealt with and not scanned is."""
    case.released(1)
    skipped = case.released(2)
    case.began()
    case.rescans.finish(case.took(), scanned=False)
    case.rescans.finish(case.took())
    assert len(case.rescans.end(SOON)) == 1
    again = case.rescans.begin(Wanted(NEW), SOON)
    assert again
    assert again.total == 1
    assert case.order(SOON) == [skipped.id]


def test_a_rescan_ends_when_nothing_is_left_of_it(case: Case) -> None:
    """Once, with a line that has the counts."""
    case.released(1)
    case.began()
    assert case.rescans.end(NOON) == []
    case.rescans.finish(case.took())
    (ended,) = case.rescans.end(SOON)
    assert (ended.ended_at, ended.superseded, ended.done) == (SOON, False, 1)
    assert case.rescans.end(SOON) == []
    assert case.rescans.under_way() == []
    assert case.rescans.newest(1) == [ended]
    line = case.events()[-1]
    assert (line.event, line.at, line.detail["done"]) == ("rescan_ended", SOON, 1)


def test_one_rescan_for_the_newest_signatures_is_under_way(case: Case) -> None:
    """One for the same or older ones does not begin; one for newer ones ends it and takes on what is left."""
    case.released(1)
    case.released(2)
    case.began()
    for version in (OLD, NEW):
        assert case.rescans.begin(Wanted(version), NOON) is None
    case.rescans.finish(case.took())
    second = case.rescans.begin(Wanted(NEW + 1), SOON)
    assert second
    assert second.total == 2
    _, first = case.rescans.newest(2)
    assert (first.superseded, first.ended_at, first.done, first.pending) == (True, SOON, 1, 0)
    assert [line.event for line in case.events()] == ["rescan_begun", "rescan_ended", "rescan_begun"]
    assert case.rescans.take(NEW, SOON, SOON + HOUR) is None
    assert len({case.took(NEW + 1, SOON).upload_id for _ in range(2)}) == 2


def test_of_many_that_begin_at_once_one_does(case: Case) -> None:
    """Every worker sees the new signatures at about the same time."""
    case.released(1)
    assert sorted(at_once(4, lambda _: case.rescans.begin(Wanted(NEW), NOON) is not None)) == [
        *[False] * 3,
        True,
    ]


def test_a_file_that_two_rescans_want_is_scanned_once(case: Case) -> None:
    """If the scanner may do both; what people asked for anybody may do."""
    case.released(1)
    case.began()
    case.began(None, asked_by="operator:command")
    case.rescans.finish(case.took())
    assert [one.done for one in case.rescans.newest(2)] == [1, 1]
    case.released(2)
    case.began(NEW + 1)
    case.began(None, asked_by="operator:command")
    older = case.took(NEW)
    case.rescans.finish(older)
    mine, theirs, *_ = case.rescans.newest(4)
    assert (mine.done, theirs.done) == (1, 0)


def test_files_of_a_removed_account_are_not_wanted(case: Case) -> None:
    """They are only held."""
    case.released(1)
    case.remove("acme")
    assert case.rescans.begin(Wanted(NEW), NOON) is None
    assert case.rescans.begin(Wanted(), NOON) is None
