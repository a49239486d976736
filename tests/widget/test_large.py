"""A large file costs the browser no memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.large import MIB, resident, write_sound
from tests.widget.reach import Scene
from tests.widget.visit import Visit

SIZES = [100 * MIB, pytest.param(300 * MIB, marks=pytest.mark.thorough)]
WARM_UP = 20 * MIB
MOST_HEAP = 8 * MIB
MOST_GROWTH = 64 * MIB


class Weight:
    """The memory of the whole browser, and of the page's scripts."""

    def __init__(self, visit: Visit) -> None:
        browser = visit.context.browser
        assert browser
        self._browser = browser.new_browser_cdp_session()
        self._page = visit.context.new_cdp_session(visit.page)
        self._page.send("Performance.enable")

    def processes(self) -> int:
        """Bytes that all processes of the browser hold."""
        found = self._browser.send("SystemInfo.getProcessInfo")["processInfo"]
        return sum(resident(one["id"]) for one in found)

    def heap(self) -> int:
        """Bytes of live objects of the page's scripts."""
        self._page.send("HeapProfiler.collectGarbage")
        metrics = self._page.send("Performance.getMetrics")["metrics"]
        return next(int(one["value"]) for one in metrics if one["name"] == "JSHeapUsedSize")


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_a_large_file_with_flat_memory(
    scene: Scene, tmp_path: Path, record_property: Callable[[str, object], None], size: int
) -> None:
    """It goes through, byte for byte, and neither the page nor the browser grows by as much; how large makes
    no difference: the suite sends 100 MiB, on demand it is 300.
    """
    visit = scene.visit()
    panel = visit.show().token(visit.grant())
    write_sound(tmp_path / "warm-up.wav", WARM_UP)
    digest = write_sound(tmp_path / "sound.wav", size)
    panel.pick(tmp_path / "warm-up.wav").until("released", seconds=120)
    weight = Weight(visit)
    heap, idle = weight.heap(), weight.processes()
    panel.pick(tmp_path / "sound.wav")
    most_heap, most = heap, idle

    def ended() -> bool:
        nonlocal most_heap, most
        most_heap, most = max(most_heap, weight.heap()), max(most, weight.processes())
        return panel.states() == ["released", "released"]

    visit.until(ended, "release", 300)
    upload = scene.backend.ask(panel.items()[1]["upload"])
    assert (upload["state"], upload["size"], upload["sha256"]) == ("released", size, digest)
    figures = {"heap_growth": most_heap - heap, "browser_growth": most - idle}
    for name, value in figures.items():
        record_property(name, round(value / MIB, 1))
    print({name: f"{value / MIB:.1f} MiB" for name, value in figures.items()})  # noqa: T201
    assert figures["heap_growth"] < MOST_HEAP
    assert figures["browser_growth"] < MOST_GROWTH
    visit.check_quiet()
