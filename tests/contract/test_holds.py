"""``ports.Holds``, and how ``ports.Ledger`` keeps to them, on the fake, SQLite and PostgreSQL alike."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from service.adapters.sql_accounts import SqlAccounts
from service.core.account import Account
from service.core.errors import AccountRemoved, Conflict, Gone, NotFound, UnderHold
from service.core.hold import Hold
from service.core.journal import Act, Entry
from service.core.upload import TRANSITIONS, Event, Leftover, Segment, State, Upload
from service.ports import Accounts
from tests.contract.conftest import NOON, LedgerCase, make_upload
from tests.contract.test_credentials import a_grant
from tests.contract.test_ledger_races import at_once
from tests.fakes.credentials import FakeCredentials

SECOND: Final = timedelta(seconds=1)
ADMIN: Final = "key:gr_admin"
SEGMENT: Final = Segment(0, f"up_{1:032x}/a", 5, "f" * 64, "etag")


@pytest.fixture
def case(ledger_case: LedgerCase) -> LedgerCase:
    """Each ledger in turn, with the account ``acme``."""
    for name in ("acme", "other"):
        if isinstance(ledger_case.credentials, FakeCredentials):
            ledger_case.credentials.accounts.known(name, NOON)
    return ledger_case


def accounts_of(case: LedgerCase) -> Accounts:
    """Return the accounts beside the ledger."""
    if case.engine is not None:
        return SqlAccounts(case.engine)
    assert isinstance(case.credentials, FakeCredentials)
    return case.credentials.accounts


def make_hold(number: int = 1, **changes: Any) -> Hold:
    """Return a hold on the account."""
    return replace(Hold(f"hd_{number:032x}", "acme", "A court's order ✓.", ADMIN, NOON), **changes)


def line(hold: Hold, act: Act = Act.HOLD_PLACED) -> Entry:
    """Return the line of a hold."""
    return Entry(NOON, act, hold.detail(), ADMIN, hold.upload_id, hold.account_id, hold.meeting_id)


def place(case: LedgerCase, hold: Hold) -> Hold:
    """Place a hold."""
    case.holds.place(hold, line(hold))
    return hold


def lift(case: LedgerCase, hold: Hold) -> bool:
    """Lift a hold."""
    return case.holds.lift(hold.id, ADMIN, NOON + SECOND, line(hold, Act.HOLD_LIFTED))


def released(case: LedgerCase, number: int = 1, **changes: object) -> Upload:
    """Save an upload that is released."""
    return case.ledger.save(make_upload(number, state=State.RELEASED, size=5, **changes))


def erased(upload: Upload) -> Upload:
    """Return an upload as its owner deletes it."""
    return upload.moved(Event.DELETED, NOON, leftover=Leftover.EVERYTHING)


def events(case: LedgerCase) -> list[str]:
    """Return what was logged."""
    return [one.entry.event for one in case.journal.waiting(100)]


def test_a_hold_comes_back_as_it_was(case: LedgerCase) -> None:
    """With all its fields, live and lifted, and in the log both times. To lift it again changes nothing."""
    upload = released(case)
    hold = place(case, make_hold(meeting_id="m1", upload_id=upload.id))
    assert case.holds.find(hold.id) == hold
    assert lift(case, hold)
    assert not lift(case, hold)
    assert case.holds.find(hold.id) == replace(hold, lifted_by=ADMIN, lifted_at=NOON + SECOND)
    assert not lift(case, make_hold(9))
    assert case.holds.find(make_hold(9).id) is None
    assert events(case) == ["hold_placed", "hold_lifted"]


def test_holds_come_in_pages(case: LedgerCase) -> None:
    """Newest first, of one account where one is asked for."""
    first, second, third = place(case, make_hold(1)), place(case, make_hold(2, account_id="other")), None
    third = place(case, make_hold(3))
    assert list(case.holds.page(None, 10)) == [third, second, first]
    assert list(case.holds.page(third.id, 1)) == [second]
    assert list(case.holds.page(None, 10, "acme")) == [third, first]


def test_a_hold_is_on_something_that_is_there(case: LedgerCase) -> None:
    """Not on nobody's account, not on another account's upload, not on what was erased; and then nothing is
    kept or logged.
    """
    upload = released(case)
    gone = case.ledger.save(erased(released(case, 2)))
    before = events(case)
    for hold, error in (
        (make_hold(account_id="nobody"), NotFound),
        (make_hold(meeting_id="m1", upload_id=make_upload(9).id), NotFound),
        (make_hold(account_id="other", meeting_id="m1", upload_id=upload.id), NotFound),
        (make_hold(meeting_id="m2", upload_id=upload.id), NotFound),
        (make_hold(meeting_id="m1", upload_id=gone.id), Gone),
    ):
        with pytest.raises(error):
            place(case, hold)
    accounts = accounts_of(case)
    other = accounts.find("other")
    assert other
    accounts.change(Account(other.id, NOON, erased_at=NOON, version=other.version), None)
    with pytest.raises(AccountRemoved):
        place(case, make_hold(account_id="other"))
    assert case.holds.page(None, 10) == []
    assert events(case) == before


@pytest.mark.parametrize(
    ("changes", "covered"),
    [
        ({}, {1, 2, 3}),
        ({"meeting_id": "m1"}, {1, 2}),
        ({"meeting_id": "m1", "upload_id": make_upload(1).id}, {1}),
        ({"account_id": "other"}, set()),
        ({"meeting_id": "m9"}, set()),
    ],
    ids=["account", "meeting", "upload", "another account", "another meeting"],
)
def test_what_is_covered_is_not_erased(case: LedgerCase, changes: dict[str, Any], covered: set[int]) -> None:
    """Not by its owner and not by time: the row, the log and what is to be deleted stay as they were. All
    else goes, and after the hold everything does.
    """
    uploads = {
        number: released(case, number, meeting_id="m2" if number == 3 else "m1") for number in (1, 2, 3)
    }
    hold = place(case, make_hold(**changes))
    for number, upload in uploads.items():
        named = (upload.account_id, upload.meeting_id, upload.id)
        assert list(case.holds.covering(*named)) == ([hold] if number in covered else [])
        for event in (Event.DELETED, Event.RETENTION_ENDED):
            moved = upload.moved(event, NOON, leftover=Leftover.EVERYTHING)
            if number not in covered:
                continue
            with pytest.raises(UnderHold):
                case.ledger.save(moved)
            assert case.ledger.find(upload.id) == upload
            assert case.ledger.history(upload.id) == []
    for number in {1, 2, 3} - covered:
        assert case.ledger.save(erased(uploads[number])).state is State.ERASED
    lift(case, hold)
    for number in covered:
        assert list(case.holds.covering("acme", uploads[number].meeting_id, uploads[number].id)) == []
        assert case.ledger.save(erased(uploads[number])).leftover is Leftover.EVERYTHING


def test_every_move_that_erases_is_stopped(case: LedgerCase) -> None:
    """From each state, by each event that the table of moves lists."""
    place(case, make_hold())
    erasing = [move for move, state in TRANSITIONS.items() if state is State.ERASED]
    for number, (state, event) in enumerate(erasing):
        upload = case.ledger.save(make_upload(number, state=state))
        with pytest.raises(UnderHold):
            case.ledger.save(upload.moved(event, NOON, leftover=Leftover.EVERYTHING))
    # Several moves in one save, as when an unfinished upload is deleted.
    upload = case.ledger.save(make_upload(99, expires_at=NOON)).moved(Event.GAVE_UP, NOON)
    with pytest.raises(UnderHold):
        case.ledger.save(upload.moved(Event.DELETED, NOON))
    assert list(case.ledger.with_leftovers(NOON, 10)) == []


def test_the_last_of_several_holds_counts(case: LedgerCase) -> None:
    """What is held twice goes when both holds are lifted."""
    upload = released(case)
    holds = [place(case, make_hold(1)), place(case, make_hold(2, meeting_id="m1"))]
    assert list(case.holds.covering("acme", "m1", upload.id)) == holds
    lift(case, holds[0])
    with pytest.raises(UnderHold):
        case.ledger.save(erased(upload))
    lift(case, holds[1])
    case.ledger.save(erased(upload))


@pytest.mark.parametrize(("event", "state"), [(Event.GAVE_UP, "abandoned"), (Event.REFUSED, "refused")])
def test_bytes_that_were_taken_in_stay(case: LedgerCase, event: Event, state: str) -> None:
    """An upload that ends short of a file ends all the same, but nothing of it is left over to be deleted."""
    begun = case.ledger.save(make_upload(1, segments=(SEGMENT,), expires_at=NOON))
    other = case.ledger.save(make_upload(2, expires_at=NOON))
    place(case, make_hold())
    ended = case.ledger.save(begun.moved(event, NOON, leftover=Leftover.EVERYTHING))
    assert (ended.state, ended.leftover) == (state, Leftover.NOTHING)
    assert case.ledger.find(begun.id) == ended
    # Nothing was taken in of this one.
    without = case.ledger.save(other.moved(event, NOON, leftover=Leftover.EVERYTHING))
    assert list(case.ledger.with_leftovers(NOON, 10)) == [without]


def test_other_moves_go_on(case: LedgerCase) -> None:
    """A hold keeps what is there; it stops no scan, no release and no recall."""
    upload = case.ledger.save(make_upload(1, state=State.CLEARED, size=5))
    place(case, make_hold())
    upload = case.ledger.save(upload.moved(Event.COPIED_OUT, NOON, leftover=Leftover.QUARANTINE))
    assert upload.leftover is Leftover.QUARANTINE
    assert case.ledger.save(upload.moved(Event.RECALLED, NOON)).state is State.BLOCKED


def test_whether_anything_is_held_within(case: LedgerCase) -> None:
    """In an account: any hold counts. In a meeting: its own, its uploads' and its account's."""
    upload = released(case)
    assert not case.holds.within("acme")
    hold = place(case, make_hold(meeting_id="m1", upload_id=upload.id))
    assert [case.holds.within(*asked) for asked in (("acme",), ("acme", "m1"), ("acme", "m2"))] == [
        True,
        True,
        False,
    ]
    assert not case.holds.within("other")
    place(case, make_hold(2))
    assert case.holds.within("acme", "m2")
    lift(case, make_hold(2))
    lift(case, hold)
    assert not case.holds.within("acme")


def test_who_had_access_is_kept_too(case: LedgerCase) -> None:
    """Grants in a meeting where something is held are not forgotten until it is not."""
    for name, meeting in (("gt_1", "m1"), ("gt_2", "m2")):
        case.credentials.keep_grant(a_grant(name, meeting_id=meeting), NOON)
    hold = place(case, make_hold(meeting_id="m1"))
    case.credentials.forget_grants(NOON + 9 * SECOND)
    assert case.credentials.grant("acme", "gt_1")
    assert case.credentials.grant("acme", "gt_2") is None
    lift(case, hold)
    case.credentials.forget_grants(NOON + 9 * SECOND)
    assert case.credentials.grant("acme", "gt_1") is None


def test_holds_and_deletions_have_an_order(case: LedgerCase) -> None:
    """With both under way at once, no upload is erased after the hold was placed."""
    uploads = {number: released(case, number) for number in range(1, 9)}
    before: list[int] = []

    def gone() -> list[int]:
        rows = {number: case.ledger.find(upload.id) for number, upload in uploads.items()}
        return [number for number, row in rows.items() if row and row.state is State.ERASED]

    def run(number: int) -> bool:
        if number == 0:
            place(case, make_hold())
            before.extend(gone())
            return True
        try:
            case.ledger.save(erased(uploads[number]))
        except (UnderHold, Conflict):
            return False
        return True

    at_once(9, run)
    assert before == gone()


def test_an_upload_is_held_or_erased(case: LedgerCase) -> None:
    """Of a hold on one upload and its deletion at once, one comes first and the other is told."""
    for number in range(1, 9):
        upload = released(case, number)

        def run(which: int, upload: Upload = upload, number: int = number) -> bool:
            try:
                if which:
                    place(case, make_hold(number, meeting_id="m1", upload_id=upload.id))
                else:
                    case.ledger.save(erased(upload))
            except (UnderHold, Gone):
                return False
            return True

        assert sorted(at_once(2, run)) == [False, True]
