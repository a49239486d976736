"""Legal holds at the console: placed, shown and lifted by administrators, with what they wrote."""

from __future__ import annotations

import re
from typing import Final

import pytest

from service.core.errors import UnderHold
from service.core.reviewer import Role
from service.stages import accounts, holds
from service.stages.holds import Wanted
from service.stages.sweep import erase
from tests.console.office import Office
from tests.console.test_decisions import read, text
from tests.stages.reviewing import held
from tests.stages.world import CALLER, PDF

REASON: Final = "Order 12/2026 of the district court"


def test_a_hold_is_placed_and_lifted(office: Office) -> None:
    """The page shows what it is on, who did what and why, and the file's page that it must stay."""
    mara = office.person(Role.ADMINISTRATOR, "mara.lindqvist")
    upload = office.world.upload(PDF)
    asked = {"account": CALLER.account_id, "meeting": "", "upload": f" {upload.id} ", "reason": REASON}
    assert mara.post("/holds", asked).location == "/holds"
    page = text(mara.get("/holds").get_data(as_text=True))
    for told in ("It is under hold", "in force", "one upload", "by mara.lindqvist", REASON):
        assert told in page
    assert "under legal hold" in read(mara, upload)
    with pytest.raises(UnderHold):
        erase(office.desk.parts, upload)
    ((hold,), _) = holds.page(office.desk.parts, None, 9)
    assert mara.post(f"/holds/{hold.id}/lift").location == "/holds"
    page = text(mara.get("/holds").get_data(as_text=True))
    assert "what is due to be erased goes on" in page
    assert "lifted" in page
    assert "in force" not in page
    assert "under legal hold" not in read(mara, upload)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"reason": "short"}, 400),
        ({"account": "nobody"}, 404),
        ({"upload": "up_"}, 404),
        ({"meeting": "a b"}, 400),
    ],
)
def test_what_was_written_is_not_written_twice(office: Office, changes: dict[str, str], status: int) -> None:
    """A form that asks for something odd comes back as it was sent, with a sentence; nothing is held."""
    mara = office.person(Role.ADMINISTRATOR)
    asked = {"account": "acme", "meeting": "", "upload": "", "reason": REASON} | changes
    answer = mara.post("/holds", asked)
    assert answer.status_code == status
    page = answer.get_data(as_text=True)
    assert "Nothing was done." in page
    for value in filter(None, asked.values()):
        assert value in page
    assert holds.page(office.desk.parts, None, 9) == ([], None)


def test_a_long_list_has_pages(office: Office) -> None:
    """Fifty on each."""
    mara = office.person(Role.ADMINISTRATOR)
    for _ in range(51):
        office.world.clock.advance(1)
        holds.place(office.desk.parts, Wanted(CALLER.account_id, REASON), "operator:command")
    page = mara.get("/holds").get_data(as_text=True)
    onwards = re.search(r'href="([^"]*before=[^"]*)"', page)
    assert onwards
    older = mara.get(onwards[1]).get_data(as_text=True)
    assert [each.count("in force") for each in (page, older)] == [50, 1]
    assert mara.get("/holds?before=x").status_code == 400
    assert mara.post("/holds/hd_/lift").status_code == 404


def test_a_files_page_says_why_nothing_is_decided(office: Office) -> None:
    """Where its account was removed."""
    upload = held(office.world)
    accounts.remove(office.desk.parts, CALLER.account_id, "operator:command")
    page = read(office.person(Role.REVIEWER), upload)
    assert "The account was removed" in page
    assert "Propose to" not in page
    assert office.world.row() == upload
