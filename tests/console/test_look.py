"""What the console looks like in a real browser: by day, by night, on a phone, without scripts."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.core.reviewer import Role
from service.web import console
from tests.console import gallery
from tests.console.office import PASSWORD, hire
from tests.console.site import Site, Sitting

STATIC = Path(console.__file__).with_name("static")
#: Of dist/htmx.min.js in the package htmx.org 4.0.1.
HTMX_SHA384 = "Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn"

Begin = Callable[..., Sitting]
#: Path -> whom it is opened by, and the status.
PAGES: dict[str, tuple[Role | None, int]] = {
    "/sign-in": (None, 200),
    "/": (Role.READER, 200),
    "/held": (Role.REVIEWER, 200),
    "/allow-list": (Role.REVIEWER, 200),
    "/holds": (Role.ADMINISTRATOR, 200),
    "/log": (Role.READER, 200),
    "/requests": (Role.ADMINISTRATOR, 200),
    "/reviewers": (Role.ADMINISTRATOR, 200),
    "/nothing": (Role.READER, 404),
}


def test_htmx_is_what_was_published() -> None:
    """Byte for byte, with its licence beside it."""
    digest = hashlib.sha384((STATIC / "htmx-4.0.1.min.js").read_bytes()).digest()
    assert b64encode(digest).decode() == HTMX_SHA384
    assert "Zero-Clause BSD" in (STATIC / "htmx-4.0.1.LICENSE.txt").read_text()


def test_each_class_of_the_style_sheet_can_be_used(sitting: Begin) -> None:
    """Axe finds nothing, nothing is too wide, nothing is against the policy."""
    visit = sitting(None)
    gallery.show(visit)
    visit.check_accessible()
    visit.check_fits()
    visit.check_quiet()


@pytest.mark.parametrize("path", PAGES)
def test_each_page_can_be_used_by_everybody(sitting: Begin, path: str) -> None:
    """Axe finds nothing, nothing is too wide, nothing is against the policy."""
    role, status = PAGES[path]
    visit = sitting(role)
    assert visit.open(path).status == status
    visit.check_accessible()
    visit.check_fits()
    visit.check_quiet()


def test_a_session_that_ended_shows_the_door_not_a_part_of_it(site: Site, sitting: Begin) -> None:
    """A script's request for a part of the page, after the end: the browser goes to the sign-in page."""
    visit = sitting(Role.READER)
    visit.open("/?a=b")
    visit.context.clear_cookies()
    visit.page.evaluate("() => { htmx.ajax('GET', '/', '#main'); }")
    visit.page.wait_for_url(f"{site.url}/sign-in?next=/?a%3Db")
    assert visit.page.get_by_role("heading", name="Sign in").count() == 1


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_person_signs_in_and_out(site: Site, sitting: Begin, scripts: Any) -> None:
    """With the keyboard's names and buttons alone, after one mistake, back to the page that was asked for."""
    name = hire(site.desk, Role.REVIEWER, f"jonas-{scripts}").name
    visit = sitting(None, java_script_enabled=scripts)
    visit.open("/?from=2026-11-01")
    visit.fill_in(name, "not my password")
    assert visit.page.get_by_role("alert").inner_text() == "The name or the password is not right."
    visit.fill_in(name, PASSWORD)
    assert visit.page.url == f"{site.url}/?from=2026-11-01"
    cookie = visit.context.cookies()[0]
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
    assert visit.page.get_by_role("link", name="Overview").get_attribute("aria-current") == "page"
    visit.page.get_by_role("button", name="Sign out").click()
    assert visit.page.url == f"{site.url}/sign-in"
    visit.open("/")
    assert visit.page.url == f"{site.url}/sign-in?next=/"
    visit.check_quiet()
