"""The overview, in this process."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from service.core.errors import ScannerUnavailable
from service.core.reviewer import Role
from service.stages.desk.bookkeeping import SILENT
from service.stages.desk.overview import Span, overview
from service.stages.recall.rescan import begin_if_outdated, scan_next
from service.web.console import chart
from tests.console import filled
from tests.console.office import Office
from tests.fakes.faults import Moment
from tests.stages import recalling
from tests.stages.world import PDF


def page(office: Office, span: str = "day") -> str:
    """The page, as somebody sees it."""
    return office.person(Role.READER).get(f"/?span={span}").get_data(as_text=True)


def card(text: str, name: str) -> tuple[str, str]:
    """The tone and the figure of the card with that name."""
    found = re.search(rf'<div class="card ?([a-z]*)"><dt>{name}</dt><dd class="figure">([^<]*)', text)
    assert found, name
    return found[1], found[2].strip()


def test_a_service_where_nothing_happened(office: Office) -> None:
    """Zeros, and that nothing is known yet of the canaries."""
    text = page(office)
    for name in ("Uploads, 24 h", "Infected, 24 h", "Held for a person", "Queue"):
        assert card(text, name) == ("", "0")
    assert card(text, "Canaries") == ("warn", "no word")


@pytest.mark.parametrize(("span", "number"), [("day", 13), ("month", 16), ("odd", 13)])
def test_the_table_behind_the_chart_says_what_it_shows(office: Office, span: str, number: int) -> None:
    """Each upload of the time is in one column, and the card has their sum."""
    filled.fill(office.world.parts, office.world.clock.now(), "acme")
    text = page(office, span)
    rows = re.findall(r'<tr><th scope="row" class="nowrap">.*?</tr>', text)
    counts = [[int(cell) for cell in re.findall(r'<td class="num">(\d+)', row)] for row in rows]
    assert [row[0] for row in counts] == [sum(row[1:]) for row in counts]
    assert sum(row[0] for row in counts) == number
    assert int(card(text, "Uploads, 30 days" if span == "month" else "Uploads, 24 h")[1]) == number


def test_a_chart_is_to_scale(office: Office) -> None:
    """Bars stand on each other from the floor up, none is above the top, and heights are as counts."""
    filled.fill(office.world.parts, office.world.clock.now(), "acme")
    shown = overview(office.world.parts, office.desk.archive, Span.DAY)
    drawn = chart.draw(shown)
    floor, top = drawn.levels[0].at, drawn.levels[-1].at
    unit = (floor - top) / int(drawn.levels[-1].text)
    for x in {bar.x for bar in drawn.bars}:
        column = sorted((bar for bar in drawn.bars if bar.x == x), key=lambda bar: -bar.y)
        edge = floor
        for bar in column:
            assert bar.y + bar.height == pytest.approx(edge, abs=0.02)
            assert bar.height / unit == pytest.approx(round(bar.height / unit), abs=0.01)
            edge = bar.y
        assert edge >= top


def test_what_the_log_says_of_the_scanner(office: Office) -> None:
    """Canaries that passed, failed or fell silent, and when the signatures changed."""
    world = office.world
    filled.tell_of_scanner(world.parts, world.clock.now())
    filled.keep(world.parts)
    text = page(office)
    assert card(text, "Canaries") == ("good", "passed")
    assert "from version 27825 to 27826" in text
    world.clock.advance(SILENT.total_seconds())
    assert card(page(office), "Canaries") == ("warn", "silent")
    filled.tell_of_scanner(world.parts, world.clock.now(), "EICAR is found: clean")
    text = page(office)
    assert card(text, "Canaries") == ("bad", "failed")
    assert "EICAR is found: clean" in text


def _scanner_away(office: Office) -> None:
    office.world.faults.fail("scanner.engine", 1, Moment.BEFORE, ScannerUnavailable("no clamd"))


def _signatures_old(office: Office) -> None:
    office.world.clock.advance(timedelta(days=3).total_seconds())


@pytest.mark.parametrize(
    ("trouble", "name", "figure"),
    [(_scanner_away, "Signatures", "unknown"), (_signatures_old, "Signatures", "3 d")],
)
def test_what_is_wrong_stands_out(
    office: Office, trouble: Callable[[Office], None], name: str, figure: str
) -> None:
    """A card with its own tone and words."""
    trouble(office)
    tone, said = card(page(office), name)
    assert tone == "bad"
    assert said.startswith(figure)


def test_a_log_that_is_behind_stands_out(office: Office) -> None:
    """When a line waits for a checkpoint for longer than two minutes."""
    filled.tell_of_scanner(office.world.parts, office.world.clock.now() + timedelta(hours=30))
    office.world.clock.advance(119)
    assert card(page(office), "Log")[0] == ""
    office.world.clock.advance(2)
    assert card(page(office), "Log")[0] == "bad"
    filled.keep(office.world.parts)
    assert card(page(office), "Log")[0] == ""


def test_how_far_a_rescan_has_come(office: Office) -> None:
    """Nothing of it before there was one; then what waits, what was done and what was withdrawn."""
    world = office.world
    assert "scanned again" not in page(office)
    for content in (recalling.BAD, PDF):
        recalling.released(world, content)
    recalling.learn(world)
    begun = begin_if_outdated(world.parts)
    assert begun is not None
    assert card(page(office), "To scan again") == ("", "2")
    assert scan_next(world.parts)
    assert scan_next(world.parts)
    text = page(office)
    assert card(text, "To scan again") == ("", "0")
    row = re.search(r"<td>signatures 27827</td>(.*?)</tr>", text, re.DOTALL)
    assert row is not None
    assert '<progress max="2" value="2"' in row[1]
    assert re.findall(r'<td class="num[^"]*">([^<]*)', row[1]) == ["2 of 2", "1", "0"]
    assert "under way" in row[1]
    world.rescans.end(world.clock.now())
    assert "under way" not in page(office)
