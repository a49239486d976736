"""Decisions under faults: every operation fails or is killed once, and anything happens in any order."""

from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.decision import Choice
from service.core.errors import GreenroomError, PartUnavailable
from service.core.upload import Event, Leftover, State, Upload
from service.stages.desk.allow import revoke
from service.stages.desk.decide import reject
from service.stages.sweep import erase
from tests.fakes.faults import Crash, Moment
from tests.stages.reviewing import ANA, BEN, CAT, ODD, asked, confirm, find, held, proposal
from tests.stages.test_walk import Strike, a_kill, an_error
from tests.stages.world import World


def released(world: World, upload: Upload) -> None:
    """Have a held file let go by two people."""
    confirm(world.parts, BEN, proposal(world, upload).id)


def blocked(world: World, upload: Upload) -> None:
    """Have a held file stopped by two people."""
    confirm(world.parts, BEN, proposal(world, upload, Choice.BLOCK).id)


def rejected(world: World, upload: Upload) -> None:
    """Have a proposal rejected."""
    reject(world.parts, BEN, proposal(world, upload).id)


def allowed(world: World, upload: Upload) -> None:
    """Have a finding allowed, and what it was found in scanned again."""
    confirm(world.parts, BEN, proposal(world, upload, Choice.ALLOW).id)
    asked(world, upload)


def revoked(world: World, upload: Upload) -> None:
    """Have a finding allowed and not allowed any more; then scan again."""
    confirm(world.parts, BEN, proposal(world, upload, Choice.ALLOW).id)
    revoke(world.parts, CAT, world.decisions.allowances.page(None, 1)[0].id)
    asked(world, upload)


Life = Callable[[World, Upload], None]
#: What people do about a held file, and where that brings it.
LIVES: Final[dict[Life, State]] = {
    released: State.RELEASED,
    blocked: State.BLOCKED,
    rejected: State.HELD,
    allowed: State.RELEASED,
    revoked: State.HELD,
}


def lived(world: World, life: Life, upload: Upload) -> bool:
    """Live it, and let all come to rest; return whether everybody was told that it went well."""
    try:
        life(world, upload)
    except (Crash, PartUnavailable):
        return False
    finally:
        world.faults.revive()
        world.settle()
    return True


def operations(life: Life) -> list[tuple[str, int]]:
    """Return every operation of a life without faults, by how often it came since the file was held."""
    world = World()
    upload = held(world)
    before = {name: world.faults.count(name) for name, _ in world.faults.calls}
    begun = len(world.faults.calls)
    assert lived(world, life, upload)
    assert world.broken_laws() == []
    assert world.row().state is LIVES[life]
    numbered = [(name, number - before.get(name, 0)) for name, number in world.faults.calls[begun:]]
    return [(name, number) for name, number in numbered if number <= 10]


@pytest.mark.parametrize("strike", [an_error, a_kill])
@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("life", LIVES)
def test_one_fault_at_every_operation_releases_nothing_undecided(
    life: Life, moment: Moment, strike: Strike
) -> None:
    """Whatever one operation does to us, before or after persisting: a file is released byte for byte by two
    people's word, or not at all, and all comes to rest. What people were told went well did.
    """
    for name, number in operations(life):
        world = World()
        upload = held(world)
        strike(world, name, number, moment)
        told = lived(world, life, upload)
        assert not world.faults.armed(), f"{name} #{number} was never reached"
        row, broken = world.row(), world.broken_laws()
        if row.state not in ({LIVES[life]} if told else {LIVES[life], State.HELD}):
            broken.append(f"told {told}, ended {row.state}")
        if row.state is State.RELEASED and world.content(row) != ODD:
            broken.append("released other bytes")
        assert broken == [], f"{moment} at {name} #{number}"


def test_the_lives_touch_what_matters() -> None:
    """The walk is exhaustive only if the lives it walks do everything."""
    names = {name for life in LIVES for name, _ in operations(life)}
    assert names >= {
        "decisions.propose", "decisions.find", "decisions.reject", "decisions.allow", "allowances.excusing",
        "allowances.find", "allowances.revoke", "ledger.save", "ledger.history", "store.release",
    }  # fmt: skip


PEOPLE: Final = st.sampled_from([ANA, BEN, CAT])
ACTS: Final = st.one_of(
    st.tuples(st.just("upload")),
    st.tuples(st.just("propose"), PEOPLE, st.sampled_from(Choice)),
    st.tuples(st.just("confirm"), PEOPLE),
    st.tuples(st.just("reject"), PEOPLE),
    st.tuples(st.just("rescan"), PEOPLE),
    st.tuples(st.just("revoke"), PEOPLE),
    st.tuples(st.just("erase")),
    st.tuples(st.just("work")),
    st.tuples(st.just("wait"), st.sampled_from([1, 21, 301, 86_400, 8 * 86_400])),
    st.tuples(
        st.just("fault"),
        st.sampled_from(["ledger.save", "store.release", "decisions.allow", "store.discard_released"]),
        st.sampled_from(Moment),
    ),
)


class Anything:
    """Does what it is told, and remembers who really agreed to what."""

    def __init__(self) -> None:
        self.world = World()
        self.proposed: list[str] = []
        self.refused = 0

    def do(self, act: tuple[object, ...]) -> None:
        """Do one act; what is refused is refused, what is killed starts again."""
        try:
            getattr(self, f"_{act[0]}")(*act[1:])
        except GreenroomError:
            self.refused += 1
        except Crash:
            self.world.faults.revive()

    def _newest(self) -> Upload:
        rows = [row for row in self.world.ledger.rows() if row.state is not State.ERASED]
        return rows[-1] if rows else self.world.upload(ODD)

    def _upload(self) -> None:
        self.world.upload(ODD)

    def _propose(self, who: str, choice: Choice) -> None:
        self.proposed.append(proposal(self.world, self._newest(), choice, by=who).id)

    def _confirm(self, who: str) -> None:
        confirm(self.world.parts, who, self.proposed[-1] if self.proposed else "de_0")

    def _reject(self, who: str) -> None:
        reject(self.world.parts, who, self.proposed[-1] if self.proposed else "de_0")

    def _rescan(self, who: str) -> None:
        asked(self.world, self._newest(), by=who)

    def _revoke(self, who: str) -> None:
        for one in self.world.decisions.allowances.page(None, 1):
            revoke(self.world.parts, who, one.id)

    def _erase(self) -> None:
        erase(self.world.parts, self._newest())

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
    world.settle()
    world.settle()
    assert world.violations == []
    for row in world.ledger.rows():
        assert row.leftover is Leftover.NOTHING
        lines = world.ledger.lines(row.id)
        cleared = [line for line in lines if line.event is Event.REVIEWER_CLEARED]
        named = [line.detail["decision"] for line in cleared if "allowance" not in line.detail]
        assert len(named) == len(set(named)), "a decision releases once"
        for line in cleared:
            assert line.actor not in {None, f"reviewer:{line.detail['proposed_by']}"}
        if row.state is State.RELEASED:
            assert world.content(find(world, row)) == ODD


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTS, max_size=25))
def test_whatever_happens_in_whatever_order_two_people_let_a_file_go(acts: list[tuple[object, ...]]) -> None:
    """Proposals, confirmations, rejections, scans, deletions, revocations, days that pass, processes that are
    killed: nothing is released but by a decision of two people about exactly that content, and what is
    released is there.
    """
    check_anything(acts)


@pytest.mark.thorough
@settings(max_examples=5000, deadline=None)
@given(st.lists(ACTS, max_size=60))
def test_whatever_happens_in_whatever_order_thoroughly(acts: list[tuple[object, ...]]) -> None:
    """The same law with many more lives."""
    check_anything(acts)
