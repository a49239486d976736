"""The overview, the search and an upload's page in a real browser, over a database with everything in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.core.rescan import Wanted
from service.core.reviewer import Role
from service.core.upload import Upload
from tests.console import filled
from tests.console.site import Site, Sitting

Begin = Callable[..., Sitting]
ACCOUNT = "harbour-films"


@pytest.fixture(scope="module")
def uploads(site: Site) -> list[Upload]:
    """What the running console's database holds, oldest first, under a signed checkpoint."""
    now = site.parts.clock.now()
    made = filled.fill(site.parts, now, ACCOUNT)
    filled.tell_of_scanner(site.parts, now, "EICAR in a zip is found: clean")
    filled.downloaded(site.parts, made[0], "grant:ann", now)
    site.parts.rescans.begin(Wanted(), now)
    taken = site.parts.rescans.take(27826, now, now)
    assert taken is not None
    site.parts.rescans.finish(taken)
    filled.keep(site.parts)
    return made


PAGES = {
    "overview": "/",
    "overview of a month": "/?span=month",
    "search": "/uploads",
    "filters": f"/uploads?account={ACCOUNT}&signature=heur&since=2020-01-01&state=held",
    "an odd filter": "/uploads?since=yesterday",
    "nothing found": "/uploads?name=nothing%20at%20all",
    "released": "/uploads/{0}",
    "held": "/uploads/{9}",
    "infected": "/uploads/{8}",
    "without a verdict": "/uploads/{15}",
}


@pytest.mark.parametrize("page", PAGES)
def test_each_page_can_be_used_by_everybody(sitting: Begin, uploads: list[Upload], page: str) -> None:
    """Axe finds nothing, nothing is too wide, no name is taken for markup, nothing is against the policy."""
    visit = sitting(Role.READER)
    visit.open(PAGES[page].format(*(upload.id for upload in uploads)))
    for fold in visit.page.locator("details").all():
        fold.evaluate("fold => { fold.open = true }")
    visit.check_accessible()
    visit.check_fits()
    visit.check_quiet()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_person_finds_an_upload_and_what_happened_to_it(
    sitting: Begin, uploads: list[Upload], scripts: Any
) -> None:
    """From the overview over the form to the proved lines, by words that can be read."""
    visit = sitting(Role.READER, java_script_enabled=scripts)
    page = visit.page
    visit.open("/")
    page.get_by_role("link", name="Uploads", exact=True).click()
    page.get_by_label("File name").fill("محضر")
    page.get_by_label("State").select_option("released")
    page.get_by_role("button", name="Search").click()
    assert page.get_by_role("list", name="Filters in force").get_by_role("link").count() == 2
    page.get_by_role("link", name=filled.ARABIC).first.click()
    assert page.get_by_role("heading", level=1).inner_text() == filled.ARABIC
    assert page.locator(".timeline .badge.proved").count() == 5
    assert page.url.endswith(uploads[14].id)
    visit.check_quiet()


def test_a_chip_takes_its_filter_off(sitting: Begin, uploads: list[Upload]) -> None:
    """And leaves the others."""
    visit = sitting(Role.READER)
    visit.open(f"/uploads?account={ACCOUNT}&verdict=infected")
    found = visit.page.get_by_role("region", name="Found uploads").locator("tbody tr")
    assert found.count() == 1
    visit.page.get_by_role("link", name="verdict infected").click()
    assert found.count() == len(uploads)


def test_an_export_is_saved_as_a_file(sitting: Begin, uploads: list[Upload], tmp_path: Path) -> None:
    """All that the filters let through, with a line of names."""
    visit = sitting(Role.READER)
    visit.open(f"/uploads?account={ACCOUNT}")
    with visit.page.expect_download() as download:
        visit.page.get_by_role("link", name="Export as CSV").click()
    saved = tmp_path / "uploads.csv"
    download.value.save_as(saved)
    assert download.value.suggested_filename.endswith(".csv")
    assert len(saved.read_bytes().splitlines()) == len(uploads) + 1
