"""The log is told to those outside: every line, in its order, whatever happens meanwhile."""

import json
from dataclasses import replace

import pytest

from service.core.errors import LedgerUnavailable, SinkUnavailable
from service.core.journal import Act, Entry
from service.core.siem import Form
from service.core.siem.meaning import UNREADABLE, Severity
from service.jobs.bookkeeper import Bookkeeper
from service.jobs.feeder import Feeder
from service.jobs.notary import Notary
from service.stages.feed import CLAIM, READER, feed
from service.stages.log.place import place
from tests.fakes.faults import Crash, Moment
from tests.stages.world import PDF, World

AWAY = SinkUnavailable("away")


def write(world: World, count: int) -> None:
    """Write lines and give them their places."""
    world.journal.append([Entry(world.clock.now(), Act.CANARIES.value) for _ in range(count)])
    while place(world.parts):
        pass


def tell(world: World, holder: str = "one") -> None:
    """Tell all that is there."""
    while feed(world.parts, holder):
        pass


def told(world: World) -> list[int]:
    """Return the positions of what arrived, in the order in which it did."""
    return [one.position for one in world.events_sink.told]


def test_every_line_is_told_once_and_in_order(world: World) -> None:
    """As it was written to the log, with its place; what has none yet is not told."""
    upload = world.upload(PDF)
    tell(world)
    assert told(world) == []
    write(world, 1000)
    tell(world)
    tell(world)
    assert told(world) == list(range(len(world.journal.entries)))
    first = json.loads(world.events_sink.told[0].text)
    assert (first["upload"], first["event"], first["position"]) == (upload.id, "stored", 0)
    assert "acme" not in world.events_sink.told[0].text


def test_a_verdict_tells_of_the_file_s_size(world: World) -> None:
    """A security team's system gets it with the verdict, not with another event only."""
    world.upload(PDF)
    write(world, 1)
    tell(world)
    sizes = {one.event: json.loads(one.text).get("detail_size") for one in world.events_sink.told}
    assert sizes["found_clean"] == len(PDF)


def test_a_sink_that_was_away_gets_everything(world: World) -> None:
    """It goes on where it was, and nothing is noted as told before it was."""
    write(world, 3)
    world.faults.take_away("events", AWAY)
    for _ in range(3):
        with pytest.raises(SinkUnavailable):
            feed(world.parts, "one")
        write(world, 300)
    assert world.journal.cursor(READER) == 0
    world.faults.give_back("events")
    tell(world)
    assert told(world) == list(range(903))


def test_a_kill_anywhere_loses_nothing() -> None:
    """Before and after each thing that is made durable; another worker goes on. At most the lines that were
    just being told come twice.
    """
    for step in ("journal.claim_cursor", "events.write", "journal.move_cursor"):
        for moment in Moment:
            killed = World()
            write(killed, 250)
            killed.faults.kill(step, 2, moment)
            with pytest.raises(Crash):
                tell(killed, "one")
            killed.faults.revive()
            killed.clock.advance(CLAIM.total_seconds())
            tell(killed, "two")
            positions = told(killed)
            assert list(dict.fromkeys(positions)) == list(range(250))
            assert positions[:200] == list(range(200))
            assert len(positions) in {250, 300}


_SPOILT = [
    None,
    "spoilt",
    "[]",
    '{"v":1}',
    '{"at":"2026-11-22T12:00:00.000000Z","detail":null,"event":"downloaded","v":1}',
    '{"at":"2026-11-22T12:00:00.000000Z","detail":{},"event":null,"v":1}',
    '{"at":"2026-11-22T12:00:00.000000Z","detail":{},"event":"a - - forged\\n","v":1}',
    "[" * 100_000,
]


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("text", _SPOILT)
def test_a_line_that_cannot_be_read_silences_no_other(world: World, text: str | None, form: Form) -> None:
    """Whoever spoils one published line in the database is told of; what comes after it is told too."""
    parts = replace(world.parts, events_form=form)
    write(world, 3)
    world.journal.places[2] = 1, text  # type: ignore[assignment]
    while feed(parts, "one"):
        pass
    assert told(world) == [0, 1, 2]
    spoilt = world.events_sink.told[1]
    assert (spoilt.event, spoilt.severity) == (UNREADABLE, Severity.HIGH)
    assert "cannot be read" in spoilt.text
    assert world.events_sink.told[2].event == Act.CANARIES


@pytest.mark.parametrize("form", [Form.OCSF, Form.ECS, Form.FLAT])
def test_a_number_that_json_cannot_write_is_not_told(world: World, form: Form) -> None:
    """RFC 8259 has no infinity, and a receiver would refuse the event."""
    write(world, 1)
    spoilt = '{"at":"2026-11-22T12:00:00.000000Z","detail":{"duration":1e999},"event":"found_clean","v":1}'
    world.journal.places[1] = 0, spoilt
    feed(replace(world.parts, events_form=form), "one")
    assert world.events_sink.told[0].event == UNREADABLE


def test_a_line_that_is_missing_makes_none_come_twice(world: World) -> None:
    """Positions without a row are passed by."""
    write(world, 5)
    for row in (2, 3):
        del world.journal.places[row]
    tell(world)
    assert told(world) == [0, 3, 4]
    assert world.journal.cursor(READER) == 5


def test_two_workers_tell_nothing_twice(world: World) -> None:
    """While one hands lines over the other waits, and goes on after it."""
    write(world, 250)
    found: list[int] = []
    world.faults.arm("events.write", 1, Moment.BEFORE, lambda: found.append(feed(world.parts, "two")))
    assert feed(world.parts, "one") == 200
    assert found == [0]
    assert feed(world.parts, "two") == 50
    assert told(world) == list(range(250))


def test_a_worker_that_was_too_slow_does_not_go_back(world: World) -> None:
    """Its claim was over and another told the lines: some come twice, none is left out."""
    write(world, 250)

    def overtake() -> None:
        world.clock.advance(CLAIM.total_seconds())
        assert feed(world.parts, "two") == 200

    world.faults.arm("events.write", 1, Moment.AFTER, overtake)
    assert feed(world.parts, "one") == 0
    tell(world)
    assert told(world) == [*range(200), *range(200), *range(200, 250)]


def test_a_ledger_that_is_away_is_told_and_waited_for(world: World) -> None:
    """``LedgerUnavailable`` at whatever it is asked, and nothing is skipped."""
    write(world, 2)
    for step in ("journal.cursor", "journal.lines", "journal.claim_cursor", "journal.move_cursor"):
        world.faults.fail(step, 1, Moment.BEFORE, LedgerUnavailable("away"))
        with pytest.raises(LedgerUnavailable):
            feed(world.parts, "one")
    tell(world)
    assert sorted(set(told(world))) == [0, 1]


def test_a_sink_that_is_away_holds_up_neither_places_nor_checkpoints(world: World) -> None:
    """The feeder is a thread of its own and tells of an outage once; the others do not know of it."""
    bookkeeper, notary, feeder = Bookkeeper(world.parts), Notary(world.parts), Feeder(world.parts)
    world.faults.take_away("events", AWAY)
    for _ in range(3):
        world.journal.append([Entry(world.clock.now(), Act.CANARIES.value)])
        world.clock.advance(60)
        bookkeeper.round()
        notary.round()
        feeder.round()
    assert world.checkpoints.signed[-1].size == world.journal.size() == 3
    assert world.log.failures == [("bookkeeping_failed", AWAY)]
    world.faults.give_back("events")
    world.clock.advance(1)
    feeder.round()
    assert told(world) == [0, 1, 2]
