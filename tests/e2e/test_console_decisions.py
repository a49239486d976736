"""Two people, each in a browser of their own, decide about held files of the running service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from stack.ports import LOOPBACK, free_port
from stack.processes import wait_until
from stack.store import Store
from stack.store_policy import QUARANTINE, RELEASED
from tests.console.site import GUNICORN
from tests.e2e import samples
from tests.e2e.serving import START_SECONDS, Backend, Service, Web, eventually, stored_keys

SECONDS = 60.0
REASON = "The finance team locks these on purpose.\nSeen with their password."


@dataclass
class Person:
    """Somebody who is signed in at the console, in a browser's context of their own."""

    name: str
    page: Page

    def open(self, name: str) -> None:
        """Go to a held file by the queue."""
        self.page.get_by_role("link", name="Held", exact=True).click()
        self.page.get_by_role("region", name="Held files").get_by_role("link", name=name).click()

    def propose(self, deed: str) -> None:
        """Fill in the form, and send it."""
        self.page.get_by_label(deed).check()
        self.page.get_by_label("Reason").fill(REASON)
        self.page.get_by_role("button", name="Propose").click()
        expect(self.page.get_by_role("status")).to_have_text(re.compile("Your proposal is made"))

    def press(self, button: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=button).click()


@pytest.fixture(scope="module")
def console(web: Web) -> Iterator[str]:
    """The console as shipped, beside the running service; its address."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    beside = replace(web.service, environ={**web.service.environ, "GREENROOM_CONSOLE_URL": url}, children=[])
    child = beside.start("console", [*GUNICORN, "--bind", f"{LOOPBACK}:{port}"])

    def answers() -> bool:
        child.check_alive()
        try:
            return httpx.get(f"{url}/sign-in", timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False

    wait_until(answers, START_SECONDS, "the console's start")
    yield url
    child.stop()


@pytest.fixture(scope="module")
def people(browser: Browser, console: str, service: Service) -> Iterator[tuple[Person, Person]]:
    """Mara, and Jonas whose browser runs no scripts; both reviewers, signed in with their passwords."""
    with ExitStack() as contexts:

        def arrive(name: str, *, scripts: bool) -> Person:
            made = service.run("reviewers", "add", name).stdout
            context = contexts.enter_context(
                browser.new_context(base_url=console, java_script_enabled=scripts)
            )
            page = context.new_page()
            page.goto("/sign-in")
            page.get_by_label("Name").fill(name)
            page.get_by_label("Password").fill(re.search(r"^PASSWORD=(.+)$", made, re.MULTILINE)[1])  # type: ignore[index]
            page.get_by_role("button", name="Sign in").click()
            return Person(name, page)

        yield arrive("mara", scripts=True), arrive("jonas", scripts=False)


def held(backend: Backend, name: str) -> tuple[bytes, str]:
    """Upload a document with EICAR in a zip that opens with a password only; return both content and id."""
    content = samples.docx(samples.locked_zip())
    upload = backend.upload(content, name)
    assert (upload["state"], upload["verdict"]["code"]) == ("held", "encrypted")
    assert backend.client.get(f"/v1/uploads/{upload['id']}/content").status_code == 409
    return content, upload["id"]


def test_two_people_release_what_one_cannot(
    backend: Backend, people: tuple[Person, Person], service: Service, store: Store
) -> None:
    """Proposed by one, whose own confirmation is refused, confirmed by the other: the same bytes come out."""
    mara, jonas = people
    content, upload_id = held(backend, "locked-release.docx")
    mara.open("locked-release.docx")
    mara.propose("release the file")
    expect(mara.page.get_by_role("button", name="Confirm")).to_have_count(0)
    (decision,) = service.parts.decisions.of_upload(upload_id)
    mara.page.evaluate(
        "action => { const form = document.forms[0]; form.action = action; form.submit() }",
        f"/decisions/{decision.id}/confirm",
    )
    expect(mara.page.get_by_role("alert")).to_have_text(re.compile("You proposed this yourself"))
    assert backend.ask(upload_id)["state"] == "held"
    assert stored_keys(store, {upload_id})[RELEASED] == []
    jonas.open("locked-release.docx")
    expect(jonas.page.locator(".said")).to_contain_text("Seen with their password.")
    jonas.press("Confirm: release the file")
    expect(jonas.page.get_by_role("status")).to_have_text(re.compile("You confirmed it"))
    document = backend.until(upload_id, {"released"}, SECONDS)
    assert backend.client.get(f"/v1/uploads/{upload_id}/content").content == content
    assert document["verdict"]["kind"] == "unscannable"
    assert document["advice"].startswith("The security team decided")
    line = next(one for one in service.parts.ledger.history(upload_id) if one.event == "reviewer_cleared")
    assert line.actor != f"reviewer:{decision.proposed_by}"
    assert line.detail["proposed_by"] == decision.proposed_by
    eventually(lambda: not stored_keys(store, {upload_id})[QUARANTINE], 20, "dropping the quarantine copy")


def test_two_people_block(backend: Backend, people: tuple[Person, Person], store: Store) -> None:
    """For good: nobody downloads it, and whoever comes second hears who was first."""
    mara, jonas = people
    _, upload_id = held(backend, "locked-block.docx")
    jonas.open("locked-block.docx")
    jonas.propose("block the file")
    mara.open("locked-block.docx")
    jonas.press("Scan again")
    expect(jonas.page.get_by_role("status")).to_have_text("The file is being scanned again.")
    mara.press("Confirm: block the file")
    expect(mara.page.get_by_role("alert")).to_have_text(re.compile(r"jonas had it scanned again \d+ s ago"))
    backend.until(upload_id, {"held"}, SECONDS)
    mara.open("locked-block.docx")
    mara.propose("block the file")
    jonas.open("locked-block.docx")
    jonas.press("Confirm: block the file")
    document = backend.until(upload_id, {"blocked"}, SECONDS)
    assert document["reason"] == "reviewer_blocked"
    assert backend.client.get(f"/v1/uploads/{upload_id}/content").status_code == 409
    assert stored_keys(store, {upload_id})[RELEASED] == []


def test_two_people_allow_a_finding_and_a_scan_releases_it(
    backend: Backend, people: tuple[Person, Person]
) -> None:
    """The file, its copies while the entry is in force, and none after one of them revoked it."""
    mara, jonas = people
    content, upload_id = held(backend, "locked-allow.docx")
    jonas.open("locked-allow.docx")
    jonas.propose("put its finding on the allow-list")
    mara.open("locked-allow.docx")
    mara.press("Confirm: put its finding on the allow-list")
    expect(mara.page.get_by_role("status")).to_have_text(re.compile("You confirmed it"))
    mara.press("Scan again")
    assert backend.until(upload_id, {"released"}, SECONDS)["reason"] == "allow_listed"
    assert backend.client.get(f"/v1/uploads/{upload_id}/content").content == content
    assert backend.upload(content, "copy.docx")["reason"] == "allow_listed"
    jonas.page.get_by_role("link", name="Allow-list", exact=True).click()
    jonas.press("Revoke")
    expect(jonas.page.get_by_role("status")).to_have_text(re.compile("It is revoked"))
    assert backend.upload(content, "late-copy.docx")["state"] == "held"
