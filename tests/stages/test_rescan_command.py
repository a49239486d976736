"""Somebody asks for a rescan, and watches how far it has come."""

import io
import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest

from service.core.errors import NotFound
from service.core.rescan import Rescan, Wanted
from service.rescans import Bar, described
from service.stages.recall.progress import ask, follow
from service.stages.recall.rescan import scan_next
from tests.stages.recalling import BAD, learn, newest, released
from tests.stages.world import PDF, World


class Terminal(io.StringIO):
    """A terminal that keeps what was drawn."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


def test_it_is_followed_until_it_ends(world: World) -> None:
    """Each look tells the truth of that moment, and the last one that all is done."""
    for content in (PDF, BAD, PDF):
        released(world, content)
    learn(world)
    seen: list[tuple[int, int]] = []

    def tell(rescans: Sequence[Rescan]) -> None:
        (one,) = rescans
        seen.append((one.done, one.recalled))

    def pause() -> None:
        if not scan_next(world.parts):
            world.rescans.end(world.clock.now())

    (ended,) = follow(world.parts, [ask(world.parts, Wanted(asked_by="operator:command"))], tell, pause)
    assert seen[0] == (0, 0)
    assert seen[-1] == (3, 1)
    assert seen == sorted(seen)
    assert ended == newest(world)
    assert described(ended).endswith(f"asked for  all  3 of 3 files, 1 blocked, 0 held  {_ended(ended)}")


def _ended(rescan: Rescan) -> str:
    assert rescan.ended_at is not None
    return f"ended {rescan.ended_at:%Y-%m-%dT%H:%M:%S}.000Z"


@pytest.mark.parametrize("wanted", [Wanted(upload_id="up_none"), Wanted(account_id="nobody"), Wanted()])
def test_where_there_is_nothing_it_is_said(world: World, wanted: Wanted) -> None:
    """One that was never released, an account that is none, a service without files."""
    if wanted != Wanted():
        released(world, PDF)
    with pytest.raises(NotFound):
        ask(world.parts, wanted)
    assert world.rescans.newest(1) == []


def _drawn(out: io.StringIO, world: World) -> list[str]:
    """Draw a rescan of 1,000 files, a tenth each second."""
    seconds = itertools.count()
    bar = Bar(out, lambda: float(next(seconds)))
    rescan = Rescan(1, Wanted(27827), world.clock.now(), 1000)
    for done in range(0, 1001, 100):
        ended = world.clock.now() if done == 1000 else None
        bar([replace(rescan, done=done, recalled=done // 100, ended_at=ended)])
    return out.getvalue().replace("\x1b[K", "").splitlines()


def test_in_a_terminal_one_line_is_drawn_over_and_over(world: World) -> None:
    """It fills, says how long it may take at the rate so far, and ends the line only when it is full."""
    out = Terminal()
    lines = [line for line in _drawn(out, world) if line]
    assert out.getvalue().count("\n") == 1
    assert (
        lines[0] == f"[{'.' * 24}]   0 %  0 of 1,000 files, 0 blocked, 0 held  none yet; is a worker running?"
    )
    assert (
        lines[5] == f"[{'#' * 12}{'.' * 12}]  50 %  500 of 1,000 files, 5 blocked, 0 held  about 0:00:05 left"
    )
    assert lines[-1] == f"[{'#' * 24}] 100 %  1,000 of 1,000 files, 10 blocked, 0 held"


def test_elsewhere_a_line_is_written_now_and_then(world: World) -> None:
    """Every five seconds, and the last one."""
    lines = _drawn(io.StringIO(), world)
    assert [line.split("]")[1].split("%")[0].strip() for line in lines] == ["0", "50", "100"]
