"""What must go from the store goes, and what an owner erases is gone."""

import pytest

from service.core.canary import EICAR
from service.core.errors import Busy, LedgerUnavailable, StoreUnavailable
from service.core.upload import Event, Leftover, State
from service.stages.sweep import erase, sweep
from tests.fakes.faults import Crash, Moment
from tests.stages.world import PDF, World


def test_the_quarantined_copy_of_a_released_upload_goes_and_nothing_else(world: World) -> None:
    """A sweep deletes what the rows name, once, and touches no other upload's objects."""
    released = world.upload(PDF)
    blocked = world.upload(EICAR, "a.txt")
    assert sweep(world.parts, 10) == 1
    assert set(world.store.quarantined) == {segment.key for segment in blocked.segments}
    assert set(world.store.released) == {segment.key for segment in released.segments}
    assert sweep(world.parts, 10) == 0


def test_a_sweep_is_bounded(world: World) -> None:
    """At most ``limit`` uploads a time; the rest are found by the next."""
    for _ in range(3):
        world.clock.advance(1)
        world.upload(PDF)
    assert [sweep(world.parts, 2), sweep(world.parts, 2), sweep(world.parts, 2)] == [2, 1, 0]


@pytest.mark.parametrize("operation", ["store.discard_quarantined", "ledger.swept"])
@pytest.mark.parametrize("moment", list(Moment))
def test_a_sweep_that_was_killed_is_done_again(world: World, operation: str, moment: Moment) -> None:
    """Deleting twice is no harm and forgetting is impossible."""
    world.upload(PDF)
    world.faults.kill(operation, 1, moment)
    with pytest.raises(Crash):
        sweep(world.parts, 10)
    world.faults.revive()
    world.settle()
    assert world.broken_laws() == []
    assert world.store.quarantined == {}


@pytest.mark.parametrize(("content", "name"), [(PDF, "a.pdf"), (EICAR, "a.txt")])
def test_an_erased_upload_is_gone_with_its_name(world: World, content: bytes, name: str) -> None:
    """The state first, then the bytes in both buckets; id, digest and log stay, the display name goes."""
    upload = world.upload(content, name)
    erased = erase(world.parts, upload)
    assert (erased.state, erased.name) == (State.ERASED, "")
    assert world.keys() == set()
    world.settle()
    assert world.row().leftover is Leftover.NOTHING
    assert world.events()[-1] is Event.DELETED


def test_erasing_from_a_stale_view_is_busy(world: World) -> None:
    """Compare-and-swap holds for the owner too: nothing is deleted on an old view."""
    upload = world.upload(PDF)
    erase(world.parts, upload)
    with pytest.raises(Busy):
        erase(world.parts, upload)
    assert world.events().count(Event.DELETED) == 1


def test_erasing_what_is_being_scanned_is_busy(world: World) -> None:
    """An upload in the middle of a step is not torn away."""
    world.scanner.takes = 5.0
    seen = []

    def owner_deletes() -> None:
        with pytest.raises(Busy):
            erase(world.parts, world.row())
        seen.append(world.row().state)

    world.faults.arm("scanner.outcome", 2, Moment.BEFORE, owner_deletes)
    assert world.upload(PDF).state is State.RELEASED
    assert seen == [State.SCANNING]


@pytest.mark.parametrize(
    ("part", "error"), [("store", StoreUnavailable("away")), ("ledger.swept", LedgerUnavailable("away"))]
)
@pytest.mark.parametrize("moment", list(Moment))
def test_an_erasure_is_remembered_until_the_bytes_are_gone(
    world: World, part: str, error: Exception, moment: Moment
) -> None:
    """Where the store or the note fails, downloads stop at once all the same and the sweep does the rest."""
    upload = world.upload(PDF)
    operation = "store.discard_released" if part == "store" else part
    world.faults.fail(operation, 1, moment, error)
    assert erase(world.parts, upload).state is State.ERASED
    assert world.row().state is State.ERASED
    world.settle()
    assert world.keys() == set()
    assert world.broken_laws() == []


def test_a_write_that_lands_after_the_end_is_deleted_all_the_same(world: World) -> None:
    """What was on its way to the store when the upload was given up is found by the second deletion."""
    world.faults.fail("store.put", 1, Moment.AFTER, StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable):
        world.upload(PDF)
    world.store.quarantined[f"{world.row().id}/late"] = PDF
    world.settle()
    assert world.keys() == set()
    assert world.row().leftover is Leftover.NOTHING


def test_a_copy_that_lands_after_the_content_was_lost_is_deleted_all_the_same(world: World) -> None:
    """A copy that the store was still at when the release was given up is found by the second deletion."""

    def overwrite() -> None:
        (key,) = world.store.quarantined
        world.store.quarantined[key] = PDF[::-1]

    world.faults.arm("store.release", 1, Moment.BEFORE, overwrite)
    held = world.upload(PDF)
    assert held.state is State.HELD
    assert sweep(world.parts, 10) == 0
    world.store.released[f"{held.id}/late"] = PDF
    world.settle()
    assert world.store.released == {}
    assert world.row().leftover is Leftover.NOTHING


def test_one_upload_that_cannot_be_deleted_keeps_no_other(world: World) -> None:
    """The store's refusal about one is told after all others were swept and noted."""
    for _ in range(3):
        world.clock.advance(1)
        world.upload(PDF)
    world.faults.fail("store.discard_quarantined", 1, Moment.BEFORE, StoreUnavailable("denied"))
    with pytest.raises(StoreUnavailable):
        sweep(world.parts, 10)
    assert [row.leftover for row in world.ledger.rows()].count(Leftover.NOTHING) == 2
    assert sweep(world.parts, 10) == 1
