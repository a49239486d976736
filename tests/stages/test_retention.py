"""Retention on fakes: what goes when its time is over, and what stays."""

import argparse
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from service import retention as command
from service.core.canary import EICAR
from service.core.errors import BadRequest
from service.core.journal import Act, Entry
from service.core.meeting import Meeting
from service.core.upload import Event, State, Upload
from service.jobs.retainer import Retainer
from service.stages import accounts, holds, retention
from service.stages.holds import Wanted
from service.stages.retention import BATCH
from tests.fakes.faults import Crash, Moment
from tests.stages.reviewing import held
from tests.stages.world import CALLER, PDF, World

ADMIN: Final = "key:gr_ad"
DAY: Final = timedelta(days=1).total_seconds()
HOUR: Final = timedelta(hours=1).total_seconds()


def say(world: World, **changes: object) -> None:
    """Let the backend say something of the meeting."""
    known = world.meetings.find(CALLER.account_id, "m1") or Meeting(CALLER.account_id, "m1")
    line = Entry(world.clock.now(), Act.MEETING_CHANGED.value)
    world.meetings.save(replace(known, **changes), line)  # type: ignore[arg-type]


def state(world: World, upload: Upload) -> State:
    """Return where an upload is now."""
    return next(row.state for row in world.ledger.rows() if row.id == upload.id)


def run(world: World, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """Run the command and return its lines."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser, lambda: world.parts)
    options = parser.parse_args(words)
    assert options.run(options) == 0
    return capsys.readouterr().out.splitlines()


def test_what_is_over_goes_and_nothing_before(world: World) -> None:
    """The bytes, the name and the person, with one line of the log that says that time did it."""
    released = world.upload(PDF)
    world.clock.advance(1)
    blocked = world.upload(EICAR, "a.txt")
    world.settle()
    world.clock.advance(27 * DAY)
    assert retention.work(world.parts, "") is None
    assert (state(world, released), state(world, blocked)) == (State.RELEASED, State.BLOCKED)
    world.clock.advance(2 * DAY)
    assert retention.work(world.parts, "") is None
    assert (state(world, released), state(world, blocked)) == (State.RELEASED, State.ERASED)
    assert world.events(blocked)[-1] is Event.RETENTION_ENDED
    assert world.ledger.lines(blocked.id)[-1].actor is None
    world.clock.advance(336 * DAY)
    assert retention.work(world.parts, "") is None
    world.settle()
    assert {row.state for row in world.ledger.rows()} == {State.ERASED}
    assert {(row.name, row.person) for row in world.ledger.rows()} == {("", None)}
    assert world.keys() == set()
    assert world.broken_laws() == []


def test_nothing_goes_before_its_meeting(world: World) -> None:
    """However long ago it came; and a meeting that is put off while the worker is at it keeps its files."""
    upload = world.upload(PDF)
    say(world, starts_at=world.clock.now() + timedelta(days=400), retention={"released": 1})
    world.clock.advance(400 * DAY)
    retention.work(world.parts, "")
    assert state(world, upload) is State.RELEASED
    world.clock.advance(DAY)
    [found], _ = retention.ended(world.parts, world.clock.now(), "")
    say(world, starts_at=world.clock.now() + timedelta(days=1))
    assert not retention.end(world.parts, found)
    assert state(world, upload) is State.RELEASED
    world.clock.advance(2 * DAY)
    retention.work(world.parts, "")
    assert state(world, upload) is State.ERASED


def test_a_decision_begins_the_time_anew(world: World) -> None:
    """What was found to be over and moved since is left alone."""
    upload = held(world)
    world.clock.advance(90 * DAY)
    [found], _ = retention.ended(world.parts, world.clock.now(), "")
    world.ledger.save(upload.moved(Event.RESCAN_ASKED, world.clock.now()))
    assert not retention.end(world.parts, found)
    assert state(world, upload) is State.QUARANTINED


def test_a_removed_account_keeps_all_until_it_is_back(world: World) -> None:
    """Also what was found to be over before it was removed."""
    upload = world.upload(PDF)
    world.clock.advance(365 * DAY)
    [found], _ = retention.ended(world.parts, world.clock.now(), "")
    # Removed at the last moment: after all was looked at, in the instant before the ledger saves.
    world.faults.arm("ledger.save", 1, Moment.BEFORE, lambda: _removed(world))
    assert not retention.end(world.parts, found)
    retention.work(world.parts, "")
    assert state(world, upload) is State.RELEASED
    accounts.reactivate(world.parts, CALLER.account_id, ADMIN)
    retention.work(world.parts, "")
    assert state(world, upload) is State.ERASED


def _removed(world: World) -> None:
    accounts.remove(world.parts, CALLER.account_id, ADMIN)


def test_a_worker_goes_through_all_every_hour(world: World) -> None:
    """One batch in a round, also where all in a batch must stay; nothing is asked again before."""
    for _ in range(BATCH + 1):
        world.clock.advance(0.001)
        world.begin(len(PDF))
    for row in world.ledger.rows():
        world.ledger.save(row.moved(Event.GAVE_UP, world.clock.now()))
    rows = world.ledger.rows()
    last = rows[-1]
    for row in rows[:BATCH]:
        holds.place(world.parts, Wanted("acme", "Order 12/2026", untrusted_upload=row.id), ADMIN)
    retainer = Retainer(world.parts)
    retainer.round()
    retainer.round()
    world.clock.advance(8 * DAY)
    retainer.round()
    assert state(world, last) is State.ABANDONED
    retainer.round()
    assert state(world, last) is State.ERASED
    assert sum(row.state is State.ERASED for row in world.ledger.rows()) == 1
    asked = world.faults.count("ledger.at_rest")
    retainer.round()
    assert world.faults.count("ledger.at_rest") == asked
    world.clock.advance(HOUR)
    retainer.round()
    assert world.faults.count("ledger.at_rest") == asked + 1


def test_the_list_says_what_when_and_why_and_erases_nothing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """By plan, by a meeting's own days, under hold, and accounts that were removed; also days ahead."""
    upload = world.upload(PDF)
    assert run(world, capsys, "--dry-run") == []
    [line] = run(world, capsys, "--dry-run", "--days", "365")
    assert upload.id in line
    assert "365 days of the paid plan" in line
    say(world, starts_at=world.clock.now() + timedelta(days=2), retention={"released": 1})
    world.clock.advance(3 * DAY)
    hold = holds.place(world.parts, Wanted("acme", "Order 12/2026"), ADMIN)
    [line] = run(world, capsys, "--dry-run")
    assert "1 days its meeting's own, from the meeting's start" in line
    assert f"KEPT by {hold.id}" in line
    accounts.remove(world.parts, CALLER.account_id, ADMIN)
    assert run(world, capsys, "--dry-run", "--days", "90") == []
    holds.lift(world.parts, hold.id, ADMIN)
    [line] = run(world, capsys, "--dry-run", "--days", "90")
    assert line.startswith("all of  acme")
    assert "90 days of the paid plan" in line
    assert state(world, upload) is State.RELEASED


def test_the_command_erases_what_is_over(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """And says how many; nothing is erased before its time."""
    upload = world.upload(PDF)
    assert run(world, capsys) == ["0 uploads erased"]
    world.clock.advance(365 * DAY)
    with pytest.raises(BadRequest):
        run(world, capsys, "--days", "1")
    assert state(world, upload) is State.RELEASED
    assert run(world, capsys) == ["1 uploads erased"]
    assert state(world, upload) is State.ERASED


@pytest.mark.parametrize("odd", ["-1", "x", "1.5", "36501", "9" * 40])
def test_odd_days_are_refused(world: World, odd: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is asked."""
    with pytest.raises(SystemExit):
        run(world, capsys, "--dry-run", "--days", odd)


def test_accounts_are_due_for_erasure_after_their_time(world: World) -> None:
    """Neither before, nor under any hold, nor once they are back or erased."""
    world.upload(PDF)

    def due() -> list[str]:
        return [one.id for one in accounts.due_for_erasure(world.parts, world.clock.now())]

    accounts.remove(world.parts, CALLER.account_id, ADMIN)
    world.clock.advance(90 * DAY - 1)
    assert due() == []
    world.clock.advance(1)
    assert due() == [CALLER.account_id]
    hold = holds.place(world.parts, Wanted("acme", "Order 12/2026", untrusted_meeting="m7"), ADMIN)
    assert due() == []
    holds.lift(world.parts, hold.id, ADMIN)
    account = accounts.find(world.parts, CALLER.account_id)
    erased = world.accounts.change(replace(account, erased_at=world.clock.now()), None)
    assert due() == []
    world.accounts.change(replace(erased, erased_at=None, removed_at=None, erase_at=None), None)
    assert due() == []


#: What a batch calls.
_CALLS: Final = (
    *("ledger.at_rest", "ledger.find", "accounts.find", "meetings.find", "holds.covering", "ledger.save"),
    *("store.discard_quarantined", "store.discard_released"),
)


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("call", _CALLS)
def test_it_may_be_ended_anywhere(world: World, call: str, moment: Moment) -> None:
    """By a kill before or after any call: the next pass and the sweep finish what was begun."""
    upload = world.upload(PDF)
    world.settle()
    world.clock.advance(365 * DAY)
    world.faults.kill(call, 1, moment)
    with pytest.raises(Crash):
        retention.work(world.parts, "")
    world.faults.revive()
    retention.work(world.parts, "")
    assert state(world, upload) is State.ERASED
    world.settle()
    assert world.keys() == set()
    assert world.events(upload).count(Event.RETENTION_ENDED) == 1
