"""What is held or blocked is scanned again, as if it had just come in."""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.core.canary import EICAR
from service.core.errors import Busy, Conflict, NotDecidable, NotFound, ScannerUnavailable
from service.core.outcome import Clean, Failed, Failure
from service.core.upload import Event, Leftover, State
from service.stages.desk.rescan import rescan
from service.stages.judge import MOST_ATTEMPTS
from tests.stages.reviewing import ANA, ODD, asked, find, fresh_signatures, held, proposal
from tests.stages.world import PDF, World


@pytest.mark.parametrize(("content", "state"), [(ODD, State.HELD), (EICAR, State.BLOCKED)])
def test_a_scan_that_finds_nothing_now_releases(world: World, content: bytes, state: State) -> None:
    """A false alarm of yesterday's signatures. The old verdict stays in the log, the new one in the row."""
    upload = world.upload(content, "a.txt" if content is EICAR else "a.pdf")
    assert upload.state is state
    again = asked(world, upload)
    assert (again.state, again.verdict, again.reason) == (State.QUARANTINED, None, None)
    world.scanner.script.append(Clean())
    world.work()
    released = find(world, upload)
    assert released.state is State.RELEASED
    assert released.verdict
    assert released.verdict.sha256 == upload.sha256
    lines = world.ledger.lines(upload.id)
    (line,) = (line for line in lines if line.event is Event.RESCAN_ASKED)
    assert line.actor == "reviewer:rv_a"
    assert upload.verdict
    assert (line.detail["kind"], line.detail["signature"]) == (
        upload.verdict.kind.value,
        upload.verdict.signature,
    )
    world.violations.clear()  # the fake's script called EICAR clean
    world.settle()
    assert world.broken_laws() == []


def test_a_scan_that_finds_the_same_ends_the_same(world: World) -> None:
    """As often as it is asked for."""
    upload = held(world)
    for _ in range(3):
        asked(world, find(world, upload))
        world.work()
        assert find(world, upload).state is State.HELD
    world.settle()
    assert world.broken_laws() == []
    assert world.store.released == {}


def test_the_attempts_and_the_wait_begin_anew(world: World) -> None:
    """One that was given up has all its attempts again, and a day to wait for the scanner."""
    world.scanner.script.extend([Failed(Failure.SCANNER_ERROR)] * MOST_ATTEMPTS)
    upload = world.upload(PDF)
    world.settle()
    upload = find(world, upload)
    assert (upload.state, upload.attempts) == (State.HELD, MOST_ATTEMPTS - 1)
    world.clock.jump(timedelta(days=30))
    world.faults.take_away("scanner", ScannerUnavailable("away"))
    asked(world, upload)
    for _ in range(12):
        world.clock.advance(3600)
        world.work()
    assert find(world, upload).state is State.QUARANTINED
    world.clock.advance(13 * 3600)
    world.work()
    held_again = find(world, upload)
    assert (held_again.state, held_again.reason) == (State.HELD, "scan_exhausted")
    world.faults.give_back("scanner")
    asked(world, held_again)
    world.scanner.script.extend([Failed(Failure.SCANNER_ERROR)] * (MOST_ATTEMPTS - 1))
    for _ in range(100):
        world.clock.advance(5)
        fresh_signatures(world)
        world.work()
    assert find(world, upload).state is State.RELEASED


@pytest.mark.parametrize("state", [state for state in State if state not in {State.HELD, State.BLOCKED}])
def test_only_what_is_held_or_blocked_is_scanned_again(world: World, state: State) -> None:
    """What is on its way is scanned already; what is released is not taken from those who have it."""
    upload = world.ledger.save(replace(held(world), state=state))
    with pytest.raises(NotDecidable, match=state):
        asked(world, upload)
    assert find(world, upload) == upload


def test_a_scan_is_asked_for_of_the_file_as_it_was_shown(world: World) -> None:
    """Two who ask at once get one scan; a proposal about the old verdict lapses."""
    upload = held(world)
    proposal(world, upload)
    asked(world, upload)
    for version in (upload.version, upload.version - 1, 99):
        with pytest.raises(Conflict):
            rescan(world.parts, ANA, upload.id, version)
    with pytest.raises(NotFound):
        rescan(world.parts, ANA, "up_unknown", 1)
    assert world.events(upload).count(Event.RESCAN_ASKED) == 1


def test_a_scan_waits_until_what_is_left_was_swept(world: World) -> None:
    """Else a copy that is made of it could be swept away."""
    upload = world.ledger.save(
        replace(held(world), leftover=Leftover.COPIES, due_at=world.clock.now() + timedelta(minutes=5))
    )
    with pytest.raises(Busy):
        asked(world, upload)
    assert find(world, upload) == upload
    world.clock.advance(301)
    world.work()
    assert asked(world, find(world, upload)).state is State.QUARANTINED
