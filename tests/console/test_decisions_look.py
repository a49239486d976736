"""The forms that decide, in a real browser: for everybody, by day and by night, on a phone."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

from service.core.decision import Choice, Decision
from service.core.reviewer import Reviewer, Role
from service.core.upload import State, Upload
from service.stages.access import SCOPES, create_key
from service.stages.desk import decide
from service.stages.desk.allow import revoke
from service.stages.desk.decide import Wanted
from tests.console.office import hire
from tests.console.site import Site, Sitting
from tests.contract.conftest import make_upload
from tests.contract.test_decisions import VERDICT

Begin = Callable[..., Sitting]
REASON = "Written by our own reporting tool.\nSeen by two of us before."


def held(site: Site) -> Upload:
    """Save an upload that is held for a finding in a content of its own."""
    account = f"acc-{secrets.token_hex(4)}"
    create_key(site.parts, account, "test", SCOPES, None)
    digest = secrets.token_hex(32)
    upload = make_upload(
        secrets.randbits(100),
        account_id=account,
        name="Quarterly figures of a rather long name for such a file (final, locked).xlsx",
        state=State.HELD,
        size=5,
        sha256=digest,
        verdict=replace(VERDICT, sha256=digest),
        reason="suspicious",
    )
    return site.parts.ledger.save(upload)


def proposed(site: Site, upload: Upload, by: Reviewer, choice: Choice) -> Decision:
    """Propose something about it."""
    days = 30 if choice is Choice.ALLOW else None
    return decide.propose(site.parts, by.id, Wanted(upload.id, upload.version, choice, REASON, days))


def check(visit: Sitting, path: str) -> None:
    """Axe finds nothing on the page, nothing is too wide."""
    answer = visit.open(path)
    assert answer.status == 200
    visit.check_accessible()
    visit.check_fits()


def test_everybody_can_decide(site: Site, sitting: Begin) -> None:
    """With the form, with a proposal of somebody else, and with all that was decided before."""
    mara, jonas = (hire(site.desk, Role.REVIEWER, f"{name}-{secrets.token_hex(4)}") for name in ("m", "j"))
    upload = held(site)
    visit = sitting(Role.REVIEWER)
    check(visit, f"/uploads/{upload.id}")
    decide.reject(site.parts, jonas.id, proposed(site, upload, mara, Choice.BLOCK).id)
    allowed = proposed(site, upload, mara, Choice.ALLOW)
    decide.confirm(site.parts, site.desk.reviewers, jonas.id, allowed.id)
    proposed(site, upload, mara, Choice.RELEASE)
    check(visit, f"/uploads/{upload.id}")
    check(visit, "/held")
    check(visit, "/allow-list")
    for entry in site.parts.allowances.page(None, 10):
        revoke(site.parts, mara.id, entry.id)
    check(visit, "/allow-list")
    visit.check_quiet()


def test_a_reason_that_is_too_short_is_written_further(site: Site, sitting: Begin) -> None:
    """Without scripts: the words are still there, the choice too, and the second try is taken."""
    upload = held(site)
    visit = sitting(Role.REVIEWER, java_script_enabled=False)
    visit.open(f"/uploads/{upload.id}")
    assert not visit.page.get_by_label("Days on the allow-list").is_visible()
    visit.page.get_by_label("put its finding on the allow-list").check()
    visit.page.get_by_label("Days on the allow-list").fill("7")
    visit.page.get_by_label("Reason").fill("short     \n     ")
    visit.page.get_by_role("button", name="Propose").click()
    assert "Write a reason of 10 to 2000 characters" in visit.page.get_by_role("alert").inner_text()
    assert visit.page.get_by_label("put its finding on the allow-list").is_checked()
    visit.page.get_by_label("Reason").fill(REASON)
    visit.page.get_by_role("button", name="Propose").click()
    assert "Your proposal is made" in visit.page.get_by_role("status").inner_text()
    (decision,) = site.parts.decisions.of_upload(upload.id)
    assert (decision.days, decision.reason) == (7, REASON)
