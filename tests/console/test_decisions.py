"""Deciding at the console: who sees and may do what, and what is told to whoever comes too late."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from service.core.canary import EICAR
from service.core.decision import Choice, Decision
from service.core.reviewer import Role
from service.core.upload import State, Upload
from service.stages.desk import accounts, decide
from service.stages.desk.decide import Wanted
from service.stages.sweep import erase
from service.web.console.notices import COOKIE
from tests.console.office import Office, Person
from tests.stages.reviewing import ODD, REASON, find, held, held_unread

MARA: Final = "mara.lindqvist"
JONAS: Final = "jonas.weber"


def text(page: str) -> str:
    """What a page says, without its marks."""
    words = html.unescape(re.sub(r"<[^>]+>", " ", page.partition('tabindex="-1">')[2]))
    return " ".join(words.split()).replace(" .", ".").replace(" ,", ",")


def read(person: Person, upload: Upload) -> str:
    """What the file's page says."""
    return text(person.get(f"/uploads/{upload.id}").get_data(as_text=True))


def fields(upload: Upload, choice: str = "release", **more: str) -> dict[str, str]:
    """What the form of a proposal sends."""
    return {"version": str(upload.version), "choice": choice, "reason": REASON, "days": "30"} | more


def asked(person: Person, upload: Upload, choice: str = "release", **more: str) -> Any:
    """Propose with the form."""
    return person.post(f"/uploads/{upload.id}/decisions", fields(upload, choice, **more))


def proposed(office: Office, upload: Upload, by: Person, choice: Choice = Choice.RELEASE) -> Decision:
    """Bring a proposal about, without a page."""
    assert by.reviewer
    days = 30 if choice is Choice.ALLOW else None
    wanted = Wanted(upload.id, upload.version, choice, REASON, days)
    return decide.propose(office.desk.parts, by.reviewer.id, wanted)


def confirmed(office: Office, decision: Decision, by: Person) -> None:
    """Confirm it, without a page."""
    assert by.reviewer
    decide.confirm(office.desk.parts, office.desk.reviewers, by.reviewer.id, decision.id)


def test_two_people_release_a_held_file(office: Office) -> None:
    """Each sees what is theirs to do, the reason and who proposed; afterwards, who decided."""
    mara, jonas = office.person(name=MARA), office.person(name=JONAS)
    upload = held(office.world)
    answer = asked(mara, upload)
    assert (answer.status_code, answer.location) == (303, f"/uploads/{upload.id}")
    page = read(mara, upload)
    assert "Your proposal is made" in page
    assert "somebody else has to confirm or reject it" in page
    assert "Confirm:" not in page
    page = read(jonas, upload)
    assert f"{MARA} proposes to release the file." in page
    assert REASON in page
    assert "Confirm: release the file" in page
    (decision,) = office.world.decisions.of_upload_now(upload.id)
    answer = jonas.post(f"/decisions/{decision.id}/confirm")
    assert (answer.status_code, answer.location) == (303, f"/uploads/{upload.id}")
    assert "You confirmed it: the file is on its way" in read(jonas, upload)
    office.world.work()
    assert find(office.world, upload).state is State.RELEASED
    page = read(mara, upload)
    assert f"confirmed {MARA} proposed to release the file" in page
    assert f"Confirmed by {JONAS}" in page
    assert "Propose to" not in page


def test_nobody_confirms_their_own(office: Office) -> None:
    """Not with a form that was never shown either."""
    mara, upload = office.person(), held(office.world)
    decision = proposed(office, upload, mara)
    for verb in ("confirm", "reject"):
        assert mara.post(f"/decisions/{decision.id}/{verb}").status_code == 303
        assert "Nothing was done. You proposed this yourself" in read(mara, upload)
    assert find(office.world, upload) == upload


def test_a_file_is_blocked_and_a_proposal_rejected(office: Office) -> None:
    """By the same forms."""
    mara, jonas = office.person(name=MARA), office.person(name=JONAS)
    upload = held(office.world)
    decision = proposed(office, upload, mara)
    jonas.post(f"/decisions/{decision.id}/reject")
    page = read(jonas, upload)
    assert "You rejected the proposal. The file stays as it is." in page
    assert f"Rejected by {JONAS}" in page
    office.world.clock.advance(1)
    asked(jonas, upload, "block")
    (newest, _) = office.world.decisions.of_upload_now(upload.id)
    mara.post(f"/decisions/{newest.id}/confirm")
    page = read(mara, upload)
    assert "You confirmed it: the file is blocked." in page
    assert "Two people blocked the file: no scan undoes that." in page
    assert "Scan again" not in page
    assert find(office.world, upload).state is State.BLOCKED


def test_a_finding_is_allowed_and_the_file_scanned_again(office: Office) -> None:
    """A blocked file can be excused; the page says that a scan releases it, and it does."""
    mara, jonas = office.person(name=MARA), office.person(name=JONAS)
    upload = office.world.upload(EICAR, "eicar.txt")
    assert upload.state is State.BLOCKED
    page = read(mara, upload)
    assert "release the file" not in page
    asked(mara, upload, "allow", days="7")
    (decision,) = office.world.decisions.of_upload_now(upload.id)
    assert decision.days == 7
    assert "put its finding on the allow-list for 7 days" in read(jonas, upload)
    jonas.post(f"/decisions/{decision.id}/confirm")
    page = read(jonas, upload)
    assert "Scanned again, the file is released." in page
    jonas.post(f"/uploads/{upload.id}/rescan", {"version": str(upload.version)})
    assert "The file is being scanned again." in read(jonas, upload)
    office.world.work()
    assert find(office.world, upload).state is State.RELEASED


def test_what_was_never_read_is_not_offered_for_release(office: Office) -> None:
    """Its page says why, and what to do."""
    upload = held_unread(office.world)
    page = read(office.person(), upload)
    assert "release the file" not in page
    assert "never read as a whole. Have it scanned again first." in page
    assert "Scan again" in page


def settle(verb: str) -> Callable[[Office, Upload, Decision, Person], None]:
    """Settle the proposal."""

    def act(_: Office, __: Upload, decision: Decision, other: Person) -> None:
        assert other.post(f"/decisions/{decision.id}/{verb}").status_code == 303

    return act


def scan(office: Office, upload: Upload, _: Decision, other: Person) -> None:
    """Have it scanned again, to the same finding."""
    other.post(f"/uploads/{upload.id}/rescan", {"version": str(upload.version)})
    office.world.work()


def delete(office: Office, upload: Upload, _: Decision, __: Person) -> None:
    """Delete it for its owner."""
    erase(office.desk.parts, upload)


def wait(office: Office, *_: Any) -> None:
    """Let seven days go by."""
    office.world.clock.jump(timedelta(days=7))


def leave(office: Office, _: Upload, decision: Decision, __: Person) -> None:
    """Disable who proposed."""
    proposer = office.desk.reviewers.get(decision.proposed_by)
    assert proposer
    accounts.disable(office.desk, proposer)


MEANWHILE: dict[str, tuple[Callable[..., None], str]] = {
    "confirmed": (
        settle("confirm"),
        f"Nothing was done. {JONAS} confirmed this proposal before you, 0 s ago.",
    ),
    "rejected": (settle("reject"), f"Nothing was done. {JONAS} rejected this proposal before you, 0 s ago."),
    "scanned again": (
        scan,
        (
            "Nothing was done. The file changed since this was proposed: it is held now. Look at it again. "
            f"{JONAS} had it scanned again 0 s ago."
        ),
    ),
    "deleted": (
        delete,
        (
            "Nothing was done. The file changed since this was proposed: it is erased now. Look at it again. "
            "Its owner deleted it 0 s ago."
        ),
    ),
    "expired": (wait, "Nothing was done. The proposal has expired. Propose it again if it is still right."),
    "proposer gone": (
        leave,
        (
            "Nothing was done. Whoever proposed this may decide no more. Reject it, and propose it yourself "
            "if it is right."
        ),
    ),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_who_comes_too_late_hears_what_happened(office: Office, meanwhile: str) -> None:
    """Who was first, that the file moved, was deleted, that time went by; and nothing else is done."""
    mara, jonas, late = office.person(name=MARA), office.person(name=JONAS), office.hire(name="late")
    upload = held(office.world)
    decision = proposed(office, upload, mara)
    act, sentence = MEANWHILE[meanwhile]
    act(office, upload, decision, jonas)
    person = office.returning(late)
    before = find(office.world, upload)
    assert person.post(f"/decisions/{decision.id}/confirm").status_code == 303
    assert sentence in read(person, upload)
    assert find(office.world, upload) == before


def test_a_second_proposal_hears_of_the_first(office: Office) -> None:
    """Who made it, and what it is."""
    mara, jonas = office.person(name=MARA), office.person(name=JONAS)
    upload = held(office.world)
    proposed(office, upload, mara, Choice.BLOCK)
    asked(jonas, upload)
    assert f"{MARA} proposed to block the file 0 s ago." in read(jonas, upload)


def test_a_form_about_what_changed_does_nothing(office: Office) -> None:
    """A proposal and a scan are about what was shown."""
    mara, jonas = office.person(name=MARA), office.person(name=JONAS)
    upload = held(office.world)
    confirmed(office, proposed(office, upload, mara), jonas)
    for form in ("decisions", "rescan"):
        assert mara.post(f"/uploads/{upload.id}/{form}", fields(upload)).status_code == 303
        page = read(mara, upload)
        assert "Nothing was done. The file changed since you looked at it: it is cleared now." in page
        assert f"{JONAS} confirmed its release 0 s ago." in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reason", "  too   short "),
        ("choice", ""),
        ("choice", "erase"),
        ("version", "newest"),
        ("days", "0"),
        ("days", "366"),
        ("days", ""),
    ],
)
def test_a_form_that_is_not_complete_comes_back_as_it_was(office: Office, field: str, value: str) -> None:
    """With what was written, and what is wrong; nothing is proposed."""
    mara, upload = office.person(), held(office.world)
    sent = fields(upload, "allow") | {field: value}
    answer = mara.post(f"/uploads/{upload.id}/decisions", sent)
    page = answer.get_data(as_text=True)
    assert (answer.status_code, 'role="alert"' in page) == (400, True)
    assert (value if field == "reason" else REASON) in page
    assert office.world.decisions.of_upload_now(upload.id) == []


def test_a_reader_decides_nothing(office: Office) -> None:
    """No form is shown, and none is taken."""
    mara, upload = office.person(), held(office.world)
    decision = proposed(office, upload, mara)
    reader = office.person(Role.READER)
    assert "<form" not in reader.get(f"/uploads/{upload.id}").get_data(as_text=True).partition("<main")[2]
    for path in (
        f"/uploads/{upload.id}/decisions",
        f"/uploads/{upload.id}/rescan",
        f"/decisions/{decision.id}/confirm",
        f"/decisions/{decision.id}/reject",
        "/allowances/al_00000000000000000000000000000000/revoke",
    ):
        assert reader.post(path, fields(upload)).status_code == 403
    assert find(office.world, upload) == upload


@pytest.mark.parametrize(
    "path",
    [
        f"/uploads/up_{'0' * 32}/decisions",
        "/uploads/up_%00/rescan",
        f"/decisions/de_{'0' * 32}/confirm",
        "/decisions/%00/reject",
        f"/allowances/al_{'0' * 32}/revoke",
        "/allowances/%00/revoke",
    ],
)
def test_what_is_not_there_is_not_found(office: Office, path: str) -> None:
    """Nor is what cannot be anything's id."""
    assert office.person().post(path, {"version": "1", "choice": "release"}).status_code == 404


def test_a_notice_is_for_one_page_and_once(office: Office) -> None:
    """Another file's page does not show it, nor the same page again; what is no notice is none."""
    mara = office.person()
    upload, other = held(office.world), held(office.world, ODD + b"2")
    asked(mara, upload)
    assert "Your proposal is made" not in read(mara, other)
    assert "Your proposal is made" in read(mara, upload)
    assert "Your proposal is made" not in read(mara, upload)
    for broken in ("x", "e30=", "W10=", "WzFd", "bnVsbA==", "\N{BULLET}"):
        mara.client.set_cookie(COOKIE, broken, domain="console.example", secure=True)
        assert mara.get("/held").status_code == 200


def test_the_queue(office: Office) -> None:
    """The oldest first, with the proposals, narrowed by what is asked for; what is blocked is not in it."""
    mara = office.person(name=MARA)
    first = held(office.world, name="first.pdf")
    office.world.clock.advance(3600)
    office.world.report_canaries()
    second = held(office.world, ODD + b"2", "second.pdf")
    blocked = office.world.upload(EICAR, "blocked.txt")
    proposed(office, second, mara)
    office.world.clock.advance(1)
    proposed(office, blocked, mara, Choice.ALLOW)
    reader = office.person(Role.READER)
    page = text(reader.get("/held").get_data(as_text=True))
    waiting, _, queue = page.partition("Held files")
    assert waiting.index("second.pdf") < waiting.index("blocked.txt")
    assert "first.pdf" not in waiting
    assert queue.index("1 h first.pdf") < queue.index("1 s second.pdf")
    assert f"release by {MARA}" in queue
    assert "blocked.txt" not in queue
    narrowed = text(reader.get("/held?signature=nothing&account=acme").get_data(as_text=True))
    assert "No held file is like that." in narrowed
    views = [entry.detail for entry in office.entries() if entry.event == "held_viewed"]
    assert views == [{"filters": ""}, {"filters": "account,signature"}]
    assert reader.get("/held?after=x").status_code == 400
    assert "second.pdf" in text(reader.get(f"/held?after={first.id}").get_data(as_text=True))


def test_a_long_queue_has_pages(office: Office) -> None:
    """Fifty on each, none twice, none missing."""
    for number in range(51):
        held(office.world, ODD + bytes([number]), f"file-{number:02}.pdf")
        office.world.clock.advance(1)
        office.world.report_canaries()
    reader = office.person(Role.READER)
    page = reader.get("/held?verdict=suspicious").get_data(as_text=True)
    onwards = re.search(r'href="([^"]*after=[^"]*)"', page)
    assert onwards
    later = reader.get(html.unescape(onwards[1])).get_data(as_text=True)
    names = [re.findall(r"file-\d\d", text(each)) for each in (page, later)]
    assert names == [[f"file-{number:02}" for number in range(50)], ["file-50"]]


def test_the_allow_list(office: Office) -> None:
    """Who put an entry there and why, in force until its day or until one person ends it, once."""
    mara, jonas = office.person(name=MARA), office.person(name=JONAS)
    upload = held(office.world)
    confirmed(office, proposed(office, upload, mara, Choice.ALLOW), jonas)
    page = text(mara.get("/allow-list").get_data(as_text=True))
    assert "in force" in page
    assert f"{MARA}, {JONAS}" in page
    assert REASON in page
    (entry,) = office.world.decisions.allowances.page(None, 2)
    assert mara.post(f"/allowances/{entry.id}/revoke").location == "/allow-list"
    page = text(mara.get("/allow-list").get_data(as_text=True))
    assert "It is revoked: no file is released by it from now on." in page
    jonas.post(f"/allowances/{entry.id}/revoke")
    page = text(jonas.get("/allow-list").get_data(as_text=True))
    assert f"{MARA} had revoked it before you." in page
    assert [entry.event for entry in office.entries()].count("allowance_revoked") == 1
    confirmed(office, proposed(office, upload, mara, Choice.ALLOW), jonas)
    office.world.clock.jump(timedelta(days=30))
    page = text(office.person(Role.READER).get("/allow-list").get_data(as_text=True))
    assert "expired" in page
    assert "in force" not in page


def test_a_long_allow_list_has_pages(office: Office) -> None:
    """Fifty on each."""
    mara, jonas, upload = office.person(), office.person(), held(office.world)
    confirmed(office, proposed(office, upload, mara, Choice.ALLOW), jonas)
    (entry,) = office.world.decisions.allowances.page(None, 1)
    for number in range(10, 60):
        more = replace(entry, id=f"al_{number:032x}", signature=f"Odd.{number}")
        office.world.decisions.allowances.add(more)
    page = mara.get("/allow-list").get_data(as_text=True)
    onwards = re.search(r'href="([^"]*before=[^"]*)"', page)
    assert onwards
    older = text(mara.get(onwards[1]).get_data(as_text=True))
    assert [len(re.findall(r"Odd\.\d\d", each)) for each in (text(page), older)] == [2 * 49, 2]
    assert mara.get("/allow-list?before=x").status_code == 400
