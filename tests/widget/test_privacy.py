"""Bar W6: no cookies, no traces, no strangers; and a page of another origin may use the widget as its own."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from tests.e2e.serving import Backend
from tests.widget.hosts import SCRIPT, Host, page
from tests.widget.reach import BEGUN, MEBI, Scene, text
from tests.widget.visit import Panel, Visit

KEPT = "() => ({...localStorage})"
#: Everything else in which a page can keep something.
ELSEWHERE = """async () => ({
    session: Object.keys(sessionStorage),
    databases: (await indexedDB.databases()).map(one => one.name),
    caches: await caches.keys(),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
    cookie: document.cookie,
})"""
NOTHING = {"session": [], "databases": [], "caches": [], "workers": 0, "cookie": ""}


def test_only_the_resume_key_and_only_until_the_verdict(scene: Scene) -> None:
    """While a file is on its way one entry of ours tells which upload it is and since when, and no token; at
    the verdict it is gone. Nothing is kept anywhere else.
    """
    visit = scene.visit(scene.line.url)
    panel = visit.show().token(token := visit.grant())
    assert visit.page.evaluate(KEPT) == {}
    scene.line.hold_after(BEGUN)
    panel.add(("notes.txt", text(2 * MEBI))).until("uploading").sent(1)
    kept = visit.page.evaluate(KEPT)
    ((key, value),) = kept.items()
    assert key.startswith("greenroom:upload:")
    upload, at = value.split(" ")
    assert (upload, at.isdigit()) == (panel.items()[0]["upload"], True)
    assert token not in key
    assert visit.page.evaluate(ELSEWHERE) == NOTHING
    scene.line.let_go()
    panel.until("released")
    assert visit.page.evaluate(KEPT) == {}
    assert visit.page.evaluate(ELSEWHERE) == NOTHING


def test_cancelling_leaves_nothing(scene: Scene) -> None:
    """Neither in the browser nor at the service."""
    visit = scene.visit(scene.line.url)
    scene.line.hold_after(BEGUN)
    panel = visit.show().token(visit.grant()).add(("notes.txt", text(2 * MEBI))).until("uploading").sent(1)
    panel.button("Cancel").click()
    panel.until("cancelled")
    assert visit.page.evaluate(KEPT) == {}
    visit.until(
        lambda: [upload["state"] for upload in scene.backend.uploads()] in ([], ["erased"]), "deletion"
    )


def test_resume_off_keeps_nothing_ever(scene: Scene) -> None:
    """With resume="off" there is no entry, not even on the way."""
    visit = scene.visit(scene.line.url)
    scene.line.hold_after(BEGUN)
    panel = visit.show('<greenroom-upload id="w" resume="off"></greenroom-upload>').token(visit.grant())
    panel.add(("notes.txt", text(2 * MEBI))).until("uploading").sent(1)
    assert visit.page.evaluate(KEPT) == {}
    scene.line.let_go()
    panel.until("released")
    visit.check_quiet()


@pytest.fixture
def elsewhere(host: Host, visit: Callable[..., Visit], backend: Backend) -> Panel:
    """The widget on a page of another origin, whose policy allows the service by name and nothing else."""
    service = backend.web.url
    html = page('<greenroom-upload id="w" meeting="m1"></greenroom-upload>', script=service + SCRIPT)
    host.put(
        "/meeting",
        html,
        f"default-src 'none'; script-src {service}; style-src 'self'; connect-src {service}",
    )
    guest = visit()
    guest.context.add_cookies([{"name": "session", "value": "of the service", "url": service}])
    guest.page.goto(f"{host.url}/meeting")
    return guest.panel().provider()


def test_another_origin_without_cookies(elsewhere: Panel, host: Host, backend: Backend) -> None:
    """A browser that has a cookie for the service does not send it, from the page of another origin; the
    service sets none; only the page's host and the service are asked for anything.
    """
    visit = elsewhere.visit
    elsewhere.add(("notes.txt", text(MEBI)), ("setup.exe", b"MZ")).until("released", "refused")
    asked = [request for request in visit.watched.requests if request.url.startswith(backend.web.url)]
    assert {"GET", "POST", "PATCH"} <= {request.method for request in asked}
    assert [one.url for one in asked if "cookie" in one.all_headers()] == []
    assert {cookie["name"] for cookie in visit.context.cookies()} == {"session"}
    origins = {
        f"{url.scheme}://{url.netloc}" for url in map(urlsplit, (one.url for one in visit.watched.requests))
    }
    assert origins == {host.url, backend.web.url}
    scripts = [one.url for one in visit.watched.requests if one.resource_type == "script"]
    assert scripts == [backend.web.url + SCRIPT]
    visit.check_quiet()


def test_an_origin_that_is_not_on_the_list_gets_nowhere(
    host: Host, visit: Callable[..., Visit], backend: Backend
) -> None:
    """From a page of a stranger's origin nothing is sent, whatever token it has."""
    html = page('<greenroom-upload id="w"></greenroom-upload>', script=backend.web.url + SCRIPT)
    host.put("/stranger", html, "")
    guest = visit()
    guest.page.goto(f"{host.stranger}/stranger")
    panel = guest.panel().token(guest.grant()).add(("notes.txt", text(1000)))
    guest.until(lambda: any("CORS" in line for line in guest.watched.complaints), "refusal by the browser")
    assert panel.states()[0] in {"waiting", "offline", "failed"}
    assert backend.uploads() == []
