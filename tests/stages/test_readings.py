from datetime import timedelta

import pytest

from service.core.errors import LedgerUnavailable
from service.core.measures import LEDGER_UP, READ, Reading
from service.core.upload import State
from service.stages.feed import feed
from service.stages.log.checkpoint import sign_when_due
from service.stages.log.place import place
from service.stages.readings import readings
from tests.fakes.archive import FakeArchive
from tests.stages.world import PDF, World


@pytest.fixture
def world() -> World:
    """A Greenroom on fakes."""
    return World()


def told(world: World) -> dict[tuple[str, ...], float]:
    """Return the readings by name and labels."""
    parts = world.parts
    found = readings(
        FakeArchive(world.faults, world.ledger.rows),
        parts.journal,
        parts.checkpoints,
        parts.rescans,
        world.clock.now(),
    )
    return {(reading.measure.name, *reading.labels): reading.value for reading in found}


def test_of_nothing_the_reading_is_0(world: World) -> None:
    """Of a state in which nothing is the reading is 0, so that an alert ends when its reason does; and every
    metric that is announced is there.
    """
    numbers = told(world)
    assert numbers.pop(("greenroom_ledger_up",)) == 1
    assert {name for name, *_ in numbers} == {measure.name for measure in READ if measure is not LEDGER_UP}
    assert {number for (name, *_), number in numbers.items()} == {0}
    assert ("greenroom_uploads", "held") in numbers


def test_who_waits_grows_older(world: World) -> None:
    """An upload that nobody takes further is seen to wait longer with every look."""
    world.report_canaries("plain: EICAR was not found")
    assert world.upload(PDF).state is State.QUARANTINED
    world.clock.advance(90)
    assert told(world)["greenroom_uploads", "quarantined"] == 1
    assert told(world)["greenroom_uploads_longest_seconds", "quarantined"] == pytest.approx(90, abs=1)


def test_the_log_is_behind_until_its_lines_are_placed_and_signed(world: World) -> None:
    """Each lag by itself: lines without a place, without a checkpoint, not told."""
    world.upload(PDF)
    world.clock.advance(7)
    assert told(world)["greenroom_log_unplaced_seconds",] == pytest.approx(7, abs=1)
    place(world.parts)
    numbers = told(world)
    assert numbers["greenroom_log_unplaced_seconds",] == 0
    assert numbers["greenroom_log_unsigned_seconds",] == pytest.approx(7, abs=1)
    assert numbers["greenroom_log_lines",] > 0
    world.clock.advance(timedelta(seconds=60).total_seconds())
    assert sign_when_due(world.parts) is not None
    numbers = told(world)
    assert numbers["greenroom_log_unsigned_seconds",] == 0
    assert numbers["greenroom_log_untold_seconds",] == pytest.approx(67, abs=1)
    assert feed(world.parts, "one")
    assert told(world)["greenroom_log_untold_seconds",] == 0


@pytest.mark.parametrize("part", ["journal.waiting", "checkpoints.newest"])
def test_of_a_ledger_that_is_away_only_that_is_said(world: World, part: str) -> None:
    """Nothing that was true before is told as the present, and no half of it."""
    world.faults.take_away(part, LedgerUnavailable("away"))
    parts = world.parts
    found = readings(
        FakeArchive(world.faults, world.ledger.rows),
        parts.journal,
        parts.checkpoints,
        parts.rescans,
        world.clock.now(),
    )
    assert found == [Reading(LEDGER_UP, 0)]
