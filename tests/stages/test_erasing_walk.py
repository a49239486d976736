"""Every operation of an erasure fails once, before and after persisting, or kills the process there."""

from collections import Counter
from dataclasses import replace
from typing import Final

import pytest

from service.core.erasure import Reach
from service.core.errors import LedgerUnavailable, PartUnavailable
from service.core.upload import Event, State
from service.stages.erasing.ask import ask, ask_for_account
from service.stages.erasing.certificate import make_certificate
from service.stages.erasing.work import finish, work
from service.stages.log.checkpoint import sign
from service.stages.log.keys import public_key
from service.stages.log.place import place
from service.verify.certificate import check_certificate
from tests.fakes.faults import Crash, Moment
from tests.stages.test_walk import ERRORS, Strike, a_kill, an_error
from tests.stages.world import CALLER, PDF, World

ALSO: Final = {"erasures": LedgerUnavailable, "journal": LedgerUnavailable, "checkpoints": LedgerUnavailable}
BY: Final = "operator:command"


def filled() -> World:
    """Return a world with two files, one of them half."""
    world = World()
    world.upload(PDF, patience=0)
    world.clock.advance(1)
    world.begin(len(PDF))
    for row in world.ledger.rows():
        world.ledger.put(replace(row, person="ada"))
    return world


def erased(world: World, reach: Reach) -> None:
    """Have them erased, however often it takes."""
    upload = world.ledger.rows()[0]
    names = {Reach.UPLOAD: upload.id, Reach.MEETING: "m1", Reach.PERSON: "ada"}
    while True:
        try:
            if world.erasures.all():
                break
            if reach is Reach.ACCOUNT:
                ask_for_account(world.parts, CALLER.account_id, BY, active_too=True)
            else:
                ask(world.parts, CALLER.account_id, reach, names[reach], BY)
        except (Crash, PartUnavailable):
            world.faults.revive()
    for _ in range(9):
        for step in (place, work, finish):
            try:
                step(world.parts)
            except (Crash, PartUnavailable):
                world.faults.revive()
        world.clock.advance(0.5)


def operations(reach: Reach) -> list[tuple[str, int]]:
    """Return every operation of an erasure without faults."""
    world = filled()
    before, counts = len(world.faults.calls), Counter(name for name, _ in world.faults.calls)
    erased(world, reach)
    # A round's own questions come again each round; the first of them show all there is to see.
    return [(name, number) for name, number in world.faults.calls[before:] if number - counts[name] <= 4]


def broken(world: World, reach: Reach) -> list[str]:
    """Return what is wrong now that it should be done."""
    rows, wrong = world.ledger.rows(), []
    meant = rows[:1] if reach is Reach.UPLOAD else rows
    erasures = world.erasures.all()
    wrong += [f"{row.id} is {row.state}" for row in meant if row.state is not State.ERASED]
    left = {key.partition("/")[0] for key in sorted(world.keys())}
    wrong += [f"{row.id} has objects" for row in meant if row.id in left]
    wrong += [f"erased twice: {row.id}" for row in meant if world.events(row).count(Event.DELETED) != 1]
    wrong += [f"not done: {one}" for one in erasures if one.done_at is None or one.subject is not None]
    done = [entry for entry in world.journal.entries if entry.event == "erasure_done"]
    wrong += ["another number of lines than of erasures"] if len(done) != len(erasures) else []
    if not wrong:
        sign(world.parts)
        proved = check_certificate(make_certificate(world.parts, erasures[0]), public_key(world.parts))
        counted = proved.line["detail"]["uploads"]
        wrong += [f"counted {counted}"] if counted != len(meant) else []
    return wrong


@pytest.mark.parametrize("strike", [an_error, a_kill])
@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("reach", list(Reach))
def test_one_fault_at_every_operation_of_an_erasure_goes_on_to_its_end(
    reach: Reach, moment: Moment, strike: Strike
) -> None:
    """Error or kill -9, before or after persisting: everything is erased once, and certified once."""
    walked = 0
    for name, number in operations(reach):
        part = name.partition(".")[0]
        if part not in ERRORS | ALSO:
            continue
        world = filled()
        occurrence = number - world.faults.count(name)
        if strike is an_error:
            world.faults.fail(name, occurrence, moment, (ERRORS | ALSO)[part]("on purpose"))
        else:
            strike(world, name, occurrence, moment)
        erased(world, reach)
        assert not world.faults.armed(), f"{name} #{number} was never reached"
        assert broken(world, reach) == [], f"{moment} at {name} #{number}"
        walked += 1
    assert walked > 20
