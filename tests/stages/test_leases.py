"""Leases: a process at work keeps its upload, a silent one loses it, and the loser leaves nothing behind."""

import threading
from dataclasses import replace
from datetime import datetime
from typing import Final

import pytest

from service.core.errors import Conflict, LedgerUnavailable
from service.core.upload import Event, State, Upload
from service.jobs.reconcile import reconcile
from service.stages.heartbeat import LEASE, Heartbeat
from tests.fakes.clock import FakeClock
from tests.fakes.credentials import FakeCredentials
from tests.fakes.faults import Faults, Moment
from tests.fakes.ledger import FakeLedger
from tests.fakes.log import FakeLog
from tests.stages.world import PDF, Scripted, World

SLOW: Final = 16 * 1024


def test_a_slow_upload_keeps_its_lease(world: World) -> None:
    """As long as its process beats, an upload of minutes is not taken for dead."""

    def a_while() -> None:
        world.clock.advance(6)
        world.heartbeat.beat()
        world.report_canaries()
        reconcile(world.parts, world.queue)

    upload = world.upload(Scripted(PDF[: SLOW * 20], SLOW, a_while), announced=SLOW * 20, patience=30)
    assert upload.created_at + 3 * LEASE < world.clock.now()
    assert Event.GAVE_UP not in world.events()
    world.settle()
    assert world.row().state is State.RELEASED


def test_a_lease_that_ran_out_loses_the_upload_and_its_bytes(world: World) -> None:
    """A process that was silent too long finds its upload abandoned; nothing is released or left behind."""

    def silence() -> None:
        world.clock.advance(21)
        reconcile(world.parts, world.queue)

    with pytest.raises(Conflict):
        world.upload(Scripted(PDF, between=silence))
    assert world.row().state is State.ABANDONED
    assert world.keys() == set()
    world.settle()
    assert world.broken_laws() == []


@pytest.mark.parametrize("moment", list(Moment))
def test_bytes_stored_after_the_upload_was_abandoned_are_deleted(world: World, moment: Moment) -> None:
    """The reconciler sweeps while the last put is under way: what that put then stores must go too."""

    def abandoned_meanwhile() -> None:
        world.clock.advance(21)
        reconcile(world.parts, world.queue)

    world.faults.arm("store.put", 1, moment, abandoned_meanwhile)
    with pytest.raises(Conflict):
        world.upload(PDF)
    assert world.events() == [Event.GAVE_UP]
    world.settle()
    assert world.keys() == set()
    assert world.broken_laws() == []


def test_a_long_scan_keeps_its_lease(world: World) -> None:
    """A scan longer than a lease is not taken for a crash while its process beats."""
    world.scanner.takes = 60.0

    def a_while() -> None:
        for _ in range(5):
            world.clock.advance(6)
            world.heartbeat.beat()
            reconcile(world.parts, world.queue)

    world.faults.arm("scanner.outcome", 2, Moment.BEFORE, a_while)
    upload = world.upload(PDF, patience=100)
    assert (upload.state, upload.attempts) == (State.RELEASED, 0)


def test_a_beat_goes_on_after_the_ledger_was_away(world: World) -> None:
    """A beat that the ledger did not hear is made good by the next one."""

    def a_while() -> None:
        world.clock.advance(6)
        world.faults.fail("ledger.renew", 1, Moment.BEFORE, LedgerUnavailable("away"))
        world.heartbeat.beat()
        world.heartbeat.beat()
        reconcile(world.parts, world.queue)

    world.upload(Scripted(PDF[: SLOW * 20], SLOW, a_while), announced=SLOW * 20, patience=0)
    assert Event.GAVE_UP not in world.events()


class SignallingLedger(FakeLedger):
    """Tells a test that a lease was renewed."""

    def __init__(self) -> None:
        super().__init__(Faults(), lambda _upload: None, FakeCredentials(Faults()))
        self.renewed = threading.Event()

    def renew(self, upload: Upload, lease_until: datetime) -> None:
        """Renew and tell."""
        super().renew(upload, lease_until)
        self.renewed.set()


def test_the_heart_beats_of_itself_well_within_a_lease(world: World) -> None:
    """The one test that waits for real time: the thread renews what is held before its lease is over."""
    ledger, clock = SignallingLedger(), FakeClock()
    upload = ledger.save(replace(world.upload(PDF), version=0, segments=(), state=State.RECEIVING))
    with Heartbeat(ledger, clock, FakeLog()).hold(upload):
        assert ledger.renewed.wait(LEASE.total_seconds() / 2)
    row = ledger.find(upload.id)
    assert row
    assert row.lease_until == clock.now() + LEASE
