"""Signing in at an OpenID provider: whose answers are taken, what becomes of groups, and what is logged."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from werkzeug.test import TestResponse

from service.core.errors import IdentityProviderUnavailable
from service.core.identity import subject_of
from service.core.reviewer import Role
from service.stages.desk import accounts, sign_in
from tests.console.office import PASSWORD, Office, Person
from tests.fakes.faults import Moment
from tests.fakes.identity_provider import ISSUER

CALLBACK = "/sign-in/oidc/callback"


@dataclass
class Way:
    """A person's way to the provider, and the query that they come back with."""

    person: Person
    query: dict[str, str]

    def arrive(self, **changes: str) -> TestResponse:
        """Come back, with `changes` of the query."""
        return self.person.get(CALLBACK, query_string={**self.query, **changes})


def depart(office: Office, name: str, *groups: str, onwards: str = "/", person: Person | None = None) -> Way:
    """Go there and sign in as `name`, who is in `groups`."""
    person = person or office.stranger()
    answer = person.get("/sign-in/oidc", query_string={"next": onwards})
    assert answer.status_code == 303
    return Way(person, office.provider.sign_in(answer.location, name, *groups))


def events(office: Office) -> list[tuple[str, str | None]]:
    """What was logged, and of whom."""
    return [(entry.event, entry.actor) for entry in office.entries()]


def test_a_role_of_the_moment_lets_nobody_in_who_is_disabled_at_that_moment(office: Office) -> None:
    """Who is disabled while the provider's new role is written down stays disabled."""
    depart(office, "mara", "staff").arrive()
    [mara] = office.desk.reviewers.all()
    way = depart(office, "mara", "heads")
    office.faults.arm("reviewers.change", 1, Moment.BEFORE, lambda: accounts.disable(office.desk, mara))
    assert way.arrive().status_code == 401
    [mara] = office.desk.reviewers.all()
    assert (mara.role, mara.disabled_at is None) == (Role.READER, False)
    assert way.person.get("/").status_code == 303


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["staff"], Role.READER),
        (["security"], Role.REVIEWER),
        (["staff", "heads", "others"], Role.ADMINISTRATOR),
    ],
)
def test_groups_make_the_role(office: Office, groups: list[str], role: Role) -> None:
    """The highest that one of them has; the person is made once, and logged by an id that tells nothing."""
    way = depart(office, "Mara Lindqvist", *groups, onwards="/?a=b")
    answer = way.arrive()
    assert (answer.status_code, answer.location) == (303, "/?a=b")
    [mara] = office.desk.reviewers.all()
    assert (mara.name, mara.role, mara.password_hash) == ("mara-lindqvist", role, None)
    assert way.person.get("/").status_code == 200
    assert events(office) == [
        ("reviewer_added", "provider:oidc"),
        ("signed_in", mara.actor),
        ("overview_viewed", mara.actor),
    ]
    assert depart(office, "Mara Lindqvist", *groups).arrive().status_code == 303
    assert office.desk.reviewers.all() == [mara]
    assert "mara" not in repr(office.entries()).lower()


def test_without_a_mapped_group_nobody_gets_in(office: Office) -> None:
    """Nor is anybody made of them; the page says why."""
    for groups in ([], ["others"], ["Staff"], ["administrator"]):
        way = depart(office, "mara", *groups)
        answer = way.arrive()
        assert answer.status_code == 403
        assert "no group of yours has a role" in answer.get_data(as_text=True)
        assert way.person.get("/").status_code == 303
    assert office.desk.reviewers.all() == []
    assert {event for event, _ in events(office)} == {"sign_in_failed"}


def test_the_role_is_that_of_the_last_sign_in(office: Office) -> None:
    """Groups that changed change the role, and end what was begun with the old one."""
    before = depart(office, "mara", "heads")
    before.arrive()
    after = depart(office, "mara", "staff")
    after.arrive()
    [mara] = office.desk.reviewers.all()
    assert mara.role is Role.READER
    assert before.person.get("/").status_code == 303
    assert after.person.get("/").status_code == 200
    assert depart(office, "mara").arrive().status_code == 403


def test_a_disabled_reviewer_stays_out(office: Office) -> None:
    """Whatever the provider says, and with the role that they had."""
    depart(office, "mara", "staff").arrive()
    [mara] = office.desk.reviewers.all()
    accounts.disable(office.desk, mara)
    way = depart(office, "mara", "heads")
    assert way.arrive().status_code == 401
    assert way.person.get("/").status_code == 303
    assert office.desk.reviewers.all()[0].role is Role.READER
    assert events(office)[-1] == ("sign_in_failed", mara.actor)


def test_a_name_that_is_taken_stays_whose_it_was(office: Office) -> None:
    """Somebody who calls themselves like a reviewer is another, by name too, and has no password."""
    jonas = office.hire(Role.ADMINISTRATOR, "jonas")
    depart(office, "Jonas", "staff").arrive()
    other = office.desk.reviewers.vouched_for(subject_of(ISSUER, "Jonas"))
    assert other
    assert (other.id != jonas.id, other.role) == (True, Role.READER)
    assert other.name.startswith("jonas-")
    assert office.desk.reviewers.named("jonas") == jonas
    fields = {"name": other.name, "password": PASSWORD}
    assert office.stranger().post("/sign-in", fields).status_code == 401


def test_an_answer_is_good_in_the_browser_that_asked(office: Office) -> None:
    """Another's code, brought by a link, signs nobody in as another (RFC 9700, 4.7)."""
    attacker = depart(office, "attacker", "staff")
    victim = office.stranger()
    for person in (victim, depart(office, "victim", "staff").person):
        answer = person.get(CALLBACK, query_string=attacker.query)
        assert answer.status_code == 401
        assert person.get("/").status_code == 303
    assert attacker.arrive().status_code == 303


@pytest.mark.parametrize(
    "change",
    [
        {"state": ""},
        {"state": "0" * 64},
        {"state": "é" * 64},
        {"iss": "https://evil.example"},
        {"code": "made-up"},
        {"code": ""},
        {"error": "access_denied"},
    ],
    ids=str,
)
def test_an_answer_that_is_not_the_providers_is_not_taken(office: Office, change: dict[str, str]) -> None:
    """And the next right one is not either: each way is good for one answer."""
    way = depart(office, "mara", "staff")
    assert way.arrive(**change).status_code == 401
    assert way.person.get("/").status_code == 303
    assert way.arrive().status_code == 401


def test_an_answer_is_good_once(office: Office) -> None:
    """Neither in the same browser, signed out, nor in one with the cookie of then."""
    way = depart(office, "mara", "staff")
    cookie = way.person.held()
    assert way.arrive().status_code == 303
    way.person.post("/sign-out", {"csrf": way.person.token("/")})
    assert way.arrive().status_code == 401
    thief = office.stranger()
    thief.hold(cookie)
    assert thief.get(CALLBACK, query_string=way.query).status_code == 401


@pytest.mark.parametrize(
    "onwards", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x"]
)
def test_the_way_onwards_stays_here(office: Office, onwards: str) -> None:
    """Neither given at the start nor put into the answer does it lead anywhere else."""
    way = depart(office, "mara", "staff", onwards=onwards)
    assert way.query["state"].endswith("/")
    assert way.arrive(state=way.query["state"][:64] + onwards).status_code == 401
    again = depart(office, "mara", "staff", onwards=onwards)
    assert again.arrive().location == "/"


def test_who_is_signed_in_stays_who_they_are(office: Office) -> None:
    """Neither the way there nor an answer of another's changes anything for them."""
    person = office.person(name="jonas")
    token = person.held()
    other = depart(office, "mara", "staff")
    for path, query in (("/sign-in/oidc", {}), (CALLBACK, other.query), (CALLBACK, {})):
        answer = person.get(path, query_string=query)
        assert (answer.status_code, answer.location) == (303, "/")
    assert person.held() == token
    assert "jonas" in person.get("/").get_data(as_text=True)


def test_each_way_has_secrets_of_its_own(office: Office) -> None:
    """State and nonce are new each time, in the same browser too, and the cookie is in neither."""
    person = office.stranger()
    first, second = (person.get("/sign-in/oidc").location for _ in range(2))
    assert first != second
    assert person.held() not in second


def test_a_provider_that_is_away_is_said_to_be(office: Office) -> None:
    """503 on the way there and back; signing in with a password goes on."""
    way = depart(office, "mara", "staff")
    office.world.faults.take_away("provider", IdentityProviderUnavailable("away"))
    assert office.stranger().get("/sign-in/oidc").status_code == 503
    assert way.arrive().status_code == 503
    office.hire(name="jonas")
    assert office.stranger().post("/sign-in", {"name": "jonas", "password": PASSWORD}).status_code == 303


def test_too_many_failures_are_not_looked_at(office: Office) -> None:
    """From one address, as with passwords: the provider is asked no more."""
    for _ in range(sign_in.MOST_FOR_EITHER):
        assert depart(office, "mara").arrive().status_code == 403
    assert depart(office, "mara", "staff").arrive().status_code == 429
    office.world.clock.advance(sign_in.WINDOW.total_seconds() + 1)
    assert depart(office, "mara", "staff").arrive().status_code == 303
