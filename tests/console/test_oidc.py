"""People sign in at a certified OpenID provider, in a real browser, and come back to a real console."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from service.core.reviewer import Role
from service.web.console.sign_in_elsewhere import CALLBACK
from stack.ports import LOOPBACK, free_port
from tests.console.site import Site, Sitting
from tests.oidc.certified import CLIENT_ID, CLIENT_SECRET, Certified


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A console whose people sign in at a provider."""
    folder, port = tmp_path_factory.mktemp("oidc"), free_port()
    site = Site(
        folder,
        GREENROOM_OIDC_ISSUER=f"http://{LOOPBACK}:{port}",
        GREENROOM_OIDC_CLIENT_ID=CLIENT_ID,
        GREENROOM_OIDC_CLIENT_SECRET=CLIENT_SECRET,
        GREENROOM_OIDC_ROLES_CLAIM="groups",
        GREENROOM_OIDC_ROLES="staff=reader,security=reviewer",
    )
    provider = Certified(folder, site.url + CALLBACK, port)
    yield site
    provider.stop()
    site.stop()


def sign_in(visit: Sitting, name: str) -> None:
    """Take the link, be `name` at the provider, and wait until the browser is back."""
    visit.page.get_by_role("link", name="Sign in with your organisation").click()
    visit.page.get_by_placeholder("Enter any login").fill(name)
    visit.page.get_by_placeholder("and password").fill("any")
    visit.page.get_by_role("button", name="Sign-in").click()
    visit.page.wait_for_url(f"{visit.site.url}/**")


def test_a_person_comes_back_to_what_they_asked_for(browser: Browser, elsewhere: Site) -> None:
    """Signed in with the role of their group, by a cookie that is this host's alone."""
    with Sitting(browser, elsewhere, None) as visit:
        visit.open("/?from=2026-11-01")
        visit.check_accessible()
        sign_in(visit, "security.mara")
        assert visit.page.url == f"{elsewhere.url}/?from=2026-11-01"
        assert visit.page.get_by_role("link", name="Overview").get_attribute("aria-current") == "page"
        assert visit.page.locator(".who").inner_text().split()[:2] == ["security.mara", "reviewer"]
        [cookie] = [one for one in visit.context.cookies() if one["name"].startswith("__Host-")]
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
        visit.page.get_by_role("button", name="Sign out").click()
        visit.open("/")
        assert visit.page.url == f"{elsewhere.url}/sign-in?next=/"
        visit.check_quiet()
    [mara] = elsewhere.desk.reviewers.all()
    assert (mara.name, mara.role, mara.password_hash) == ("security.mara", Role.REVIEWER, None)


def test_a_person_without_a_role_is_told(browser: Browser, elsewhere: Site) -> None:
    """On the page to sign in, which they can use again."""
    with Sitting(browser, elsewhere, None, java_script_enabled=False) as visit:
        visit.open("/sign-in")
        sign_in(visit, "others.jonas")
        assert "no group of yours has a role" in visit.page.get_by_role("alert").inner_text()
        visit.open("/")
        assert visit.page.url == f"{elsewhere.url}/sign-in?next=/"
