"""The search, its exports and the page of an upload, in this process."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest

from service.core.errors import LedgerUnavailable
from service.core.journal import Act, Entry
from service.core.reviewer import Role
from service.core.upload import State, Upload
from service.core.verdict import Kind
from service.stages.log.checkpoint import sign
from service.stages.log.keys import public_key
from service.stages.log.place import place
from service.verify.proof import check_receipt
from service.verify.receipt import read_receipt
from tests.console import filled
from tests.console.office import Office, Person
from tests.fakes.faults import Moment
from tests.stages.world import PDF

ACCOUNT = "acme-holding.eu"
_SECRET = {"name": "Gesellschafter", "account": ACCOUNT, "meeting": "weekly-0", "signature": "j.doe@example"}


@pytest.fixture
def uploads(office: Office) -> list[Upload]:
    """What the console's archive holds, oldest first."""
    made = filled.fill(office.world.parts, office.world.clock.now(), ACCOUNT)
    filled.keep(office.world.parts)
    return made


def names(page: str) -> list[str]:
    """The names of the uploads that a page leads to."""
    found = re.findall(r'<a class="clamp" href="/uploads/up_[^"]*" title="([^"]*)">', page)
    return [unescape(name) for name in found]


def linked(page: str) -> list[str]:
    """Every address that a page names."""
    return [unescape(address) for address in re.findall(r'(?:href|src|action)="([^"]*)"', page)]


def last_acts(office: Office, *acts: Act) -> list[Entry]:
    """The lines of these acts."""
    return [entry for entry in office.entries() if entry.event in acts]


def test_everything_is_found_newest_first(office: Office, uploads: list[Upload]) -> None:
    """Without a filter."""
    page = office.person(Role.READER).get("/uploads").get_data(as_text=True)
    assert names(page) == [upload.name for upload in reversed(uploads)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=blocked", ["invoice 2026-11.pdf"]),
        ("verdict=suspicious&state=held", [filled.EMOJI]),
        ("name=GESELLSCHAFTER", [filled.LONG]),
        ("signature=encrypted.pdf", [filled.LONG, "board deck Q3.pptx"]),
        ("signature=encrypted.pdf&until=2000-01-01", []),
        ("account=somebody-else", []),
    ],
)
def test_filters_stand_in_the_address(
    office: Office, uploads: list[Upload], query: str, found: list[str]
) -> None:
    """In any mix; the exports of the page are of the same."""
    person = office.person(Role.READER)
    page = person.get(f"/uploads?{query}").get_data(as_text=True)
    assert names(page) == found
    assert uploads
    (as_csv,) = [address for address in linked(page) if address.startswith("/uploads.csv")]
    (as_json,) = [address for address in linked(page) if address.startswith("/uploads.jsonl")]
    rows = list(csv.DictReader(io.StringIO(person.get(as_csv).get_data(as_text=True), newline="")))
    assert [row["name"] for row in rows] == found
    lines = person.get(as_json).get_data(as_text=True).splitlines()
    assert [json.loads(line)["name"] for line in lines] == found


@pytest.mark.parametrize("path", ["/uploads", "/uploads.csv", "/uploads.jsonl"])
@pytest.mark.parametrize("query", ["id=1", "since=yesterday", "sha256=%00", "verdict=fine"])
def test_a_filter_that_cannot_be_read_finds_nothing(office: Office, path: str, query: str) -> None:
    """And nothing is logged as searched."""
    assert office.person().get(f"{path}?{query}").status_code == 400
    assert last_acts(office, Act.SEARCHED, Act.EXPORTED) == []


def test_what_was_written_stays_in_the_form(office: Office) -> None:
    """With what is wrong about it, in a page of the same form."""
    page = office.person().get("/uploads?since=yesterday&state=held").get_data(as_text=True)
    assert 'value="yesterday"' in page
    assert "since must be a time" in page
    assert '<option value="held" selected>' in page
    assert office.person().get("/uploads?older=x").status_code == 400


def test_pages_lead_on_and_back(office: Office) -> None:
    """Older and newer, with the filters kept, each upload once."""
    hour = timedelta(hours=1)
    fates = [filled.Fate(f"deck {n}.pdf", Kind.CLEAN, (120 - n) * hour) for n in range(101)]
    filled.fill(office.world.parts, office.world.clock.now(), ACCOUNT, fates)
    person = office.person()
    way, seen = f"/uploads?account={ACCOUNT}", []
    pages = []
    while way:
        pages.append(person.get(way).get_data(as_text=True))
        seen += names(pages[-1])
        way = next(iter(a for a in linked(pages[-1]) if "older=" in a), "")
        assert not way or ACCOUNT in way
    assert seen == [f"deck {n}.pdf" for n in reversed(range(101))]
    assert len(pages) == 3
    (back,) = [address for address in linked(pages[-1]) if "newer=" in address]
    assert names(person.get(back).get_data(as_text=True)) == names(pages[1])


def test_no_words_that_somebody_typed_are_logged(office: Office) -> None:
    """A person's name can be typed into the wrong field too: what is free text is told by a pseudonym."""
    person = office.person()
    for path in ("/uploads", "/uploads.csv"):
        person.get(path, query_string={"signature": "Mara Lindqvist"})
    for entry in last_acts(office, Act.SEARCHED, Act.EXPORTED):
        assert re.fullmatch("si_[0-9a-f]{32}", entry.detail["by_signature"])
        assert "Mara" not in json.dumps(dict(entry.detail))


def test_a_search_is_logged_without_what_may_name_a_person(office: Office, uploads: list[Upload]) -> None:
    """Words that somebody typed as pseudonyms, the same for the same; what is chosen or has one form as it
    is.
    """
    person = office.person()
    asked = {**_SECRET, "state": "held", "sha256": uploads[1].sha256}
    for path in ("/uploads", "/uploads.csv", "/uploads"):
        person.get(path, query_string=asked)
    first, export, again = last_acts(office, Act.SEARCHED, Act.EXPORTED)
    assert first.detail == again.detail
    assert first.detail["filters"] == "sha256,name,account,meeting,signature,state"
    assert first.detail["by_state"] == "held"
    assert first.detail["by_sha256"] == uploads[1].sha256
    assert re.fullmatch("na_[0-9a-f]{32}", first.detail["by_name"])
    assert re.fullmatch("si_[0-9a-f]{32}", first.detail["by_signature"])
    assert export.detail["by_account"] == first.detail["by_account"]
    assert export.detail["form"] == "csv"
    assert person.reviewer
    assert {entry.actor for entry in (first, export)} == {person.reviewer.actor}
    said = json.dumps([dict(entry.detail) for entry in (first, export, again)])
    assert not [value for value in _SECRET.values() if value in said]


@pytest.mark.parametrize("path", ["/uploads", "/uploads.csv", "/uploads.jsonl", "/uploads/{id}", "/"])
def test_what_cannot_be_logged_is_not_shown(office: Office, uploads: list[Upload], path: str) -> None:
    """Neither a page nor an export: nothing of any upload goes out."""
    person = office.person()
    office.world.faults.fail("journal.append", 1, Moment.BEFORE, LedgerUnavailable("the log is away"))
    answer = person.get(path.format(id=uploads[0].id))
    assert answer.status_code == 503
    assert "agenda" not in answer.get_data(as_text=True)


def test_an_export_is_logged_first_and_read_as_it_is_taken(office: Office, uploads: list[Upload]) -> None:
    """Before the first byte; what breaks off in the middle does not end like a whole one."""
    person = office.person()
    answer = person.client.get("/uploads.csv", base_url="https://console.example", buffered=False)
    assert uploads
    assert len(last_acts(office, Act.EXPORTED)) == 1
    assert answer.mimetype == "text/csv"
    assert re.fullmatch(
        r'attachment; filename="uploads-\d{8}T\d{6}Z\.csv"', answer.headers["Content-Disposition"]
    )
    pieces = answer.iter_encoded()
    assert next(iter(pieces)).startswith(b'"id"')
    office.world.faults.fail("archive.page", 1, Moment.BEFORE, LedgerUnavailable("away"))
    with pytest.raises(LedgerUnavailable):
        list(pieces)


def test_an_upload_that_is_not_there(office: Office) -> None:
    """No page, and no line."""
    person = office.person()
    for upload_id in ("up_" + "0" * 32, "up_1", "..%2f", "nothing"):
        assert person.get(f"/uploads/{upload_id}").status_code == 404
    assert last_acts(office, Act.UPLOAD_VIEWED) == []


def test_the_page_of_an_upload(office: Office, uploads: list[Upload]) -> None:
    """What happened, who downloaded it, what else has the content, and who looks is logged."""
    person = office.person(Role.READER)
    upload = next(one for one in uploads if one.name == filled.UNBROKEN)
    filled.downloaded(office.world.parts, upload, "grant:ann", office.world.clock.now())
    page = person.get(f"/uploads/{upload.id}").get_data(as_text=True)
    assert page.count('<span class="badge proved">') == 5
    assert page.count("to be placed") == 1
    assert re.findall(r'<th scope="row" class="id" data-label="By">([^<]*)', page) == [
        "grant ann",
        "key gr_5d1e0c7a9b2f",
    ]
    same = [one.name for one in reversed(uploads) if one.sha256 == upload.sha256 and one.id != upload.id]
    assert names(page) == same
    assert 'role="alert"' not in page
    (viewed,) = last_acts(office, Act.UPLOAD_VIEWED)
    assert (viewed.upload_id, viewed.account_id) == (upload.id, ACCOUNT)
    assert person.reviewer
    again = person.get(f"/uploads/{upload.id}").get_data(as_text=True)
    assert f'<b>Upload viewed</b> <span class="soft">by {person.reviewer.name}</span>' in again


def test_no_page_leads_to_a_content(office: Office, uploads: list[Upload]) -> None:
    """Every address on every page of an upload is one of the console's own, and none of these gives one."""
    person = office.person(Role.ADMINISTRATOR)
    routes = (
        r"/|/\?span=month|/sign-in|/sign-out|#main|/static/[a-z0-9.-]+|/held|/allow-list|/holds|/log|/requests"
        r"|/reviewers"
        r"|/uploads(\.csv|\.jsonl)?(\?.*)?|/uploads/up_[0-9a-f]{32}(/decisions|/rescan|/receipt)?"
    )
    for upload in uploads:
        for path in (f"/uploads/{upload.id}", f"/uploads?id={upload.id}"):
            addresses = linked(person.get(path).get_data(as_text=True))
            assert [one for one in addresses if not re.fullmatch(routes, one)] == []
    assert office.world.store.released == {}


def test_a_log_that_was_changed_is_shown_loudly(office: Office, uploads: list[Upload]) -> None:
    """In an alert, at the line, and with the words of the line."""
    upload, journal = uploads[2], office.world.journal
    person: Person = office.person()
    at = next(n for n, one in enumerate(journal.entries) if one.upload_id == upload.id)
    journal.entries[at] = replace(journal.entries[at], after=State.BLOCKED, actor="key:gr_x")
    page = person.get(f"/uploads/{upload.id}").get_data(as_text=True)
    assert "The log of this upload cannot be trusted." in page
    assert "The row says otherwise" in page
    assert "Different: actor, after." in page
    assert page.count('class="bad wrong"') == 1
    assert "key gr_x" not in page


def test_a_receipt_taken_here_is_one_that_its_reader_can_check(office: Office) -> None:
    """The same as the sender's, as a file; before the verdict is signed there is none, and it says so."""
    upload, person = office.world.upload(PDF), office.person(Role.READER)
    address = f"/uploads/{upload.id}/receipt"
    assert f'href="{address}"' in person.get(f"/uploads/{upload.id}").get_data(as_text=True)
    assert person.get(address).status_code == 409
    while place(office.desk.parts):
        pass
    sign(office.desk.parts)
    answer = person.get(address)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="receipt-{upload.id}.json"'
    proved = check_receipt(read_receipt(answer.get_data(as_text=True)), public_key(office.desk.parts))
    assert (proved.line["upload"], proved.line["event"]) == (upload.id, "found_clean")
    assert person.get(f"/uploads/up_{'0' * 32}/receipt").status_code == 404
