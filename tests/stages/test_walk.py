"""Every operation of an upload's life fails once, before and after persisting, or kills the process there."""

from collections.abc import Callable
from typing import Final

import pytest

from service.core.canary import EICAR
from service.core.errors import (
    LedgerUnavailable,
    PartUnavailable,
    ScannerUnavailable,
    StoreUnavailable,
)
from service.core.upload import RESTING, State, Upload
from tests.fakes.faults import Crash, Moment
from tests.stages.world import World, deck

CLEAN: Final = deck()
INFECTED: Final = deck(extra=EICAR)
ERRORS: Final = {
    "accounts": LedgerUnavailable,
    "ledger": LedgerUnavailable,
    "allowances": LedgerUnavailable,
    "answers": LedgerUnavailable,
    "credentials": LedgerUnavailable,
    "exports": LedgerUnavailable,
    "holds": LedgerUnavailable,
    "meetings": LedgerUnavailable,
    "rescans": LedgerUnavailable,
    "decisions": LedgerUnavailable,
    "queue": LedgerUnavailable,
    "store": StoreUnavailable,
    "scanner": ScannerUnavailable,
    "webhooks": LedgerUnavailable,
}


def lived(world: World, content: bytes, *, scanner_comes_late: bool) -> Upload | None:
    """Live one upload's life; return what its sender was told, ``None`` if only that it failed."""
    told: Upload | None = None
    if scanner_comes_late:
        world.faults.take_away("scanner", ScannerUnavailable("away"))
    try:
        told = world.upload(content, "deck.pptx", patience=0)
    except (Crash, PartUnavailable):
        world.faults.revive()
    if scanner_comes_late:
        world.faults.give_back("scanner")
    world.settle()
    return told


def operations(content: bytes, *, scanner_comes_late: bool) -> list[tuple[str, int]]:
    """Return every operation of a life without faults."""
    world = World()
    before = len(world.faults.calls)
    lived(world, content, scanner_comes_late=scanner_comes_late)
    assert world.broken_laws() == []
    # A round's own questions come again each round; three rounds of them show all there is to see.
    return [(name, number) for name, number in world.faults.calls[before:] if number <= 40]


Strike = Callable[[World, str, int, Moment], None]


def an_error(world: World, name: str, occurrence: int, moment: Moment) -> None:
    """Let the part answer with its error."""
    world.faults.fail(name, occurrence, moment, ERRORS[name.partition(".")[0]]("on purpose"))


def a_kill(world: World, name: str, occurrence: int, moment: Moment) -> None:
    """Kill the process."""
    world.faults.kill(name, occurrence, moment)


@pytest.mark.parametrize("scanner_comes_late", [False, True], ids=["one pass", "read back"])
@pytest.mark.parametrize("strike", [an_error, a_kill])
@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("content", [CLEAN, INFECTED], ids=["clean", "eicar"])
def test_one_fault_at_every_operation_breaks_no_law(
    content: bytes, moment: Moment, strike: Strike, *, scanner_comes_late: bool
) -> None:
    """Whatever one operation of an upload's life does to us, before or after persisting, error or kill -9:
    nothing uncleared is released, EICAR never is, each upload comes to rest with one verdict, a sender who
    was told that the file is kept finds it judged rightly, and nothing is left in the store that no row owns.
    """
    walked = 0
    for name, number in operations(content, scanner_comes_late=scanner_comes_late):
        world = World()
        strike(world, name, number - world.faults.count(name), moment)
        told = lived(world, content, scanner_comes_late=scanner_comes_late)
        assert not world.faults.armed(), f"{name} #{number} was never reached"
        right = State.BLOCKED if content is INFECTED else State.RELEASED
        ended = {right} if told else {right, State.ABANDONED}
        broken = world.broken_laws()
        broken += [f"ended {row.state}" for row in world.ledger.rows() if row.state not in ended]
        broken += ["lost"] if told and not world.ledger.rows() else []
        broken += ["told one thing, then another"] if told and told.state in RESTING - {right} else []
        assert broken == [], f"{moment} at {name} #{number}"
        walked += 1
    assert walked > 20


def test_a_life_without_faults_walks_every_part(world: World) -> None:
    """The walk is exhaustive only if the lives it walks touch what matters: the operations are named here."""
    names = {name for name, _ in operations(CLEAN, scanner_comes_late=False)}
    names |= {name for name, _ in operations(CLEAN, scanner_comes_late=True)}
    assert names >= {
        "ledger.save", "ledger.find", "ledger.unattended", "ledger.with_leftovers",
        "ledger.swept", "store.put_part", "store.put", "store.read_quarantined", "store.read",
        "store.release", "store.discard_quarantined", "scanner.engine", "scanner.open", "scanner.feed",
        "scanner.finish", "scanner.outcome", "queue.enqueue",
    }  # fmt: skip
