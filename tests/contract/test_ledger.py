"""``ports.Ledger``: the same laws for the fake, SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import text

from service.core.errors import Conflict, LedgerUnavailable
from service.core.outcome import Engine
from service.core.upload import Event, Leftover, LogLine, Segment, State, Upload
from service.core.verdict import Kind, Protection, Verdict
from service.ports import Ledger, advancing
from tests.contract.conftest import NOON, LedgerCase, make_upload

ENGINE: Final = Engine("1.4.6", 27826, NOON)
SECOND: Final = timedelta(seconds=1)


@pytest.fixture
def ledger(ledger_case: LedgerCase) -> Ledger:
    """The ledger of each case."""
    return ledger_case.ledger


def a_segment(upload: Upload, number: int) -> Segment:
    """Return one segment of an upload."""
    return Segment(number, f"{upload.id}/{number:032x}", 64 << 20, f"{number:064x}", f"etag-{number}")


def stored(upload: Upload, segments: int = 2) -> Upload:
    """Return an upload after its bytes came in, log line unsaved."""
    pieces = tuple(a_segment(upload, number) for number in range(segments))
    size = sum(piece.size for piece in pieces)
    return upload.moved(Event.STORED, NOON, {"size": size}, size=size, sha256="f" * 64, segments=pieces)


def whole_truth(ledger: Ledger, upload_id: str) -> tuple[Upload | None, list[LogLine]]:
    """Return all that the ledger says of an upload."""
    return ledger.find(upload_id), list(ledger.history(upload_id))


def test_what_is_saved_is_what_is_found(ledger: Ledger) -> None:
    """Every field comes back as it went in: text, sizes over 2^31, times to the microsecond in UTC."""
    verdict = Verdict(
        Kind.INFECTED, "infected", "Eicar", "f" * 64, 3 << 30, ENGINE, Protection.DEMO, "e" * 64, 0.25, NOON
    )
    upload = stored(ledger.save(make_upload(1)), segments=48)
    upload = replace(
        upload,
        verdict=verdict,
        reason="infected",
        attempts=3,
        due_at=NOON + SECOND,
        lease_until=NOON + 2 * SECOND,
        leftover=Leftover.COPIES,
        reserved=4 << 30,
        expires_at=NOON + 3 * SECOND,
        waiting_since=NOON + 4 * SECOND,
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
    saved = ledger.save(upload)
    assert saved == replace(upload, version=2)
    assert saved.unsaved == ()
    assert ledger.find(upload.id) == saved
    assert ledger.find("up_unknown") is None


def test_pieces_are_added_while_an_upload_arrives(ledger: Ledger) -> None:
    """Each save adds the segments that are new, in their order; one from a stale view adds none."""
    first = ledger.save(make_upload(1))
    second = ledger.save(replace(first, segments=(a_segment(first, 0),)))
    third = ledger.save(replace(second, segments=tuple(a_segment(first, number) for number in range(3))))
    with pytest.raises(Conflict):
        ledger.save(replace(second, segments=(*second.segments, replace(a_segment(first, 1), key="other"))))
    found = ledger.find(first.id)
    assert found == third
    assert [segment.number for segment in found.segments] == [0, 1, 2]
    assert found.offset == 3 * (64 << 20)
    assert ledger.history(first.id) == []


def test_every_move_is_one_line_in_the_order_it_was_made(ledger: Ledger) -> None:
    """Several moves saved at once are several lines; details come back as they were; none comes twice."""
    upload = stored(ledger.save(make_upload(1))).moved(Event.SCAN_BEGUN, NOON + SECOND)
    saved = ledger.save(upload)
    saved = ledger.save(saved.moved(Event.SCAN_FAILED, NOON + 2 * SECOND, {"a": "ü", "b": None, "c": 0.5}))
    assert ledger.history(saved.id) == [
        LogLine(NOON, Event.STORED, State.RECEIVING, State.QUARANTINED, {"size": 128 << 20}),
        LogLine(NOON + SECOND, Event.SCAN_BEGUN, State.QUARANTINED, State.SCANNING, {}),
        LogLine(
            NOON + 2 * SECOND,
            Event.SCAN_FAILED,
            State.SCANNING,
            State.QUARANTINED,
            {"a": "ü", "b": None, "c": 0.5},
        ),
    ]
    assert ledger.history("up_unknown") == []


def test_inserting_twice_is_a_conflict(ledger: Ledger) -> None:
    """Version 0 is inserted once; the second changes nothing, not even the log."""
    ledger.save(make_upload(1))
    truth = whole_truth(ledger, make_upload(1).id)
    with pytest.raises(Conflict):
        ledger.save(stored(make_upload(1, name="another")))
    assert whole_truth(ledger, make_upload(1).id) == truth


@pytest.mark.parametrize("version", [1, 3])
def test_a_save_of_another_version_is_a_conflict(ledger_case: LedgerCase, version: int) -> None:
    """A version behind or ahead changes nothing: no row, no segment, no line, no job."""
    ledger = ledger_case.ledger
    first = ledger.save(make_upload(1))
    ledger.save(replace(first, attempts=1))
    truth = whole_truth(ledger, first.id)
    with pytest.raises(Conflict):
        ledger.save(stored(replace(first, version=version)), wake=True)
    assert whole_truth(ledger, first.id) == truth
    assert ledger_case.jobs == []


def test_saving_what_was_never_inserted_is_a_conflict(ledger: Ledger) -> None:
    """Only version 0 makes a row."""
    with pytest.raises(Conflict):
        ledger.save(make_upload(1, version=1))
    assert ledger.find(make_upload(1).id) is None


def test_a_line_that_cannot_be_written_leaves_the_row_as_it_was(ledger: Ledger) -> None:
    """State and log line are one transaction: no move without its line."""
    first = ledger.save(make_upload(1))
    truth = whole_truth(ledger, first.id)
    unwritable: dict[str, Any] = {"not": "JSON", "because": object()}
    with pytest.raises(Exception, match="JSON"):
        ledger.save(first.moved(Event.GAVE_UP, NOON, unwritable), wake=True)
    assert whole_truth(ledger, first.id) == truth


def test_a_log_table_that_is_gone_leaves_the_row_as_it_was(sql_case: LedgerCase) -> None:
    """The same where the database itself refuses the line."""
    assert sql_case.engine
    first = sql_case.ledger.save(make_upload(1))
    with sql_case.engine.begin() as connection:
        connection.execute(text("ALTER TABLE log RENAME TO log_elsewhere"))
    try:
        with pytest.raises(LedgerUnavailable):
            sql_case.ledger.save(stored(first), wake=True)
    finally:
        with sql_case.engine.begin() as connection:
            connection.execute(text("ALTER TABLE log_elsewhere RENAME TO log"))
    assert whole_truth(sql_case.ledger, first.id) == (first, [])
    assert sql_case.jobs == []


@pytest.mark.parametrize("new", [True, False])
def test_a_job_that_cannot_be_queued_rolls_the_save_back(ledger_case: LedgerCase, *, new: bool) -> None:
    """State, line and job are one transaction: no row that nobody was told of."""
    ledger = ledger_case.ledger
    upload = make_upload(1) if new else ledger.save(make_upload(1))
    truth = whole_truth(ledger, upload.id)
    ledger_case.refuse_jobs = True
    with pytest.raises(RuntimeError, match="refuses"):
        ledger.save(stored(upload), wake=True)
    assert whole_truth(ledger, upload.id) == truth


def test_wake_queues_one_job_for_the_upload_as_saved(ledger_case: LedgerCase) -> None:
    """With ``wake`` one job, without it none."""
    saved = ledger_case.ledger.save(make_upload(1))
    assert ledger_case.jobs == []
    newest = ledger_case.ledger.save(saved, wake=True)
    assert ledger_case.jobs[0] == advancing(newest)
    assert len(ledger_case.jobs) == 1


def test_renewing_prolongs_the_lease_and_nothing_else(ledger: Ledger) -> None:
    """The holder's own next save still fits: the version stays."""
    saved = ledger.save(make_upload(1, lease_until=NOON))
    ledger.renew(saved, NOON + SECOND)
    assert ledger.find(saved.id) == replace(saved, lease_until=NOON + SECOND)
    assert ledger.save(saved).version == 2


def test_renewing_what_moved_on_is_a_conflict(ledger: Ledger) -> None:
    """A lease is prolonged only by who still holds it."""
    saved = ledger.save(make_upload(1, lease_until=NOON))
    newest = ledger.save(saved)
    with pytest.raises(Conflict):
        ledger.renew(saved, NOON + SECOND)
    with pytest.raises(Conflict):
        ledger.renew(replace(saved, id="up_unknown"), NOON + SECOND)
    assert ledger.find(saved.id) == newest


def test_unattended_honours_state_lease_and_due_time(ledger: Ledger) -> None:
    """Only what is in the states asked for, without a live lease, and due; oldest first; to the second."""
    ledger.save(make_upload(5))
    ledger.save(make_upload(4, lease_until=NOON))
    ledger.save(make_upload(3, due_at=NOON))
    ledger.save(make_upload(2, lease_until=NOON + SECOND))
    ledger.save(make_upload(1, due_at=NOON + SECOND))
    ledger.save(make_upload(0, state=State.HELD))
    found = ledger.unattended(NOON, [State.RECEIVING, State.SCANNING], 10)
    assert [upload.id for upload in found] == [make_upload(number).id for number in (3, 4, 5)]
    assert ledger.unattended(NOON, [State.RECEIVING], 2) == found[:2]
    assert len(ledger.unattended(NOON + SECOND, [State.RECEIVING], 10)) == 5
    assert ledger.unattended(NOON, [State.CLEARED], 10) == []


def test_a_page_is_newest_first_and_stays_put_while_uploads_arrive(ledger: Ledger) -> None:
    """Keyset paging: what arrives while someone turns pages shows up on no later page and moves nothing."""
    for number in range(1, 7):
        ledger.save(make_upload(number))
    first = ledger.page("acme", "m1", None, 2)
    ledger.save(make_upload(9))
    second = ledger.page("acme", "m1", first[-1].id, 2)
    third = ledger.page("acme", "m1", second[-1].id, 4)
    turned = [int(upload.id[3:], 16) for upload in (*first, *second, *third)]
    assert turned == [6, 5, 4, 3, 2, 1]
    assert ledger.page("acme", "m1", third[-1].id, 4) == []


def test_a_page_shows_its_own_account_and_meeting_alone(ledger: Ledger) -> None:
    """Another account's uploads of a meeting with the same id are not there."""
    ledger.save(stored(ledger.save(make_upload(1))))
    ledger.save(make_upload(2, meeting_id="m2"))
    ledger.save(make_upload(3, account_id="other"))
    (mine,) = ledger.page("acme", "m1", None, 10)
    assert mine == ledger.find(make_upload(1).id)
    assert len(mine.segments) == 2


def test_leftovers_are_listed_until_they_were_swept(ledger: Ledger) -> None:
    """Each kind but nothing, oldest first; sweeping changes no version and says when it was."""
    for number, leftover in enumerate(Leftover):
        ledger.save(make_upload(number, leftover=leftover))
    found = ledger.with_leftovers(NOON, 10)
    assert [upload.leftover for upload in found] == [
        kind for kind in Leftover if kind is not Leftover.NOTHING
    ]
    assert ledger.with_leftovers(NOON, 1) == found[:1]
    ledger.swept(found, NOON)
    assert ledger.with_leftovers(NOON, 10) == []
    assert ledger.find(found[0].id) == replace(found[0], leftover=Leftover.NOTHING, due_at=NOON)


def test_sweeping_skips_what_changed_since(ledger: Ledger) -> None:
    """A note about an old version must not hide what a newer one still has to lose."""
    old = ledger.save(make_upload(1, leftover=Leftover.QUARANTINE))
    newest = ledger.save(replace(old, leftover=Leftover.EVERYTHING))
    ledger.swept([old], NOON)
    assert ledger.with_leftovers(NOON, 10) == [newest]


def test_what_is_not_due_is_no_leftover_yet(ledger: Ledger) -> None:
    """A late write may still land: what is to be deleted again later is listed from then on."""
    later = ledger.save(make_upload(1, leftover=Leftover.EVERYTHING, due_at=NOON + SECOND))
    assert ledger.with_leftovers(NOON, 10) == []
    assert ledger.with_leftovers(NOON + SECOND, 10) == [later]


def test_a_ledger_with_its_tables_answers(ledger: Ledger) -> None:
    """A ping of a ledger that is there raises nothing."""
    ledger.ping()
