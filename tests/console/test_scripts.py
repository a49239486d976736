"""Texts stay texts: hundreds of payloads in names, signatures, reasons and searches, in a real browser, on
every page that there is; without the policy that would stop most of them too."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Final
from urllib.parse import quote, urlencode

import pytest
from flask import Flask, request
from playwright.sync_api import Browser

from service.core.reviewer import Role
from service.stages.desk.sign_in import WINDOW
from service.web.console.entrance import FIELD, Entrance
from tests.console.office import Office, Person
from tests.console.payloads import PAYLOADS
from tests.console.poisoned import poisoned
from tests.console.stage import Stage, staged
from tests.stages.reviewing import held

#: Those that lead to the provider, or back from it.
_ELSEWHERE: Final = frozenset({"sign_in_elsewhere.depart", "sign_in_elsewhere.arrive"})
#: Of so many uploads one page is shown.
_EACH: Final = 8
#: So many pages of a list show all payloads.
_ON: Final = 6

Begin = Callable[..., Stage]


@pytest.fixture(scope="module")
def office() -> Office:
    """A console full of payloads."""
    return poisoned()


@pytest.fixture
def stage(browser: Browser) -> Iterator[Begin]:
    """Begins stages: `stage(app, person, policy=...)`."""
    with ExitStack() as ends:

        def begin(app: Flask, person: Person, *, policy: bool = False) -> Stage:
            begun = Stage(browser, ends.enter_context(staged(app, policy=policy)), person.held())
            ends.callback(begun.close)
            return begun

        yield begin


def pages(office: Office, person: Person) -> tuple[list[str], list[str]]:
    """Every page of the app, those of one thing for several of them; and what is no page."""
    # Each shows several fields of its own.
    things = {"upload_id": [row.id for row in office.world.ledger.rows()][::_EACH]}
    found: list[str] = []
    others: list[str] = []
    with office.app.test_request_context():
        for rule in office.app.url_map.iter_rules():
            if "GET" not in (rule.methods or ()) or rule.endpoint in {*_ELSEWHERE, "static"}:
                continue
            paths = [str(rule)]
            for name in rule.arguments:
                paths = [path.replace(f"<{name}>", thing) for path in paths for thing in things[name]]
            page = paths and person.get(paths[0]).mimetype == "text/html"
            (found if page else others).extend(paths)
    return found, others


def shown(stage: Stage, paths: list[str]) -> dict[str, dict[str, Any]]:
    """Show pages, and the next ones of those that lead on; what was told of each."""
    told: dict[str, dict[str, Any]] = {}
    for _ in range(_ON):
        if not paths:
            break
        new = stage.show([{"address": path} for path in paths])
        told |= {one["address"]: one for one in new}
        paths = sorted({link for one in new for link in one["links"]} - told.keys())
    return told


def forms(told: dict[str, dict[str, Any]], method: str) -> dict[str, dict[str, dict[str, str]]]:
    """The forms on pages, by where they lead and what they send: each field's type and value."""
    found = [one for page in told.values() for one in page["forms"] if one["method"] == method]
    by_fields = {tuple(field["name"] for field in one["fields"]): one for one in found}
    return {
        one["action"]: {field["name"]: field for field in one["fields"] if field["type"] != "submit"}
        for one in by_fields.values()
    }


def spread(names: Sequence[str]) -> list[dict[str, str]]:
    """Every payload once, in as many fields at a time as there are."""
    rounds = range(0, len(PAYLOADS), len(names))
    return [dict(zip(names, PAYLOADS[first:], strict=False)) for first in rounds]


@pytest.mark.parametrize("policy", [True, False], ids=["policy", "no-policy"])
def test_what_is_kept_stays_text(office: Office, stage: Begin, policy: Any) -> None:
    """Every page there is, full of payloads: nothing runs."""
    person = office.person(Role.ADMINISTRATOR)
    on = stage(office.app, person, policy=policy)
    told = shown(on, pages(office, person)[0])
    pages_there = {"/", "/uploads", "/held", "/allow-list", "/holds", "/log", "/requests", "/reviewers"}
    assert pages_there <= told.keys()
    assert len([path for path in told if path.startswith("/uploads/")]) == len(PAYLOADS[::_EACH])
    on.check()


def test_what_is_asked_for_stays_text(stage: Begin) -> None:
    """In every form that searches, in addresses that lead nowhere, on the way to the sign-in."""
    office = Office()
    person = office.person(Role.ADMINISTRATOR)
    on = stage(office.app, person)
    searches = forms(shown(on, pages(office, person)[0]), "get")
    assert {"/uploads", "/held"} <= searches.keys()
    for path, fields in searches.items():
        on.show([{"address": f"{path}?{urlencode(asked)}"} for asked in spread([*fields, "older", "before"])])
        # Where what is odd is told before the rest is looked at.
        on.show([{"address": f"{path}?{urlencode(asked)}"} for asked in spread([*fields][:4])])
    on.show([{"address": f"/{quote(payload, safe='')}"} for payload in PAYLOADS[:: 2 * _EACH]])
    on.check()
    stranger = stage(office.app, office.stranger())
    stranger.show([{"address": f"/sign-in?{urlencode(asked)}"} for asked in spread(["next"])[::_EACH]])
    stranger.check()


def test_what_is_written_stays_text(stage: Begin) -> None:
    """In every form that does something: shown again with what is wrong, or kept and shown afterwards."""
    office = Office()
    upload, person = held(office.world), office.person(Role.ADMINISTRATOR)
    office.hire(Role.READER)
    on = stage(office.app, person)
    doing = forms(shown(on, pages(office, person)[0]), "post")
    stranger = stage(office.app, office.stranger())
    entering = forms(shown(stranger, ["/sign-in"]), "post")
    assert f"/uploads/{upload.id}/decisions" in doing
    assert {"name", "next"} < entering["/sign-in"].keys()
    for path, fields in (doing | entering).items():
        chosen = {name for name, one in fields.items() if one["type"] in {"hidden", "select-one", "radio"}}
        names = [name for name, one in fields.items() if one["type"] != "password" and name != FIELD]
        plain = {name: one["value"] for name, one in fields.items()} | {FIELD: person.token("/")}
        # What nobody writes is hardly ever shown again.
        sent = spread(names)[:: 1 if {*names} - chosen else _EACH] if names else []
        on.show([{"address": path, "fields": plain | one} for one in sent])
        # More failed sign-ins than one address may have.
        office.world.clock.advance(WINDOW.total_seconds() + 1)
    on.check()


def test_payloads_that_were_markup_would_run(stage: Begin) -> None:
    """The stage notices them, and the policy is a second wall: with it they ask, but nothing runs."""
    office = Office()

    @office.app.get("/careless")
    @Entrance(office.desk, "").everybody
    def careless() -> str:
        return f"<!doctype html><script src=/static/htmx-4.0.1.min.js></script>{request.args['text']}"

    shows = [{"address": f"/careless?{urlencode({'text': payload})}"} for payload in PAYLOADS[:160:_EACH]]
    ran = {}
    for policy in (False, True):
        on = stage(office.app, office.stranger(), policy=policy)
        on.show(shows)
        ran[policy] = len(set(on.ran))
    assert ran[False] >= len(shows) // 3
    assert ran[True] == 0


def test_what_is_no_page_is_handed_over_as_a_file(office: Office) -> None:
    """Never for the browser to look into; and no cell of a table begins as a formula would."""
    person = office.person(Role.READER)
    files = pages(office, person)[1]
    assert {"/uploads.csv", "/uploads.jsonl"} <= {*files}
    for path in files:
        answer = person.get(path)
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if answer.mimetype == "text/csv":
            rows = [*csv.reader(io.StringIO(answer.get_data(as_text=True), newline=""))]
            assert len(rows) == len(PAYLOADS) + 1
            assert not [cell for row in rows for cell in row if cell[:1] in {*"=+-@\t\r\n\uff1d"}]
