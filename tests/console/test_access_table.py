"""Every route of the console, every role: who gets in, and that what they see and do is logged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import pytest
from werkzeug.test import TestResponse

from service.core.decision import Choice
from service.core.journal import Entry
from service.core.reviewer import Role
from service.stages import holds
from service.stages.desk.decide import Wanted, confirm, propose
from service.stages.log.checkpoint import sign
from service.stages.log.place import place
from service.web.console.entrance import FIELD
from tests.console.office import ORIGIN, Office, Person
from tests.stages.reviewing import REASON, held
from tests.stages.world import CALLER


@dataclass(frozen=True)
class Row:
    """One route: the lowest role that it is for, and what one request of theirs is logged as.

    ``things`` makes what the route's address names, such as an upload; ``fields`` are those of its form.
    """

    role: Role
    logged: list[str]
    things: Callable[[Office], dict[str, str]] = lambda _: {}
    fields: dict[str, str] = field(default_factory=dict)


def _held(office: Office) -> dict[str, str]:
    return {"upload_id": held(office.world).id}


def _signed(office: Office) -> dict[str, str]:
    named = _held(office)
    place(office.desk.parts)
    sign(office.desk.parts)
    return named


def _proposed(office: Office, choice: Choice = Choice.RELEASE) -> dict[str, str]:
    upload, proposer = held(office.world), office.person(Role.REVIEWER).reviewer
    assert proposer
    days = 30 if choice is Choice.ALLOW else None
    wanted = Wanted(upload.id, upload.version, choice, REASON, days)
    return {"decision_id": propose(office.desk.parts, proposer.id, wanted).id}


def _allowed(office: Office) -> dict[str, str]:
    other = office.person(Role.REVIEWER).reviewer
    assert other
    proposal = _proposed(office, Choice.ALLOW)["decision_id"]
    confirm(office.desk.parts, office.desk.reviewers, other.id, proposal)
    (allowance,) = office.desk.parts.allowances.page(None, 2)
    return {"allowance_id": allowance.id}


def _colleague(office: Office) -> dict[str, str]:
    return {"reviewer_id": office.hire(Role.REVIEWER).id}


def _under_hold(office: Office) -> dict[str, str]:
    wanted = holds.Wanted(CALLER.account_id, REASON)
    return {"hold_id": holds.place(office.desk.parts, wanted, "operator:command").id}


#: How often a file that is held at once was saved by then.
_VERSION: Final = {"version": str(held(Office().world).version)}
TABLE: Final = {
    "GET /": Row(Role.READER, ["overview_viewed"]),
    "GET /held": Row(Role.READER, ["held_viewed"]),
    "GET /allow-list": Row(Role.READER, ["allow_list_viewed"]),
    "POST /uploads/<upload_id>/decisions": Row(
        Role.REVIEWER, ["decision_proposed"], _held, _VERSION | {"choice": "release", "reason": REASON}
    ),
    "POST /uploads/<upload_id>/rescan": Row(Role.REVIEWER, ["rescan_asked"], _held, _VERSION),
    "POST /decisions/<decision_id>/confirm": Row(Role.REVIEWER, ["reviewer_cleared"], _proposed),
    "POST /decisions/<decision_id>/reject": Row(Role.REVIEWER, ["decision_rejected"], _proposed),
    "POST /allowances/<allowance_id>/revoke": Row(Role.REVIEWER, ["allowance_revoked"], _allowed),
    "GET /holds": Row(Role.ADMINISTRATOR, ["holds_viewed"], _under_hold),
    "POST /holds": Row(
        Role.ADMINISTRATOR,
        ["hold_placed"],
        fields={"account": CALLER.account_id, "meeting": "m1", "upload": "", "reason": REASON},
    ),
    "POST /holds/<hold_id>/lift": Row(Role.ADMINISTRATOR, ["hold_lifted"], _under_hold),
    "GET /log": Row(Role.READER, ["log_viewed"]),
    "GET /uploads": Row(Role.READER, ["searched"]),
    "GET /uploads.csv": Row(Role.READER, ["exported"]),
    "GET /uploads.jsonl": Row(Role.READER, ["exported"]),
    "GET /uploads/<upload_id>": Row(Role.READER, ["upload_viewed"], _held),
    "GET /uploads/<upload_id>/receipt": Row(Role.READER, ["receipt_taken"], _signed),
    "GET /requests": Row(Role.ADMINISTRATOR, ["requests_viewed"]),
    "GET /reviewers": Row(Role.ADMINISTRATOR, ["reviewers_viewed"]),
    "POST /reviewers/<reviewer_id>/disable": Row(Role.ADMINISTRATOR, ["reviewer_changed"], _colleague),
    "POST /reviewers/<reviewer_id>/enable": Row(Role.ADMINISTRATOR, ["reviewer_changed"], _colleague),
    "POST /reviewers/<reviewer_id>/role": Row(
        Role.ADMINISTRATOR, ["reviewer_changed"], _colleague, {"role": "reader"}
    ),
}
#: Those of signing in and out, which are tested by themselves: for who is signed in and who is not.
DOORS: Final = frozenset(
    {
        "GET /sign-in",
        "POST /sign-in",
        "POST /sign-out",
        "GET /sign-in/oidc",
        "GET /sign-in/oidc/callback",
    }
)
EVERYWHERE = pytest.mark.parametrize("route", TABLE)


def send(office: Office, person: Person, route: str) -> tuple[TestResponse, list[Entry]]:
    """Send one request of the table, with all that a page would send; the answer, and the lines it made."""
    method, path = route.split()
    row = TABLE[route]
    for name, value in row.things(office).items():
        path = path.replace(f"<{name}>", value)
    token, before = person.token(), len(office.entries())
    if method == "GET":
        answer = person.get(path)
    else:
        answer = person.send(path, {FIELD: token, **row.fields}, Sec_Fetch_Site="same-origin", Origin=ORIGIN)
    return answer, office.entries()[before:]


def test_no_route_is_without_its_row() -> None:
    """A new route cannot be forgotten here."""
    routes = {
        f"{method} {rule}"
        for rule in Office().app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }
    assert routes == {*TABLE, *DOORS}


@EVERYWHERE
@pytest.mark.parametrize("role", Role)
def test_who_gets_in(office: Office, route: str, role: Role) -> None:
    """With the row's role or a higher one; with a lower one nothing is shown, done or logged."""
    answer, lines = send(office, office.person(role), route)
    if role.includes(TABLE[route].role):
        assert answer.status_code < 400, answer.get_data(as_text=True)
        assert not (answer.location or "").startswith("/sign-in")
    else:
        assert (answer.status_code, lines) == (403, [])


@EVERYWHERE
def test_a_stranger_is_sent_to_the_door(office: Office, route: str) -> None:
    """Nothing is shown, done or logged, with a form of theirs too."""
    answer, lines = send(office, office.stranger(), route)
    assert (answer.status_code, lines) == (303, [])
    assert answer.location.startswith("/sign-in")


@EVERYWHERE
def test_what_is_seen_and_done_is_logged(office: Office, route: str) -> None:
    """One line for a view, as many as the row says for an action, each with the id of who it was."""
    person = office.person(TABLE[route].role)
    answer, lines = send(office, person, route)
    assert answer.status_code < 400
    assert [line.event for line in lines] == TABLE[route].logged
    assert person.reviewer
    assert {line.actor for line in lines} == {person.reviewer.actor}
    assert route.startswith("POST") or len(lines) == 1
