"""The demo page of `make run`, as a visitor's browser shows it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from stack.clamd import ROOT
from stack.samples import clean_deck
from tests.stack.running import Place

AXE = ROOT / "widget" / "node_modules" / "axe-core" / "axe.min.js"
SECONDS = 60.0
UNDER_WAY = re.compile("waiting|uploading")
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.blockedURI));
"""


@dataclass(frozen=True)
class Visit:
    """One visitor's page, and what it complained of."""

    page: Page
    complaints: list[str]

    def states(self, *wanted: str) -> None:
        """Wait until the uploads, newest first, are told to be in these states."""
        rows = self.page.locator("#journeys > li")
        for at, state in enumerate(wanted):
            expect(rows.nth(at)).to_have_attribute("data-state", state)
        expect(rows).to_have_count(len(wanted))

    def check(self) -> None:
        """Nothing was against the policy, no script failed, no cookie was set, and axe finds nothing."""
        assert self.page.evaluate("window.violations") == []
        assert self.complaints == []
        assert self.page.context.cookies() == []
        self.page.evaluate(AXE.read_text())
        for scheme in ("light", "dark"):
            self.page.get_by_label("Theme").select_option(scheme)
            found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            assert found["violations"] == [], scheme


@pytest.fixture
def visit(place: Place, run: subprocess.Popen[bytes], browser: Browser) -> Iterator[Visit]:
    """A visitor who has not opened the page yet; its address is the context's base."""
    expect.set_options(timeout=SECONDS * 1000)
    with browser.new_context(base_url=place.dev_env()["DEMO_URL"], reduced_motion="reduce") as context:
        context.add_init_script(WATCH)
        complaints: list[str] = []
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        yield Visit(context.new_page(), complaints)


def test_what_is_clean_is_shared_and_nothing_else(visit: Visit, tmp_path: Path) -> None:
    """A deck appears in the shared list and is downloaded as it was; EICAR and a locked file never do."""
    deck = clean_deck()
    page = visit.page
    page.goto("/")
    expect(page.locator("#shared-hint")).to_have_text(
        "Nothing yet. A file appears here once it was found clean."
    )
    visit.check()
    page.locator("greenroom-upload input[type=file]").set_input_files(
        {"name": "deck.pptx", "mimeType": "", "buffer": deck}
    )
    visit.states("released")
    for sample, state in (("eicar.txt", "blocked"), ("locked.pdf", "held"), ("welcome.pptx", "released")):
        page.get_by_role("button", name=f"Upload {sample}").click()
        expect(page.locator("#journeys > li").first).to_have_attribute("data-state", state)
    visit.states("released", "held", "blocked", "released")
    expect(page.locator("#shared .name")).to_have_text(["welcome.pptx", "deck.pptx"])
    with page.expect_download() as started:
        page.get_by_role("button", name="Download deck.pptx").click()
    started.value.save_as(tmp_path / "deck.pptx")
    assert started.value.suggested_filename == "deck.pptx"
    assert (tmp_path / "deck.pptx").read_bytes() == deck
    visit.check()


def test_language_and_theme_are_chosen_and_kept(visit: Visit) -> None:
    """The widget takes both at once; the address holds them, so that a reload keeps them."""
    page = visit.page
    page.goto("/")
    page.get_by_label("Widget language").select_option("ar")
    page.get_by_label("Theme").select_option("dark")
    for _ in range(2):
        widget = page.locator("greenroom-upload")
        expect(widget).to_have_attribute("lang", "ar")
        expect(widget).to_have_attribute("theme", "dark")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        expect(widget.locator("[dir=rtl]").first).to_be_visible()
        page.reload()
    visit.check()


@pytest.mark.parametrize("width", [360, 1024, 1440])
def test_the_page_fits(visit: Visit, width: int) -> None:
    """Nothing has to be scrolled sideways, from a small phone on."""
    visit.page.set_viewport_size({"width": width, "height": 800})
    visit.page.goto("/")
    expect(visit.page.get_by_role("button", name="Upload eicar.txt")).to_be_enabled()
    assert visit.page.evaluate("document.documentElement.scrollWidth") == width


def test_a_widget_that_could_not_be_loaded_is_asked_for_again(visit: Visit) -> None:
    """While its script cannot be had the page says so; then it works without a reload."""
    page, script = visit.page, "**/widget/greenroom-upload.js*"
    page.route(script, lambda route: route.abort())
    page.goto("/")
    expect(page.locator("#away")).to_contain_text("could not be loaded")
    expect(page.get_by_role("button", name="Upload eicar.txt")).to_be_disabled()
    page.unroute(script)
    expect(page.get_by_role("button", name="Upload eicar.txt")).to_be_enabled()
    expect(page.locator("#away")).to_be_empty()


def test_when_greenroom_is_away_the_page_says_so_and_recovers(visit: Visit, place: Place) -> None:
    """A Greenroom that does not answer is named, and what was begun meanwhile goes on when it does again."""
    page = visit.page
    page.goto("/")
    expect(page.get_by_role("button", name="Upload eicar.txt")).to_be_enabled()
    web = place.pid_of("web")
    assert web is not None
    children = Path(f"/proc/{web}/task/{web}/children").read_text().split()
    pids = [web, *map(int, children)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        expect(page.locator("#away")).to_contain_text("Greenroom does not answer")
        page.get_by_role("button", name="Upload eicar.txt").click()
        expect(page.locator("#journeys > li")).to_have_attribute("data-state", UNDER_WAY)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    expect(page.locator("#away")).to_be_empty()
    visit.states("blocked")
