"""The page of people's requests: what is asked for, until when, and whether it was answered."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from service.core.export import Phase
from service.core.journal import Act, Entry
from service.core.reviewer import Role
from tests.console.office import Office
from tests.console.test_decisions import text
from tests.core.exports import make_export


def request(office: Office, number: int, **changes: object) -> None:
    """Let somebody ask."""
    now = office.world.clock.now()
    asked = make_export(number, person=f"person-{number:02}", asked_at=now, due_at=now + timedelta(days=30))
    known = office.world.exports.ask(asked, Entry(now, Act.EXPORT_ASKED.value))
    office.world.exports.save(replace(known, **changes))  # type: ignore[arg-type]


def rows(office: Office) -> dict[str, str]:
    """Return what stands in each row, by the person in it."""
    page = office.person(Role.ADMINISTRATOR).get("/requests").get_data(as_text=True)
    found = [re.sub(r"<[^>]+>", " ", row) for row in re.findall(r"<tr><td.*?</tr>", page, re.DOTALL)]
    return {one.group(): " ".join(row.split()) for row in found if (one := re.search(r"person-\d\d", row))}


@pytest.mark.parametrize(
    ("changes", "days", "standing"),
    [
        ({}, 0, "queued 0 %"),
        ({"phase": Phase.BUILDING, "done": 1, "total": 4}, 29, "building 25 %"),
        ({"phase": Phase.QUEUED}, 30, "overdue"),
        ({"phase": Phase.EXPIRED}, 31, "overdue"),
    ],
    ids=["asked", "under way", "due today", "never fetched"],
)
def test_what_is_overdue_is_called_so(
    office: Office, changes: dict[str, object], days: int, standing: str
) -> None:
    """From the month's end on, unless the account has taken the export by then."""
    request(office, 1, **changes)
    office.world.clock.jump(timedelta(days=days))
    assert standing in rows(office)["person-01"]


def test_one_that_was_taken_is_answered(office: Office) -> None:
    """For good: whatever becomes of the export, and a year later."""
    taken = office.world.clock.now()
    request(office, 1, phase=Phase.EXPIRED, taken_at=taken)
    request(office, 2, phase=Phase.READY, ready_at=taken)
    office.world.clock.jump(timedelta(days=29))
    found = rows(office)
    assert "answered" in found["person-01"]
    assert "ready" in found["person-02"]
    office.world.clock.jump(timedelta(days=300))
    found = rows(office)
    assert "answered" in found["person-01"]
    assert "overdue" in found["person-02"]


def test_an_accounts_own_export_is_no_persons_request(office: Office) -> None:
    """It names nobody and is due to nobody."""
    now = office.world.clock.now()
    office.world.exports.ask(make_export(1), Entry(now, Act.EXPORT_ASKED.value))
    page = office.person(Role.ADMINISTRATOR).get("/requests").get_data(as_text=True)
    assert "Nobody has asked for their data." in text(page)


def test_many_requests_have_pages(office: Office) -> None:
    """Fifty on each, none twice, none missing."""
    for number in range(51):
        request(office, number)
    who = office.person(Role.ADMINISTRATOR)
    page = who.get("/requests").get_data(as_text=True)
    onwards = re.search(r'href="([^"]*before=[^"]*)"', page)
    assert onwards
    older = who.get(onwards[1]).get_data(as_text=True)
    names = [re.findall(r"person-\d\d", text(each)) for each in (page, older)]
    assert names == [[f"person-{number:02}" for number in range(50, 0, -1)], ["person-00"]]
    assert who.get("/requests?before=x").status_code == 400
