"""How the log stands, and what it last said of the scanner."""

from datetime import timedelta
from typing import Any

import pytest

from service.core.journal import Act, Entry
from service.stages.desk.bookkeeping import SILENT, Signatures, books
from service.stages.log.checkpoint import EVERY
from tests.stages.test_log import keep
from tests.stages.world import World

MINUTE = timedelta(minutes=1)


def say(world: World, act: Act, worker: str = "a", **detail: Any) -> None:
    """Log what a worker says, and let a minute pass."""
    world.journal.append([Entry(world.clock.now(), act.value, {"worker": worker, **detail})])
    world.clock.advance(60)


def test_a_log_that_says_nothing(world: World) -> None:
    """Nothing is made up."""
    shown = books(world.parts)
    assert (shown.size, shown.checkpoint, shown.behind_since) == (0, None, None)
    assert (shown.canaries, shown.signatures) == (None, None)


def test_how_far_behind_the_log_is(world: World) -> None:
    """Since the oldest line that has no place or is under no checkpoint, until it is under one."""
    begun = world.clock.now()
    say(world, Act.CANARIES, failures="")
    assert books(world.parts).behind_since == begun
    keep(world)
    assert (books(world.parts).size, books(world.parts).behind_since) == (1, None)
    second = world.clock.now()
    say(world, Act.CANARIES, failures="")
    assert books(world.parts).unplaced_since == books(world.parts).behind_since == second
    world.clock.advance(EVERY.total_seconds())
    keep(world)
    assert books(world.parts).behind_since is None


def test_what_the_canaries_said_last(world: World) -> None:
    """The newest word counts, in its place or on its way there."""
    say(world, Act.CANARIES, failures="EICAR is found")
    keep(world)
    shown = books(world.parts).canaries
    assert shown
    assert shown.failures == "EICAR is found"
    say(world, Act.CANARIES, failures="")
    shown = books(world.parts).canaries
    assert shown
    assert (shown.failures, shown.others) == ("", [])


def test_another_workers_failure_is_not_hidden_by_a_newer_word(world: World) -> None:
    """For as long as that worker would have said otherwise by now."""
    say(world, Act.CANARIES, "a", failures="EICAR is found")
    say(world, Act.CANARIES, "b", failures="")
    shown = books(world.parts).canaries
    assert shown
    assert [one.text("failures") for one in shown.others] == ["EICAR is found"]
    world.clock.advance(SILENT.total_seconds())
    shown = books(world.parts).canaries
    assert shown
    assert shown.others == []
    say(world, Act.CANARIES, "a", failures="")
    shown = books(world.parts).canaries
    assert shown
    assert shown.others == []


def test_when_the_signatures_changed_last(world: World) -> None:
    """What is said again each hour is no change."""
    begun = world.clock.now()
    for _ in range(3):
        say(world, Act.SIGNATURES, signature_version=27825)
    assert books(world.parts).signatures == Signatures(27825, begun, None, begun + 2 * MINUTE)
    for _ in range(2):
        say(world, Act.SIGNATURES, signature_version=27826)
    said = Signatures(27826, begun + 3 * MINUTE, 27825, begun + 4 * MINUTE)
    assert books(world.parts).signatures == said
    keep(world)
    assert books(world.parts).signatures == said


_NO_DETAIL = '{"at":"2026-11-22T12:00:00.000000Z","detail":null,"event":"canaries","v":1}'


@pytest.mark.parametrize("text", ["spoilt", _NO_DETAIL, "[" * 100_000])
def test_a_line_that_cannot_be_read_is_passed_over(world: World, text: str) -> None:
    """Somebody who spoils a line does not take the page away."""
    say(world, Act.CANARIES, failures="")
    say(world, Act.CANARIES, failures="EICAR is found")
    keep(world)
    world.journal.places[2] = 1, text
    shown = books(world.parts).canaries
    assert shown
    assert shown.failures == ""
