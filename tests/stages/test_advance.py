"""The background worker's steps: twice, at once, after a crash, and on content that changed meanwhile."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import pytest

from service.core.errors import Conflict, ContentLost, GreenroomError, ScannerUnavailable, StoreUnavailable
from service.core.outcome import Clean, Infected, Outcome
from service.core.upload import Event, State, Upload
from service.jobs.reconcile import reconcile
from service.stages.advance import advance, recover
from service.stages.heartbeat import LEASE
from service.stages.judge import MOST_ATTEMPTS
from service.stages.receive import SEGMENT_SIZE
from tests.fakes.faults import Crash, Moment
from tests.stages.world import PDF, World, deck

AWAY: Final = ScannerUnavailable("away")


def waiting(world: World, content: bytes = PDF, name: str = "deck.pdf") -> Upload:
    """Return an upload that waits in quarantine because the scanner was away while it came."""
    world.faults.take_away("scanner", AWAY)
    upload = world.upload(content, name, patience=0)
    world.faults.give_back("scanner")
    assert upload.state is State.QUARANTINED
    return upload


def cleared(world: World) -> Upload:
    """Return an upload that was cleared and whose process was then killed, its lease run out."""
    world.faults.kill("store.release", 1, Moment.BEFORE)
    with pytest.raises(Crash):
        world.upload(PDF)
    world.faults.revive()
    world.clock.advance(21)
    return world.row()


def test_a_waiting_upload_is_scanned_and_released(world: World) -> None:
    """Three more transactions: SCANNING, CLEARED, RELEASED."""
    upload = waiting(world)
    done = advance(world.parts, upload.id)
    assert done
    assert (done.state, done.version) == (State.RELEASED, upload.version + 3)
    assert world.content(done) == PDF


@pytest.mark.parametrize("times", [2, 5])
def test_advancing_often_releases_once(world: World, times: int) -> None:
    """A job that is delivered several times has the effect of one."""
    upload = waiting(world)
    for _ in range(times):
        advance(world.parts, upload.id)
    assert world.events().count(Event.COPIED_OUT) == 1
    assert world.events().count(Event.FOUND_CLEAN) == 1
    assert advance(world.parts, "up_unknown") is None


def test_advancing_at_once_in_many_threads_releases_once(world: World) -> None:
    """Compare-and-swap lets one win; the others raise Conflict or find nothing to do."""
    upload = waiting(world)
    barrier = threading.Barrier(4)

    def job() -> bool:
        barrier.wait(10)
        try:
            advance(world.parts, upload.id)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(job) for _ in range(4)]
    assert any(future.result() for future in jobs)
    assert world.events().count(Event.FOUND_CLEAN) == world.events().count(Event.COPIED_OUT) == 1
    assert world.row().state is State.RELEASED


@pytest.mark.parametrize("moment", list(Moment))
def test_another_worker_may_overtake_in_the_middle_of_a_release(world: World, moment: Moment) -> None:
    """The slow one conflicts and changes nothing, also when the quarantine was swept under its hands."""
    upload = cleared(world)

    def overtake() -> None:
        advance(world.parts, upload.id)
        reconcile(world.parts, world.queue)

    world.faults.arm("store.release", 1, moment, overtake)
    with pytest.raises(Conflict):
        advance(world.parts, upload.id)
    assert world.events().count(Event.COPIED_OUT) == 1
    assert (world.row().state, world.content(world.row())) == (State.RELEASED, PDF)
    world.settle()
    assert world.broken_laws() == []


def test_an_upload_in_other_hands_is_left_alone(world: World) -> None:
    """While a lease lives, another worker changes nothing."""
    upload = cleared(world)
    held = world.ledger.save(replace(upload, lease_until=world.clock.now() + LEASE))
    assert advance(world.parts, held.id) == held
    assert world.store.released == {}


def test_a_crash_after_clearing_is_made_good_within_30_seconds(world: World) -> None:
    """The lease of a cleared upload is short: its release is done soon after its process died."""
    world.faults.kill("store.release", 1, Moment.BEFORE)
    with pytest.raises(Crash):
        world.upload(PDF)
    world.faults.revive()
    died = world.clock.now()
    while world.row().state is not State.RELEASED:
        world.clock.advance(1)
        world.work()
    assert (world.clock.now() - died).total_seconds() <= 30


def test_a_crash_while_scanning_is_made_good_within_30_seconds(world: World) -> None:
    """SCANNING goes back to quarantine with one attempt spent, and is scanned again."""
    upload = waiting(world)
    world.faults.kill("scanner.outcome", 1, Moment.BEFORE)
    with pytest.raises(Crash):
        advance(world.parts, upload.id)
    world.faults.revive()
    died = world.clock.now()
    assert world.row().state is State.SCANNING
    while world.row().state is not State.RELEASED:
        world.clock.advance(1)
        world.work()
    assert (world.clock.now() - died).total_seconds() <= 30
    assert world.row().attempts == 1


def test_a_content_that_fells_every_process_is_held(world: World) -> None:
    """Each crash spends an attempt, so that one file cannot fell the workers for ever."""
    upload = waiting(world)
    for _ in range(MOST_ATTEMPTS):
        world.report_canaries()
        world.faults.kill("scanner.outcome", 1, Moment.BEFORE)
        with pytest.raises(Crash):
            advance(world.parts, upload.id)
        world.faults.revive()
        world.clock.advance(21)
        recover(world.parts, world.row())
        world.clock.advance(60)
    assert (world.row().state, world.row().reason) == (State.HELD, "scan_exhausted")
    assert world.store.released == {}


def test_recovering_twice_is_recovering_once(world: World) -> None:
    """Two reconcilers that see the same silent upload: one of them conflicts."""
    world.faults.kill("store.put", 1, Moment.BEFORE)
    with pytest.raises(Crash):
        world.upload(PDF)
    world.faults.revive()
    world.clock.advance(21)
    silent = world.row()
    assert recover(world.parts, silent).state is State.ABANDONED
    with pytest.raises(Conflict):
        recover(world.parts, silent)
    assert world.events() == [Event.GAVE_UP]


def test_every_job_may_be_lost(world: World) -> None:
    """The truth is in the ledger: a queue that forgets everything delays an upload and no more."""
    waiting(world)
    world.queue.jobs.clear()
    world.settle()
    assert world.row().state is State.RELEASED


Damage = Callable[[World, str], None]
DAMAGES: Final[dict[str, Damage]] = {
    "changed": lambda w, key: w.store.quarantined.update({key: PDF[::-1]}),
    "cut": lambda w, key: w.store.quarantined.update({key: PDF[:-1]}),
    "gone": lambda w, key: w.store.quarantined.__delitem__(key),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_stored_content_that_is_not_what_was_received_is_held(world: World, damage: str) -> None:
    """Read back for the scan, the bytes must have the digest of those received; a clean scan of others
    clears nothing."""
    upload = waiting(world)
    (key,) = world.store.quarantined
    DAMAGES[damage](world, key)
    done = advance(world.parts, upload.id)
    assert done
    assert (done.state, done.reason) == (State.HELD, "content_lost")
    assert Event.FOUND_CLEAN not in world.events()
    assert world.store.released == {}


@pytest.mark.parametrize("operation", ["scanner.feed", "scanner.finish"])
def test_what_a_scanner_says_of_half_a_content_is_no_answer(world: World, operation: str) -> None:
    """A scanner that stopped taking bytes and then says clean, or infected, has not seen them all."""
    lies: tuple[Outcome, ...] = (Clean(), Infected("Half.A.File"))
    for number, lie in enumerate(lies):
        world.clock.advance(1)
        upload = waiting(world)
        world.scanner.last_words = lie
        world.faults.fail(operation, 1, Moment.BEFORE, AWAY)
        done = advance(world.parts, upload.id)
        assert done
        assert (done.state, done.attempts) == (State.QUARANTINED, 1)
        assert len(world.ledger.rows()) == number + 1


def test_one_lost_segment_of_two_is_held_and_leaves_nothing_released(world: World) -> None:
    """Half a content is no content: the copies of its other segments go too."""

    def lose() -> None:
        world.store.quarantined.pop(world.row().segments[1].key)

    world.faults.arm("store.release", 1, Moment.BEFORE, lose)
    upload = world.upload(b" " * (SEGMENT_SIZE + 1), "a.txt")
    assert (upload.state, upload.reason) == (State.HELD, "content_lost")
    world.settle()
    assert world.store.released == {}
    assert world.broken_laws() == []


def test_a_package_that_no_longer_is_what_it_was_is_held(world: World) -> None:
    """The look into the package is repeated with the scan; a mismatch outweighs a clean answer."""
    upload = waiting(world, deck(), "deck.pptx")
    renamed = world.ledger.save(replace(upload, name="deck.docx"))
    done = advance(world.parts, renamed.id)
    assert done
    assert (done.state, done.reason) == (State.HELD, "malformed")
    assert done.verdict
    assert done.verdict.signature == "Greenroom.Package.Mismatch"
    assert world.store.released == {}


def test_a_store_that_is_away_spends_no_attempt(world: World) -> None:
    """An outage of the store says nothing about the content: it is waited out."""
    upload = waiting(world)
    world.faults.take_away("store", StoreUnavailable("away"))
    for _ in range(MOST_ATTEMPTS * 20):
        world.clock.advance(5)
        world.work()
    assert (world.row().state, world.row().attempts) == (State.QUARANTINED, 0)
    world.faults.give_back("store")
    world.settle()
    assert world.row().state is State.RELEASED
    assert world.row().id == upload.id


PACKAGE_FAULTS: Final[dict[str, tuple[GreenroomError, State]]] = {
    "store away": (StoreUnavailable("away"), State.ABANDONED),
    "content lost": (ContentLost("gone"), State.ABANDONED),
}


@pytest.mark.parametrize("case", PACKAGE_FAULTS)
@pytest.mark.parametrize("operation", ["store.read_quarantined", "store.read"])
def test_a_package_that_cannot_be_read_at_the_door_is_not_called_damaged(
    world: World, operation: str, case: str
) -> None:
    """The store's failure in the middle of the look passes through as what it is; nothing is kept."""
    error, state = PACKAGE_FAULTS[case]
    world.faults.fail(operation, 1, Moment.BEFORE, error)
    with pytest.raises(type(error)):
        world.upload(deck(), "deck.pptx")
    assert world.row().state is state
    world.settle()
    assert world.keys() == set()
    assert world.broken_laws() == []
