"""Accounts made, removed and brought back, on fakes, with time as an argument."""

from datetime import timedelta
from typing import Any

import pytest

from service.core.account import Account, Plan, Standing
from service.core.caller import Scope
from service.core.errors import AccountExists, AccountRemoved, BadRequest, Forbidden, NotFound
from service.core.upload import State
from service.stages import accounts
from service.stages.access import SCOPES, authenticate, create_admin_key, create_key
from service.stages.download_link import make_link, open_link
from tests.stages.world import CALLER, PDF, World

ADMIN = "key:gr_ad"


def removed(world: World) -> Account:
    """Remove the account that everything of this world is in."""
    return accounts.remove(world.parts, CALLER.account_id, ADMIN)


@pytest.mark.parametrize(("plan", "days"), [(Plan.TRIAL, 60), (Plan.PAID, 90)], ids=["trial", "paid"])
def test_a_removed_account_is_held_for_its_plans_time(world: World, plan: Plan, days: int) -> None:
    """To the second, and in the log with its plan; to remove it again does not begin the time anew."""
    accounts.create(world.parts, "new", plan, "home", ADMIN)
    world.clock.advance(10)
    gone = accounts.remove(world.parts, "new", ADMIN)
    assert gone.standing is Standing.REMOVED
    assert gone.erase_at == world.clock.now() + timedelta(days=days)
    world.clock.advance(10)
    assert accounts.remove(world.parts, "new", ADMIN) == gone
    lines = [one for one in world.journal.entries if one.event.startswith("account_")]
    assert [(one.event, one.actor, one.account_id) for one in lines] == [
        ("account_created", ADMIN, "new"),
        ("account_removed", ADMIN, "new"),
    ]
    assert lines[0].detail == {"plan": plan.value, "region": "home"}
    assert lines[1].detail == {"plan": plan.value, "held_for_days": days}


def test_within_the_time_all_is_brought_back(world: World) -> None:
    """To the last second; from the next one on it is too late."""
    gone = removed(world)
    assert gone.erase_at is not None
    world.clock.advance((gone.erase_at - world.clock.now()).total_seconds() - 1)
    back = accounts.reactivate(world.parts, CALLER.account_id, ADMIN)
    assert (back.standing, back.removed_at, back.erase_at) == (Standing.ACTIVE, None, None)
    assert accounts.reactivate(world.parts, CALLER.account_id, ADMIN) == back
    assert world.begin(9).region == "home"
    gone = removed(world)
    assert gone.erase_at is not None
    world.clock.advance((gone.erase_at - world.clock.now()).total_seconds())
    with pytest.raises(AccountRemoved):
        accounts.reactivate(world.parts, CALLER.account_id, ADMIN)


def test_what_was_erased_does_not_come_back(world: World) -> None:
    """Neither by being reactivated nor by being made again, and it takes no key."""
    gone = removed(world)
    world.accounts.change(Account(gone.id, gone.created_at, erased_at=gone.removed_at, version=2), None)
    for again in (accounts.remove, accounts.reactivate):
        with pytest.raises(AccountRemoved):
            again(world.parts, gone.id, ADMIN)
    with pytest.raises(AccountExists):
        accounts.create(world.parts, gone.id, Plan.PAID, "home", ADMIN)
    with pytest.raises(AccountRemoved):
        create_key(world.parts, gone.id, "late", SCOPES, None)


@pytest.mark.parametrize(
    ("name", "region"), [("@operator", "home"), ("", "home"), ("a b", "home"), ("new", "mars")]
)
def test_odd_accounts_are_not_made(world: World, name: str, region: str) -> None:
    """Not under the name of the operator's either, and not where there is no store."""
    with pytest.raises(BadRequest):
        accounts.create(world.parts, name, Plan.PAID, region, ADMIN)
    with pytest.raises(NotFound):
        accounts.find(world.parts, name)
    with pytest.raises(NotFound):
        accounts.remove(world.parts, name, ADMIN)


def test_an_upload_under_way_comes_to_rest_and_nobody_gets_it(world: World) -> None:
    """What began before the removal is finished, so that it is safe to keep, and is there if the account
    comes back.
    """
    begun = world.begin(len(PDF))
    removed(world)
    upload = world.send(begun.id, 0, PDF)
    world.settle()
    upload = world.ledger.find(upload.id) or upload
    assert upload.state is State.RELEASED
    link = make_link(world.parts, upload.id)
    with pytest.raises(AccountRemoved):
        open_link(world.parts, link)
    accounts.reactivate(world.parts, CALLER.account_id, ADMIN)
    assert open_link(world.parts, link).id == upload.id


def test_nothing_new_begins_in_a_removed_account(world: World) -> None:
    """In one request or in pieces; not even a record of what would have been refused."""
    removed(world)
    refused: Any
    for refused in (lambda: world.upload(PDF), lambda: world.begin(9), lambda: world.upload(b"", "x.exe")):
        with pytest.raises(AccountRemoved):
            refused()
    assert world.ledger.rows() == []


def test_an_administrators_key_opens_no_account(world: World) -> None:
    """It has the one scope that no key of an account can be given."""
    holder = authenticate(world.parts, create_admin_key(world.parts, "console", None))
    assert holder.scopes == {Scope.ADMIN}
    for scope in SCOPES:
        with pytest.raises(Forbidden):
            holder.require(Scope(scope))
    for scopes in ({"admin"}, SCOPES | {"admin"}):
        with pytest.raises(BadRequest):
            create_key(world.parts, "acme", "sly", frozenset(scopes), None)
    with pytest.raises(BadRequest):
        create_key(world.parts, "@operator", "sly", SCOPES, None)
