"""The way of one upload in one pass."""

import hashlib

import pytest

from service.core.canary import EICAR, quick_canaries
from service.core.errors import LedgerUnavailable, StoreUnavailable
from service.core.outcome import Failed, Failure
from service.core.upload import Event, Leftover, State
from service.core.verdict import Kind, Protection
from service.stages.receive import SEGMENT_SIZE
from tests.fakes.faults import Moment
from tests.fakes.scanner import BROKEN, MACROS
from tests.stages.world import PDF, Scripted, World, deck, policy

ZIPPED, ENCRYPTED, NESTED = (b"".join(canary.pieces) for canary in quick_canaries()[1:4])


def test_a_clean_upload_costs_three_commits(world: World) -> None:
    """RECEIVING; stored, scanned and cleared at once; RELEASED: three transactions."""
    upload = world.upload(PDF)
    assert upload.state is State.RELEASED
    assert world.faults.count("ledger.save") == upload.version == 3
    assert world.faults.count("ledger.swept") == 0
    assert world.events() == [Event.STORED, Event.SCAN_BEGUN, Event.FOUND_CLEAN, Event.COPIED_OUT]
    assert world.row() == upload


@pytest.mark.parametrize(
    "content",
    [b"", b"x", PDF, deck(), b" " * SEGMENT_SIZE, b" " * SEGMENT_SIZE + b"x"],
    ids=["empty", "one byte", "pdf", "package", "one whole segment", "two segments"],
)
def test_what_is_released_is_what_was_received_and_scanned(world: World, content: bytes) -> None:
    """Received = scanned = stored = released, byte for byte, with the digests that say so."""
    name = {b"%PDF": "a.pdf", b"PK\x03\x04": "a.pptx"}.get(content[:4], "a.txt")
    upload = world.upload(content, name)
    assert upload.state is State.RELEASED
    assert world.content(upload) == content == b"".join(world.scanner.scanned)
    assert upload.sha256 == hashlib.sha256(content).hexdigest()
    assert upload.size == len(content) == sum(segment.size for segment in upload.segments)
    assert [s.sha256 for s in upload.segments] == [
        hashlib.sha256(content[at : at + SEGMENT_SIZE]).hexdigest()
        for at in range(0, len(content), SEGMENT_SIZE)
    ]
    assert upload.verdict
    assert (upload.verdict.sha256, upload.verdict.size) == (upload.sha256, upload.size)
    world.settle()
    assert world.broken_laws() == []


def test_an_unannounced_length_is_read_to_its_end(world: World) -> None:
    """A chunked body ends where it ends, and short reads change nothing."""
    upload = world.upload(Scripted(PDF, step=1000))
    assert world.content(upload) == PDF


def test_eicar_is_blocked_and_stays_in_quarantine(world: World) -> None:
    """Infected content is never copied out; its bytes stay for the security team."""
    upload = world.upload(EICAR, "notes.txt")
    assert (upload.state, upload.reason, upload.leftover) == (State.BLOCKED, "infected", Leftover.NOTHING)
    assert upload.verdict
    assert (upload.verdict.kind, upload.verdict.signature) == (Kind.INFECTED, "Eicar-Test-Signature")
    assert len(world.store.quarantined) == 1
    assert world.store.released == {}


@pytest.mark.parametrize(
    ("content", "name", "kind", "reason"),
    [
        (ENCRYPTED, "a.zip", Kind.UNSCANNABLE, "encrypted"),
        (NESTED, "a.zip", Kind.UNSCANNABLE, "limits_exceeded"),
        (b"%PDF-1.7 " + BROKEN, "a.pdf", Kind.MALFORMED, "malformed"),
        (b"%PDF-1.7 " + MACROS, "a.pdf", Kind.SUSPICIOUS, "suspicious"),
    ],
)
def test_what_could_not_be_looked_into_is_held(content: bytes, name: str, kind: Kind, reason: str) -> None:
    """Neither clean nor infected: held with its reason, never copied out."""
    world = World(policy=policy("zip"))
    upload = world.upload(content, name)
    assert (upload.state, upload.reason) == (State.HELD, reason)
    assert upload.verdict
    assert upload.verdict.kind is kind
    assert world.store.released == {}


def test_eicar_in_a_package_outweighs_the_look_into_the_package() -> None:
    """A zip that hides EICAR is blocked."""
    world = World(policy=policy("zip"))
    assert world.upload(ZIPPED, "a.zip").state is State.BLOCKED


def test_a_long_scan_is_shown_as_scanning_and_its_result_still_reaches_the_sender(world: World) -> None:
    """Where the scan outlasts a second the content and SCANNING are durable while the sender waits."""
    seen: list[State] = []
    world.scanner.takes = 5.0
    world.faults.arm("scanner.outcome", 2, Moment.BEFORE, lambda: seen.append(world.row().state))
    upload = world.upload(PDF, patience=30)
    assert seen == [State.SCANNING]
    assert (upload.state, world.faults.count("ledger.save")) == (State.RELEASED, 4)


def test_a_scan_longer_than_the_sender_s_patience_is_handed_over(world: World) -> None:
    """The sender learns that the file is safe, a job is queued, no attempt is spent, the worker ends it."""
    world.scanner.takes = 60.0
    upload = world.upload(PDF, patience=2)
    assert (upload.state, upload.attempts) == (State.QUARANTINED, 0)
    assert [job.subject for _, job in world.queue.jobs] == [upload.id]
    world.settle()
    assert world.row().state is State.RELEASED
    assert world.broken_laws() == []


@pytest.mark.parametrize("moment", list(Moment))
def test_a_verdict_that_cannot_be_saved_does_not_fail_a_sender_whose_file_is_safe(
    world: World, moment: Moment
) -> None:
    """After a long scan the content is durable as SCANNING: the sender is told so, and the worker ends it."""
    world.scanner.takes = 5.0
    world.faults.fail("ledger.save", 3, moment, LedgerUnavailable("away"))
    upload = world.upload(PDF, patience=30)
    assert upload.state is State.SCANNING
    world.settle()
    assert world.row().state is State.RELEASED
    assert world.broken_laws() == []


def test_the_log_holds_every_move_once_and_never_the_name(world: World) -> None:
    """Each durable move is one line of the log, and none is written as text beside it."""
    world.upload(PDF, "salaries of the board.pdf")
    assert [entry.event for entry in world.journal.entries] == [event.value for event in world.events()]
    assert "salaries" not in repr(world.journal.entries)
    assert all(entry.upload_id == world.row().id for entry in world.journal.entries)
    assert world.log.lines == []


def test_a_release_that_fails_does_not_fail_the_sender(world: World) -> None:
    """Once cleared, the file is safe: the sender is told so and the worker releases it later."""
    world.faults.take_away("store.release", StoreUnavailable("away"))
    upload = world.upload(PDF, patience=0)
    assert upload.state is State.CLEARED
    world.faults.give_back("store.release")
    world.settle()
    assert world.row().state is State.RELEASED
    assert world.broken_laws() == []


def test_content_that_changed_between_scan_and_copy_is_held(world: World) -> None:
    """Overwriting the quarantined object before the copy releases nothing."""

    def overwrite() -> None:
        (key,) = world.store.quarantined
        world.store.quarantined[key] = PDF[::-1]

    world.faults.arm("store.release", 1, Moment.BEFORE, overwrite)
    upload = world.upload(PDF)
    assert (upload.state, upload.reason) == (State.HELD, "content_lost")
    assert world.store.released == {}


@pytest.mark.parametrize("failure", list(Failure))
def test_no_failure_of_a_scan_clears_anything(world: World, failure: Failure) -> None:
    """Whatever the scanner's failure, the content waits in quarantine."""
    world.scanner.script.append(Failed(failure, "scripted"))
    upload = world.upload(PDF, patience=0)
    assert upload.state is State.QUARANTINED
    assert upload.verdict is None
    assert world.store.released == {}


def test_under_demo_signatures_the_verdict_s_line_says_what_they_are_worth() -> None:
    """Whoever reads the log alone must not take a demo verdict for protection."""
    world = World(protection=Protection.DEMO)
    world.upload(PDF)
    notices = {entry.event: entry.detail.get("notice") for entry in world.journal.entries}
    assert notices["found_clean"] == "demo signatures: not protection"
