"""``ports.Exports`` and what exports are made of: the same laws for the fake, SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.adapters.sql_exports import SqlExports
from service.core.errors import Conflict
from service.core.export import Export, Phase
from service.core.grant import Grant, GrantKind
from service.core.journal import Act, Entry
from service.core.upload import Event, Leftover, Segment, State
from service.ports import Exports
from tests.contract.conftest import NOON, LedgerCase, make_upload
from tests.contract.test_ledger_races import at_once
from tests.core.exports import make_export
from tests.fakes.exports import FakeExports
from tests.fakes.faults import Faults
from tests.fakes.journal import FakeJournal
from tests.fakes.ledger import FakeLedger

LINE = Entry(NOON, Act.EXPORT_ASKED.value, {"export": "ex_1"}, "key:gr_1", account_id="acme")
LEASE = NOON + timedelta(minutes=1)
LATER = NOON + timedelta(minutes=2)


@pytest.fixture
def exports(ledger_case: LedgerCase) -> Exports:
    """Each of them in turn, empty."""
    if ledger_case.engine is not None:
        return SqlExports(ledger_case.engine)
    ledger, journal = ledger_case.ledger, ledger_case.journal
    assert isinstance(ledger, FakeLedger)
    assert isinstance(journal, FakeJournal)
    return FakeExports(Faults(), journal, ledger.rows)


def lines(case: LedgerCase) -> list[str]:
    """Return what stands in the log."""
    return [waiting.entry.event for waiting in case.journal.waiting(100)]


def ready(exports: Exports, number: int, uploads: list[str], **changes: object) -> Export:
    """Ask for an export and finish it."""
    exports.ask(make_export(number), LINE)
    building = exports.claim(NOON, LEASE)
    assert building is not None
    over = {"phase": Phase.READY, "ready_at": NOON, "expires_at": LATER, "lease_until": None}
    return exports.finish(replace(building, **(over | changes)), uploads, LINE)  # type: ignore[arg-type]


def test_what_is_saved_is_what_is_found(exports: Exports) -> None:
    """Every field comes back as it went in."""
    asked = exports.ask(make_export(1, person="ann|7", region="eu"), LINE)
    full = replace(
        asked,
        phase=Phase.READY,
        attempts=3,
        lease_until=NOON,
        done=5,
        total=7,
        content_key=b"\0sealed",
        segments=(Segment(0, "ex_1/a", 64 << 20, "a" * 64, "etag"), Segment(1, "ex_1/b", 1, "b" * 64, "e2")),
        size=3 << 30,
        sha256="f" * 64,
        ready_at=NOON,
        expires_at=LATER,
        taken_at=LATER,
        leftover=Leftover.QUARANTINE,
        sweep_at=LEASE,
    )
    saved = exports.save(full)
    assert saved == replace(full, version=asked.version + 1)
    assert exports.find(full.id) == saved
    assert exports.find("ex_none") is None


def test_one_that_is_on_its_way_is_not_asked_for_again(exports: Exports, ledger_case: LedgerCase) -> None:
    """The same account and person get the one they wait for, with no second line; others get their own."""
    first = exports.ask(make_export(1), LINE)
    assert exports.ask(make_export(2), LINE) == first
    ann = exports.ask(make_export(3, person="ann"), LINE)
    assert exports.ask(make_export(4, person="ann"), LINE) == ann
    assert exports.ask(make_export(5, person="ben"), LINE).id == make_export(5).id
    assert exports.ask(make_export(6, account_id="other"), LINE).account_id == "other"
    assert len(lines(ledger_case)) == 4
    building = exports.claim(NOON, LEASE)
    assert building is not None
    assert exports.ask(make_export(7), LINE) == building
    exports.save(replace(building, phase=Phase.READY))
    assert exports.ask(make_export(8), LINE).id == make_export(8).id


def test_of_many_who_ask_at_once_all_get_one(exports: Exports) -> None:
    """Two threads that ask for the same: one export."""
    assert all(at_once(4, lambda number: exports.ask(make_export(number + 1), LINE).version == 1))
    assert len(exports.of("acme")) == 1


def test_each_is_built_by_one_until_its_lease_runs_out(exports: Exports) -> None:
    """In their order, those with fewer attempts first; of one that nobody builds any more, anew."""
    assert exports.claim(NOON, LEASE) is None
    for number, person in ((1, "ann"), (2, "ben")):
        exports.ask(make_export(number, person=person), LINE)
    first, second = exports.claim(NOON, LEASE), exports.claim(NOON, LATER)
    assert first is not None
    assert second is not None
    assert (first.person, second.person) == ("ann", "ben")
    assert (first.phase, first.attempts, first.lease_until) == (Phase.BUILDING, 1, LEASE)
    assert exports.claim(NOON, LATER) is None
    again = exports.claim(LEASE, LATER)
    assert again is not None
    assert (again.id, again.attempts) == (first.id, 2)
    with pytest.raises(Conflict):
        exports.renew(first, LATER, 1, 2)
    with pytest.raises(Conflict):
        exports.finish(first, [], LINE)
    exports.renew(again, LATER + timedelta(1), 1, 2)
    known = exports.find(again.id)
    assert known == replace(again, lease_until=LATER + timedelta(1), done=1, total=2)
    assert exports.claim(LATER, LATER) == replace(second, attempts=2, version=second.version + 1)


def test_of_many_workers_one_builds(exports: Exports) -> None:
    """Threads that claim at once: one has it, the others have nothing."""
    exports.ask(make_export(1), LINE)
    assert sum(at_once(4, lambda _: exports.claim(NOON, LEASE) is not None)) == 1


def test_a_save_of_what_was_changed_changes_nothing(exports: Exports, ledger_case: LedgerCase) -> None:
    """Compare-and-swap, with its line or without."""
    asked = exports.ask(make_export(1), LINE)
    exports.save(asked)
    with pytest.raises(Conflict):
        exports.save(replace(asked, phase=Phase.EXPIRED), LINE)
    assert [one.phase for one in exports.of("acme")] == [Phase.QUEUED]
    assert lines(ledger_case) == ["export_asked"]


def test_what_is_not_released_is_in_no_export(exports: Exports, ledger_case: LedgerCase) -> None:
    """An export is not finished with a file that is not released by then, and is spoiled by one that is not
    any more.
    """
    ledger = ledger_case.ledger
    for number, state in ((1, State.RELEASED), (2, State.RELEASED), (3, State.HELD)):
        ledger.save(make_upload(number, state=state))
    ids = [make_upload(number).id for number in (1, 2, 3)]
    exports.ask(make_export(1), LINE)
    building = exports.claim(NOON, LEASE)
    assert building is not None
    done = replace(building, phase=Phase.READY)
    with pytest.raises(Conflict):
        exports.finish(done, ids, LINE)
    assert exports.find(done.id) == building
    saved = exports.finish(done, ids[:2], LINE)
    assert exports.spoiled(10) == exports.spoiled(1, saved.id) == []
    upload = ledger.find(ids[1])
    assert upload is not None
    ledger.save(upload.moved(Event.RECALLED, NOON))
    assert exports.spoiled(10) == exports.spoiled(1, saved.id) == [saved]
    assert exports.spoiled(10, "ex_other") == exports.spoiled(0) == []
    exports.save(replace(saved, phase=Phase.EXPIRED))
    assert exports.spoiled(10) == []


def test_what_is_over_and_what_must_go_is_found(exports: Exports) -> None:
    """READY ones whose time is over, and those with objects to delete that are due and not being built."""
    first = ready(exports, 1, [], leftover=Leftover.QUARANTINE)
    second = ready(exports, 2, [], expires_at=LATER + timedelta(1), leftover=Leftover.NOTHING)
    third = exports.ask(make_export(3), LINE)
    third = exports.save(replace(third, leftover=Leftover.EVERYTHING))
    assert exports.expired(LEASE, 10) == []
    assert exports.expired(LATER, 10) == [first]
    assert exports.expired(LATER, 0) == []
    assert exports.with_leftovers(NOON, 10) == [first]
    over = exports.save(replace(third, phase=Phase.EXPIRED, sweep_at=LATER))
    assert exports.with_leftovers(LEASE, 10) == [first]
    assert exports.with_leftovers(LATER, 10) == [first, over]
    assert exports.find(second.id) == second


def test_exports_are_found_by_whom_they_are_of(exports: Exports) -> None:
    """All of an account's, or one person's; people's requests newest first, page by page."""
    made = [
        exports.ask(make_export(number, account_id=account, person=person), LINE)
        for number, (account, person) in enumerate(
            [("acme", None), ("acme", "ann"), ("other", "ann"), ("acme", "ben")], start=1
        )
    ]
    assert exports.of("acme") == [made[0], made[1], made[3]]
    assert exports.of("acme", "ann") == [made[1]]
    assert exports.requests(None, 10) == [made[3], made[2], made[1]]
    assert exports.requests(made[3].id, 1) == [made[2]]


def test_old_ones_are_forgotten(exports: Exports, ledger_case: LedgerCase) -> None:
    """Only those that expired before then and have nothing in the store any more."""
    upload = ledger_case.ledger.save(make_upload(1, state=State.RELEASED))
    kept = ready(exports, 1, [upload.id])
    gone, left = ready(exports, 2, [upload.id]), ready(exports, 3, [])
    exports.save(replace(gone, phase=Phase.EXPIRED))
    left = exports.save(replace(left, phase=Phase.EXPIRED, leftover=Leftover.EVERYTHING))
    exports.forget(LATER)
    assert len(exports.of("acme")) == 3
    exports.forget(LATER + timedelta(1))
    assert exports.of("acme") == [kept, left]


def test_what_belongs_to_whom(ledger_case: LedgerCase) -> None:
    """Uploads of an account or of one of its people, by id and whatever their state, page by page."""
    ledger = ledger_case.ledger
    for number, (account, person, state) in enumerate(
        [
            ("acme", "ann", State.RELEASED),
            ("other", "ann", State.RELEASED),
            ("acme", None, State.HELD),
            ("acme", "ann", State.REFUSED),
            ("acme", "Ann", State.RELEASED),
        ],
        start=1,
    ):
        ledger.save(make_upload(number, account_id=account, person=person, state=state))
    ids = [make_upload(number).id for number in range(6)]

    def found(account: str, person: str | None, after: str = "", limit: int = 10) -> list[int]:
        return [ids.index(one.id) for one in ledger.belonging(account, person, after, limit)]

    assert found("acme", None) == [1, 3, 4, 5]
    assert found("acme", "ann") == [1, 4]
    assert found("other", "ann") == [2]
    assert found("acme", "ann", ids[1]) == [4]
    assert found("acme", None, ids[1], 2) == [3, 4]
    assert [ledger.count("acme", None), ledger.count("acme", "ann"), ledger.count("acme", "zoe")] == [4, 2, 0]


def test_grants_of_an_account_and_of_a_person(ledger_case: LedgerCase) -> None:
    """In the order in which they were stored, with what was sent under each."""
    credentials = ledger_case.credentials
    for number, (account, person) in enumerate([("acme", "ann"), ("other", "ann"), ("acme", None)]):
        grant = Grant(f"gt_{number}", account, GrantKind.UPLOAD, "m1", NOON, LATER, person=person)
        credentials.keep_grant(grant, NOON + timedelta(seconds=-number))
    ledger_case.ledger.save(make_upload(1, grant_id="gt_0", size=7, state=State.RELEASED))
    assert [known.grant.id for known in credentials.grants_of("acme", None)] == ["gt_2", "gt_0"]
    (known,) = credentials.grants_of("acme", "ann")
    assert (known.grant.id, known.files, known.bytes) == ("gt_0", 1, 7)


def test_downloads_by_some(ledger_case: LedgerCase) -> None:
    """The newest of one account's by these actors, oldest first, and nothing else that they did."""
    upload = ledger_case.ledger.save(make_upload(1))
    journal = ledger_case.journal

    def line(second: int, actor: str, act: Act = Act.DOWNLOADED, account: str = "acme") -> Entry:
        at = NOON + timedelta(seconds=second)
        return Entry(at, act.value, {}, actor, upload.id, account, "m1")

    told = [line(1, "grant:a"), line(2, "grant:b"), line(3, "grant:a"), line(4, "grant:c")]
    journal.append([*told, line(5, "grant:a", Act.RECEIPT_TAKEN), line(6, "grant:a", account="other")])
    assert journal.downloads("acme", ["grant:a", "grant:b"], 10) == told[:3]
    assert journal.downloads("acme", ["grant:a", "grant:b"], 2) == told[1:3]
    assert journal.downloads("acme", [], 10) == []
