"""What a witness knows, no database can make undone."""

import copy
from dataclasses import replace
from typing import Any

from service.core.errors import LogDamaged, WitnessUnavailable
from service.core.journal import Act, Entry
from service.jobs.notary import Notary
from service.stages.log.keys import public_key
from service.stages.log.place import place
from service.verify.signature import check_checkpoint
from tests.fakes.faults import Crash, Moment
from tests.stages.world import World

MINUTE = 60.0


def work(world: World, notary: Notary, lines: int = 1) -> None:
    """Log some lines, and do what the worker does in the next minute."""
    world.journal.append([Entry(world.clock.now(), Act.CANARIES.value, {"n": n}) for n in range(lines)])
    while place(world.parts):
        pass
    world.clock.advance(MINUTE)
    notary.round()


def kept(world: World) -> list[int]:
    """Return the sizes of the checkpoints that the witness has."""
    key = public_key(world.parts)
    return [check_checkpoint(note, key).size for _, _, note in world.witness.kept]


def backup(world: World) -> dict[str, Any]:
    """Return what a backup of the database would hold of the log."""
    kept = ("entries", "places", "tiles", "_cursors")
    journal = {name: copy.copy(getattr(world.journal, name)) for name in kept}
    return {"journal": journal, "signed": list(world.checkpoints.signed)}


def restore(world: World, saved: dict[str, Any]) -> None:
    """Restore the database from a backup."""
    for name, value in saved["journal"].items():
        setattr(world.journal, name, copy.copy(value))
    world.checkpoints.signed = list(saved["signed"])


def failed(world: World) -> list[str]:
    """Return what the operator was told."""
    return [str(error) for _, error in world.log.failures]


def test_every_checkpoint_reaches_the_witness(world: World) -> None:
    """In order, each once, whoever of two workers signed it."""
    first, second = Notary(world.parts), Notary(world.parts)
    for notary in (first, second, second, first):
        work(world, notary)
    assert kept(world) == [1, 2, 3, 4]


def test_a_witness_that_was_away_gets_what_it_missed(world: World) -> None:
    """Signing goes on without it, and the operator is told once."""
    notary = Notary(world.parts)
    work(world, notary)
    world.faults.take_away("witness.keep", WitnessUnavailable("away"))
    for _ in range(3):
        work(world, notary)
    assert len(world.checkpoints.signed) == 4
    world.faults.give_back("witness.keep")
    work(world, notary)
    assert kept(world) == [1, 2, 3, 4, 5]
    assert failed(world) == ["away"]


def test_a_new_witness_begins_with_the_newest(world: World) -> None:
    """It says as much as all those before it, which may be many."""
    without = replace(world.parts, witnesses=[])
    for _ in range(3):
        work(world, Notary(without))
    work(world, Notary(world.parts))
    assert kept(world) == [4]


def test_a_kill_anywhere_loses_no_checkpoint(world: World) -> None:
    """One may come twice."""
    for step in ("witness.newest", "witness.keep", "journal.move_cursor", "checkpoints.add"):
        for moment in Moment:
            killed = World()
            work(killed, Notary(killed.parts))
            killed.faults.kill(step, 1, moment)
            try:
                work(killed, Notary(killed.parts))
            except Crash:
                killed.faults.revive()
            work(killed, Notary(killed.parts))
            sizes = [one.size for one in killed.checkpoints.signed]
            assert sorted(set(kept(killed))) == sizes, (step, moment)


def test_a_log_that_was_restored_from_an_older_backup_is_not_signed(world: World) -> None:
    """However long it has grown since: its next lines are not those that the witness knows of."""
    saved = None
    notary = Notary(world.parts)
    for number in range(6):
        if number == 3:
            saved = backup(world)
        work(world, notary)
    assert saved is not None
    assert kept(world)[-1] == 6
    for grown in (0, 1, 50):
        restore(world, saved)
        work(world, Notary(world.parts), lines=grown)
        assert len(world.checkpoints.signed) == 3
        assert isinstance(world.log.failures[-1][1], LogDamaged)
    assert kept(world)[-1] == 6


def test_a_log_that_is_restored_while_the_worker_runs_is_not_signed(world: World) -> None:
    """The worker asks its witnesses once; after that it remembers for itself what it signed."""
    notary = Notary(world.parts)
    work(world, notary)
    saved = backup(world)
    work(world, notary)
    restore(world, saved)
    work(world, notary, lines=5)
    assert [one.size for one in world.checkpoints.signed] == [1]
    assert isinstance(world.log.failures[-1][1], LogDamaged)


def test_a_backup_that_is_as_new_as_the_witness_goes_on(world: World) -> None:
    """Lines that nobody signed may be lost; what is signed next goes on from what is known."""
    notary = Notary(world.parts)
    work(world, notary)
    saved = backup(world)
    world.journal.append([Entry(world.clock.now(), Act.CANARIES.value)])
    restore(world, saved)
    work(world, Notary(world.parts), lines=2)
    assert kept(world) == [1, 3]
    assert failed(world) == []


def test_nothing_is_signed_before_every_witness_was_asked(world: World) -> None:
    """One that cannot be asked could know of more; lines get their places meanwhile."""
    world.faults.take_away("witness.newest", WitnessUnavailable("away"))
    notary = Notary(world.parts)
    for _ in range(2):
        work(world, notary)
    assert world.checkpoints.signed == []
    assert world.journal.size() == 2
    world.faults.give_back("witness.newest")
    work(world, notary)
    assert kept(world) == [3]
    assert failed(world) == ["away"]


def test_a_witness_that_says_nonsense_is_not_believed(world: World) -> None:
    """Nor is it passed over: what it says of this log is not what this log signed."""
    work(world, Notary(world.parts))
    name = public_key(world.parts).name
    world.witness.kept.append((name, 99, "nonsense"))
    work(world, Notary(world.parts))
    assert len(world.checkpoints.signed) == 1
    assert isinstance(world.log.failures[-1][1], LogDamaged)
