"""The worker's thread that scans released files again keeps to its rate, and begins by itself."""

from service.core.errors import LedgerUnavailable
from service.core.upload import State
from service.jobs.rescanner import Rescanner
from tests.stages.recalling import BAD, TODAY, learn, newest, released
from tests.stages.world import PDF, World

PER_MINUTE = 120


def rescanned(world: World) -> int:
    """Return how many files were scanned again."""
    return len(world.rescans.scanned_with)


def test_it_scans_no_more_than_it_may(world: World) -> None:
    """Two a second, and after a time without work no more than a second's worth at once."""
    for _ in range(30):
        world.clock.advance(1)
        world.upload(PDF)
    learn(world)
    rescanner = Rescanner(world.parts, PER_MINUTE)
    counts = []
    for _ in range(8):
        rescanner.round()
        counts.append(rescanned(world))
        world.clock.advance(0.5)
    assert counts == [3, 4, 5, 6, 7, 8, 9, 10]
    world.clock.advance(10)
    rescanner.round()
    assert rescanned(world) <= 10 + 3


def test_new_signatures_begin_a_rescan_and_nothing_else_does(world: World) -> None:
    """It begins with the round after they came; it ends when all is done."""
    upload = released(world, BAD)
    rescanner = Rescanner(world.parts, PER_MINUTE)
    rescanner.round()
    assert world.rescans.newest(1) == []
    learn(world)
    rescanner.round()
    assert newest(world).wanted.signature_version == TODAY
    assert newest(world).ended_at is not None
    assert world.row().state is State.BLOCKED
    assert world.row().id == upload.id


def test_what_others_release_under_older_signatures_is_found_later(world: World) -> None:
    """A host whose clamd has not taken the new ones yet releases files that nobody else looks for."""
    released(world, PDF)
    old = world.scanner.signatures
    learn(world)
    rescanner = Rescanner(world.parts, PER_MINUTE)
    rescanner.round()
    world.clock.advance(1)
    world.scanner.signatures, today = old, world.scanner.signatures
    world.scanner.learned = {}
    late = world.upload(BAD)
    assert late.state is State.RELEASED
    world.scanner.signatures = today
    learn(world)
    rescanner.round()
    assert rescanned(world) == 1
    world.clock.advance(600)
    learn(world)
    rescanner.round()
    found = world.ledger.find(late.id)
    assert found is not None
    assert found.state is State.BLOCKED


def test_a_ledger_that_is_away_is_asked_again(world: World) -> None:
    """After ten seconds; what was begun goes on."""
    released(world, BAD)
    learn(world)
    rescanner = Rescanner(world.parts, PER_MINUTE)
    world.faults.take_away("rescans", LedgerUnavailable("away"))
    rescanner.round()
    world.faults.give_back("rescans")
    rescanner.round()
    assert world.rescans.newest(1) == []
    world.clock.advance(10)
    rescanner.round()
    assert world.row().state is State.BLOCKED
