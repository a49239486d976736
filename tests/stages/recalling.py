"""What happens to released files in the worlds of these tests when signatures change."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from service.core.errors import PartUnavailable
from service.core.outcome import Infected, Outcome, Suspicious
from service.core.rescan import Rescan
from service.core.upload import State, Upload
from service.stages.recall.rescan import begin_if_outdated, scan_next
from tests.fakes.faults import Crash
from tests.stages.reviewing import find
from tests.stages.world import PDF, World

#: A mark that yesterday's signatures do not know.
MARK: Final = b"greenroom-fake-news"
BAD: Final = PDF + MARK
FOUND: Final = Infected("Win.Test.News-1")
ODDITY: Final = Suspicious("Heuristics.Phishing.News")
#: Rounds that are done though all seems at rest: a rescan may not have begun, for a fault.
FEWEST: Final = 3
YESTERDAY: Final = 27826
TODAY: Final = 27827


def released(world: World, content: bytes = BAD, name: str = "deck.pdf") -> Upload:
    """Take in an upload that is released under yesterday's signatures, and let its quarantined copy go."""
    upload = world.upload(content, name)
    assert upload.state is State.RELEASED
    world.work()
    return find(world, upload)


def learn(world: World, found: Outcome = FOUND, version: int = TODAY) -> None:
    """Give the scanner newer signatures that find something where ``MARK`` is."""
    world.scanner.learned[MARK] = found
    world.scanner.signatures = replace(
        world.scanner.signatures, signature_version=version, signatures_made_at=world.clock.now()
    )
    world.report_canaries()


def scan_again(world: World) -> int:
    """Let a worker scan again what is due; return how many files it took."""
    world.report_canaries()
    begin_if_outdated(world.parts)
    taken = 0
    while scan_next(world.parts):
        taken += 1
    world.rescans.end(world.clock.now())
    return taken


def settle(world: World) -> None:
    """Let a worker scan again and do its other work until all is at rest; a kill ends a round."""
    for number in range(40):
        world.clock.advance(timedelta(minutes=2).total_seconds())
        signatures = replace(world.scanner.signatures, signatures_made_at=world.clock.now())
        world.scanner.signatures = signatures
        try:
            scan_again(world)
        except PartUnavailable:
            pass
        except Crash:
            world.faults.revive()
        world.work()
        if number > FEWEST and world.at_rest() and not world.rescans.open():
            break
    world.settle()


def newest(world: World) -> Rescan:
    """Return the rescan that was begun last."""
    return world.rescans.newest(1)[0]
