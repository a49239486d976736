"""The log's lines get their places and come under checkpoints, whatever happens meanwhile."""

from datetime import timedelta

import pytest

from service.core.errors import LedgerUnavailable, LogDamaged
from service.core.journal import Act, Entry, Placed
from service.jobs.bookkeeper import Bookkeeper
from service.jobs.notary import Notary
from service.stages.log.checkpoint import EVERY, sign_when_due
from service.stages.log.keys import public_key
from service.stages.log.place import place
from service.verify.lines import check_lines
from service.verify.signature import check_checkpoint
from tests.fakes.faults import Crash, Moment
from tests.stages.world import PDF, World

MINUTE = EVERY.total_seconds()


def write(world: World, count: int = 1) -> None:
    """Write lines that are not about an upload."""
    world.journal.append([Entry(world.clock.now(), Act.CANARIES.value, {"n": n}) for n in range(count)])


def keep(world: World) -> None:
    """Do one round of the bookkeeper."""
    while place(world.parts):
        pass
    sign_when_due(world.parts)


def audit(world: World) -> None:
    """Check the whole log against every checkpoint there is."""
    key = public_key(world.parts)
    checkpoints = [check_checkpoint(one.note, key) for one in world.checkpoints.signed]
    assert checkpoints, "a log that is not signed proves nothing"
    lines = [line.text.encode() + b"\n" for line in world.journal.lines(0, 10_000)]
    check_lines(lines, checkpoints)
    assert len(lines) == len(world.journal.entries)


def test_an_uploads_moves_get_their_places_in_their_order(world: World) -> None:
    """From the first byte to its release, with nothing left waiting."""
    upload = world.upload(PDF)
    keep(world)
    lines = world.journal.of_upload(upload.id)
    assert [line.position for line in lines if isinstance(line, Placed)] == list(range(len(lines)))
    assert [line.entry.event for line in lines] == [event.value for event in world.events(upload)]
    audit(world)


def test_nothing_is_signed_before_it_is_due_and_nothing_twice(world: World) -> None:
    """At once for the first line, then after a minute with new lines, or after a thousand of them."""
    assert sign_when_due(world.parts) is None
    write(world)
    keep(world)
    assert len(world.checkpoints.signed) == 1
    world.clock.advance(MINUTE)
    keep(world)
    assert len(world.checkpoints.signed) == 1, "nothing new to sign"
    write(world)
    keep(world)
    assert len(world.checkpoints.signed) == 2
    write(world, 999)
    world.clock.advance(MINUTE - 1)
    keep(world)
    assert len(world.checkpoints.signed) == 2
    write(world)
    keep(world)
    assert [one.size for one in world.checkpoints.signed] == [1, 2, 1002]
    audit(world)


def test_a_clock_that_is_set_back_does_not_put_a_checkpoint_off(world: World) -> None:
    """Not by more than the minute that it may take anyway."""
    write(world)
    keep(world)
    write(world)
    world.clock.jump(-timedelta(days=1))
    keep(world)
    assert len(world.checkpoints.signed) == 2


def test_a_kill_anywhere_leaves_a_log_that_goes_on(world: World) -> None:
    """Before and after each thing that is made durable, with the rest done by another process."""
    world.upload(PDF)
    world.faults.calls.clear()
    keep(world)
    steps = list(dict.fromkeys(name for name, _ in world.faults.calls))
    assert {"journal.place", "checkpoints.add", "checkpoints.add_log_key"} <= set(steps)
    for step in steps:
        for moment in Moment:
            killed = World()
            killed.upload(PDF)
            killed.faults.kill(step, 1, moment)
            with pytest.raises(Crash):
                keep(killed)
            killed.faults.revive()
            keep(killed)
            audit(killed)
            write(killed)
            killed.clock.advance(MINUTE)
            keep(killed)
            audit(killed)
            assert killed.checkpoints.signed[-1].size == len(killed.journal.entries)


def test_a_worker_that_was_second_does_nothing(world: World) -> None:
    """Between the look at the log and the change to it another one placed, or signed."""
    write(world, 2)
    world.faults.arm("journal.place", 1, Moment.BEFORE, lambda: _other_places(world))
    assert place(world.parts) == 0
    world.faults.arm("checkpoints.add", 1, Moment.BEFORE, lambda: _other_signs(world))
    assert sign_when_due(world.parts) is None
    assert world.journal.size() == 2
    assert len(world.checkpoints.signed) == 1
    audit(world)


def _other_places(world: World) -> None:
    assert place(world.parts) == 2


def _other_signs(world: World) -> None:
    assert sign_when_due(world.parts) is not None


@pytest.mark.parametrize("damage", ["cut off", "a tile changed", "a checkpoint changed", "another log's"])
def test_a_log_that_was_changed_since_gets_no_signature(world: World, damage: str) -> None:
    """What was signed is compared with what is there, each time before more is signed."""
    write(world, 5)
    keep(world)
    (signed,) = world.checkpoints.signed
    if damage == "cut off":
        del world.journal.places[5]
    elif damage == "a tile changed":
        tile = world.journal.tiles[0, 0]
        world.journal.tiles[0, 0] = tile[:32] + bytes(32) + tile[64:]
    elif damage == "a checkpoint changed":
        world.checkpoints.signed[0] = type(signed)(signed.size, signed.at, "nonsense")
    else:
        note = signed.note.replace("greenroom/log/", "greenroom/log/other")
        world.checkpoints.signed[0] = type(signed)(signed.size, signed.at, note)
    write(world)
    world.clock.advance(MINUTE)
    if damage != "cut off":
        place(world.parts)
    with pytest.raises(LogDamaged):
        sign_when_due(world.parts)
    assert len(world.checkpoints.signed) == 1


def test_an_account_that_was_forgotten_is_not_named_again(world: World) -> None:
    """Lines after the key's destruction have no pseudonym; those before verify as ever."""
    upload = world.upload(PDF)
    keep(world)
    world.checkpoints.destroy_pseudonym_key(upload.account_id, world.clock.now())
    second = world.upload(PDF)
    keep(world)
    texts = [line.text for line in world.journal.lines(0, 100)]
    assert all(('"account"' in text) == (upload.id in text) for text in texts)
    assert any(second.id in text for text in texts)
    audit(world)


def test_an_account_that_was_forgotten_while_its_lines_waited_is_not_named(world: World) -> None:
    """Nobody can tell whose they are, though they got their places later."""
    upload = world.upload(PDF)
    world.checkpoints.destroy_pseudonym_key(upload.account_id, world.clock.now())
    keep(world)
    texts = [line.text for line in world.journal.lines(0, 100)]
    assert any(upload.id in text for text in texts)
    assert not any('"account"' in text for text in texts)


def test_the_bookkeeper_tells_of_an_outage_once_and_does_its_work_after_it(world: World) -> None:
    """One line for each outage; a step that fails holds up no other step."""
    bookkeeper, notary = Bookkeeper(world.parts), Notary(world.parts)
    write(world)
    away = LedgerUnavailable("away")
    for _ in range(2):
        world.faults.take_away("journal.place", away)
        for _ in range(3):
            bookkeeper.round()
        world.faults.give_back("journal.place")
        bookkeeper.round()
        write(world)
    assert world.log.failures == [("bookkeeping_failed", away)] * 2
    bookkeeper.round()
    notary.round()
    audit(world)


def test_two_workers_sign_as_one(world: World) -> None:
    """What another signed meanwhile is no reason to doubt the log."""
    first, second = Notary(world.parts), Notary(world.parts)
    for _ in range(3):
        for notary in (first, second, second, first):
            write(world)
            while place(world.parts):
                pass
            world.clock.advance(MINUTE)
            notary.round()
    assert world.log.failures == []
    assert len(world.checkpoints.signed) == 12
    audit(world)
