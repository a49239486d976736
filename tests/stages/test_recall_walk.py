"""Rescans under faults: every operation fails or is killed once, and anything happens in any order."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.errors import GreenroomError
from service.core.journal import Act, of_upload
from service.core.outcome import Outcome
from service.core.upload import Event, Leftover, State, Upload
from service.stages.desk.rescan import rescan
from service.stages.sweep import erase
from tests.fakes.faults import Crash, Moment
from tests.stages import recalling
from tests.stages.recalling import FOUND, MARK, ODDITY, TODAY, learn, newest, released, scan_again
from tests.stages.reviewing import ANA, BEN, confirm, find, proposal
from tests.stages.test_walk import Strike, a_kill, an_error
from tests.stages.world import World

SMALL: Final = b"%PDF-1.7\n" + bytes(range(256))
SMALL_BAD: Final = SMALL + MARK
ENDS: Final[list[tuple[Outcome | None, State]]] = [
    (FOUND, State.BLOCKED),
    (ODDITY, State.HELD),
    (None, State.RELEASED),
]


def prepared(found: Outcome | None) -> tuple[World, Upload]:
    """Return a world in which a file was released an hour ago, and newer signatures have come."""
    world = World()
    upload = released(world, SMALL_BAD if found else SMALL)
    world.clock.advance(3600)
    learn(world, found or FOUND)
    return world, upload


def operations(found: Outcome | None, end: State) -> list[tuple[str, int]]:
    """Return every operation of a rescan without faults, by how often it came since it began."""
    world, upload = prepared(found)
    before = {name: world.faults.count(name) for name, _ in world.faults.calls}
    begun = len(world.faults.calls)
    recalling.settle(world)
    assert world.broken_laws() == []
    assert find(world, upload).state is end
    numbered = [(name, number - before.get(name, 0)) for name, number in world.faults.calls[begun:]]
    return [(name, number) for name, number in numbered if number <= 10]


@pytest.mark.parametrize("strike", [an_error, a_kill])
@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize(("found", "end"), ENDS, ids=["infected", "suspicious", "clean"])
def test_one_fault_at_every_operation_ends_as_without(
    found: Outcome | None, end: State, moment: Moment, strike: Strike
) -> None:
    """Whatever one operation of a rescan does to us, before or after persisting, error or kill -9: the file
    ends as it must and where it must, is counted once, and what was brought back is what was taken away.
    """
    walked = 0
    for name, number in operations(found, end):
        world, upload = prepared(found)
        strike(world, name, number, moment)
        recalling.settle(world)
        assert not world.faults.armed(), f"{name} #{number} was never reached"
        broken = world.broken_laws()
        row, one = find(world, upload), newest(world)
        place = world.store.released if end is State.RELEASED else world.store.quarantined
        if row.state is not end:
            broken.append(f"ended {row.state}")
        if {segment.key for segment in row.segments} - place.keys():
            broken.append("gone")
        elif b"".join(world.opened(row, s, place[s.key]) for s in row.segments) != (
            SMALL_BAD if found else SMALL
        ):
            broken.append("other bytes")
        if (one.total, one.done, one.recalled + one.held) != (1, 1, int(found is not None)):
            broken.append(f"counted as {one}")
        if len([line for line in world.ledger.lines(row.id) if line.before is State.RELEASED]) > 1:
            broken.append("called back twice")
        if [entry.event for entry in world.journal.entries].count(Act.RESCAN_ENDED) != 1:
            broken.append("ended more than once")
        assert broken == [], f"{moment} at {name} #{number}"
        walked += 1
    assert walked > 15


def test_the_walk_touches_what_matters() -> None:
    """It is exhaustive only if the rescan it walks does everything."""
    names = {name for found, end in ENDS for name, _ in operations(found, end)}
    assert names >= {
        "rescans.begin", "rescans.take", "rescans.finish", "rescans.end", "ledger.save", "ledger.returned",
        "ledger.swept", "store.recall", "store.read_released", "store.read_quarantined",
        "store.discard_released", "scanner.outcome", "accounts.find",
    }  # fmt: skip


ACTS: Final = st.one_of(
    st.tuples(st.just("upload"), st.booleans()),
    st.tuples(st.just("learn"), st.booleans()),
    st.tuples(st.just("forget")),
    st.tuples(st.just("scan")),
    st.tuples(st.just("download")),
    st.tuples(st.just("release")),
    st.tuples(st.just("rescan")),
    st.tuples(st.just("erase")),
    st.tuples(st.just("work")),
    st.tuples(st.just("wait"), st.sampled_from([1, 61, 301, 3600])),
    st.tuples(
        st.just("fault"),
        st.sampled_from(
            ["ledger.save", "ledger.returned", "store.recall", "store.discard_released", "rescans.finish"]
        ),
        st.sampled_from(Moment),
    ),
)


class Anything:
    """Does what it is told."""

    def __init__(self) -> None:
        self.world = World()
        self.version = TODAY

    def do(self, act: tuple[object, ...]) -> None:
        """Do one act; what is refused is refused, what is killed starts again."""
        try:
            getattr(self, f"_{act[0]}")(*act[1:])
        except GreenroomError:
            pass
        except Crash:
            self.world.faults.revive()

    def _any(self) -> Upload:
        rows = [row for row in self.world.ledger.rows() if row.state is not State.ERASED]
        return rows[-1] if rows else self.world.upload(SMALL_BAD)

    def _upload(self, bad: bool) -> None:  # noqa: FBT001 - drawn
        self.world.clock.advance(1)
        self.world.upload(SMALL_BAD if bad else SMALL)

    def _learn(self, sure: bool) -> None:  # noqa: FBT001 - drawn
        self.version += 1
        learn(self.world, FOUND if sure else ODDITY, self.version)

    def _forget(self) -> None:
        self.version += 1
        learn(self.world, FOUND, self.version)
        self.world.scanner.learned = {}

    def _scan(self) -> None:
        scan_again(self.world)

    def _download(self) -> None:
        line = of_upload(self._any(), Act.DOWNLOADED, self.world.clock.now(), "grant:gt_1")
        self.world.ledger.downloaded(line)

    def _release(self) -> None:
        confirm(self.world.parts, BEN, proposal(self.world, self._any()).id)

    def _rescan(self) -> None:
        row = self._any()
        rescan(self.world.parts, ANA, row.id, row.version)

    def _erase(self) -> None:
        erase(self.world.parts, self._any())

    def _work(self) -> None:
        self.world.work()

    def _wait(self, seconds: float) -> None:
        self.world.clock.advance(seconds)
        self.world.work()

    def _fault(self, operation: str, moment: Moment) -> None:
        self.world.faults.kill(operation, 1, moment)


def check_anything(acts: list[tuple[object, ...]]) -> None:
    """Do it all, let it come to rest, and look whether any law was broken."""
    anything = Anything()
    for act in acts:
        anything.do(act)
    world = anything.world
    recalling.settle(world)
    recalling.settle(world)
    assert world.violations == []
    assert world.rescans.open() == []
    keys = world.keys()
    for row in world.ledger.rows():
        assert row.leftover is Leftover.NOTHING
        place = {State.RELEASED: world.store.released, State.ERASED: {}, State.ABANDONED: {}}.get(
            row.state, world.store.quarantined
        )
        if row.state not in {State.ERASED, State.ABANDONED}:
            content = b"".join(world.opened(row, s, place[s.key]) for s in row.segments)
            assert content in {SMALL_BAD, SMALL}
            assert len(content) == row.size
        stored = {key for key in keys if key.startswith(row.id)}
        assert stored == {key for key in place if key.startswith(row.id)}
        released_in = [line for line in world.ledger.lines(row.id) if line.event is Event.COPIED_OUT]
        left = [line for line in world.ledger.lines(row.id) if line.before is State.RELEASED]
        assert len(released_in) - len(left) == (row.state is State.RELEASED)


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTS, max_size=25))
def test_whatever_happens_in_whatever_order_contents_are_where_they_belong(
    acts: list[tuple[object, ...]],
) -> None:
    """New signatures, scans, recalls, decisions, deletions, days that pass, processes that are killed: each
    content lies in one place, which is that of its state, byte for byte, and each rescan ends.
    """
    check_anything(acts)


@pytest.mark.thorough
@settings(max_examples=5000, deadline=None)
@given(st.lists(ACTS, max_size=60))
def test_whatever_happens_in_whatever_order_thoroughly(acts: list[tuple[object, ...]]) -> None:
    """The same law with many more lives."""
    check_anything(acts)
