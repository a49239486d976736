"""Administrators at work on ``/reviewers``: what they can change there, and what they cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from service.core.journal import Act, Entry
from service.core.reviewer import Reviewer, Role
from service.stages.desk import accounts
from tests.console.office import Office, Person
from tests.console.site import Site, Sitting

WAYS = pytest.mark.parametrize("way", ["disable", "enable", "role"])


def post(person: Person, whom: Reviewer, way: str, role: str = "reader") -> int:
    """Send one of the page's forms; the answer's status."""
    return person.post(f"/reviewers/{whom.id}/{way}", {"role": role}).status_code


def employ(office: Office) -> Reviewer:
    """Add somebody whom the provider vouches for and who has no password."""
    reviewer = Reviewer("rv_elsewhere", "ines", Role.READER, office.world.clock.now(), subject="5" * 64)
    office.desk.reviewers.add(reviewer, Entry(reviewer.created_at, Act.REVIEWER_ADDED.value))
    return reviewer


def test_a_disabled_reviewer_is_out_at_once(office: Office) -> None:
    """Their next request leads to the door; the line says who did it, to whom, and no names."""
    head, other = office.person(Role.ADMINISTRATOR), office.person(Role.REVIEWER, "jonas")
    assert head.reviewer
    assert other.reviewer
    assert post(head, other.reviewer, "disable") == 303
    assert other.get("/").status_code == 303
    line = office.entries()[-1]
    assert (line.event, line.actor) == (Act.REVIEWER_CHANGED, head.reviewer.actor)
    assert line.detail == {"reviewer": other.reviewer.id, "change": "disabled"}
    page = head.get("/reviewers").get_data(as_text=True)
    assert f"/reviewers/{other.reviewer.id}/enable" in page
    assert post(head, other.reviewer, "enable") == 303
    assert not accounts.named(office.desk, "jonas").disabled_at


def test_a_changed_role_counts_from_the_next_sign_in(office: Office) -> None:
    """Up and down; the sessions with the old one end."""
    head, other = office.person(Role.ADMINISTRATOR), office.person(Role.REVIEWER, "jonas")
    assert other.reviewer
    for role in (Role.ADMINISTRATOR, Role.READER):
        assert post(head, other.reviewer, "role", role.value) == 303
        assert accounts.named(office.desk, "jonas").role is role
        assert office.entries()[-1].detail["role"] == role.value
    assert other.get("/").status_code == 303


@WAYS
def test_nobody_changes_themselves(office: Office, way: str) -> None:
    """With another administrator there too; so the last one cannot be lost. No form for it is shown."""
    office.hire(Role.ADMINISTRATOR)
    head = office.person(Role.ADMINISTRATOR)
    assert head.reviewer
    assert f"/reviewers/{head.reviewer.id}/" not in head.get("/reviewers").get_data(as_text=True)
    assert post(head, head.reviewer, way) == 403
    assert office.desk.reviewers.get(head.reviewer.id) == head.reviewer
    assert Act.REVIEWER_CHANGED not in {line.event for line in office.entries()}


def test_a_role_of_the_providers_is_changed_there(office: Office) -> None:
    """It would not last until the next sign-in. Disabling does; and without a provider roles are ours."""
    head, other = office.person(Role.ADMINISTRATOR), employ(office)
    assert f"/reviewers/{other.id}/role" not in head.get("/reviewers").get_data(as_text=True)
    assert post(head, other, "role", "administrator") == 403
    assert office.desk.reviewers.get(other.id) == other
    assert post(head, other, "disable") == 303
    alone = replace(office.desk, elsewhere=None)
    assert head.reviewer
    accounts.set_role(alone, accounts.found(alone, other.id), Role.REVIEWER, head.reviewer)


@pytest.mark.parametrize("role", ["owner", "", "ADMINISTRATOR"])
def test_a_role_that_is_none(office: Office, role: str) -> None:
    """Nothing is changed."""
    head, other = office.person(Role.ADMINISTRATOR), office.hire()
    assert post(head, other, "role", role) == 400
    assert office.desk.reviewers.get(other.id) == other


@WAYS
def test_a_reviewer_who_is_none(office: Office, way: str) -> None:
    """Is not found."""
    head = office.person(Role.ADMINISTRATOR)
    assert post(head, replace(office.hire(), id="rv_nobody"), way) == 404


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_an_administrator_at_work(site: Site, sitting: Callable[..., Sitting], scripts: bool) -> None:  # noqa: FBT001
    """Changes a role, disables and enables somebody, by the accessible names alone."""
    other = sitting(Role.REVIEWER)
    head = sitting(Role.ADMINISTRATOR, java_script_enabled=scripts)
    head.open("/")
    head.page.get_by_role("link", name="Reviewers").click()
    head.page.get_by_role("combobox", name=f"Role of {other.name}").select_option("administrator")
    head.page.get_by_role("button", name=f"Change the role of {other.name}").click()
    assert accounts.named(site.desk, other.name).role is Role.ADMINISTRATOR
    head.page.get_by_role("button", name=f"Disable {other.name}").click()
    assert accounts.named(site.desk, other.name).disabled_at
    head.page.get_by_role("button", name=f"Enable {other.name}").click()
    assert head.page.get_by_role("button", name=f"Disable {other.name}").count() == 1
    assert not accounts.named(site.desk, other.name).disabled_at
    head.check_quiet()
