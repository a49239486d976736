"""Accounts by the API; and that a removed one is shut on every route and for everybody who may come."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest
from flask import Flask

from service.core.account import Account, Plan
from service.core.caller import Scope
from service.stages import accounts
from service.stages.parts import Parts
from tests.web.conftest import Backend, assert_problem
from tests.web.test_access_table import OWNER, PARTICIPANT, PRESENTER, TABLE, Stage, stage, stages
from tests.web.test_contract import check

__all__ = ["stage", "stages"]
ACCOUNTS = "/v1/accounts"
TENANTS = {route: entry for route, entry in TABLE.items() if entry.scope not in {None, Scope.ADMIN}}


def call(administrator: Backend, account: str, what: str) -> None:
    """Remove or reactivate an account."""
    answer = administrator.call("POST", f"/v1/accounts/{account}/{what}")
    assert answer.status_code == 200, answer.get_data(as_text=True)


@pytest.mark.parametrize(("method", "rule"), TENANTS)
def test_a_removed_account_is_shut(stage: Stage, administrator: Backend, method: str, rule: str) -> None:
    """On every route that has to do with an account, by key and by each kind of grant; and as soon as it is
    brought back all answer as the table of access says.
    """
    owner, stage.played = stage.callers[OWNER], True
    call(administrator, owner.account, "remove")
    for role in (OWNER, PRESENTER, PARTICIPANT):
        answer = stage.call(role, method, rule, TABLE[method, rule])
        if method == "HEAD":
            assert answer.status_code == 410
        else:
            assert_problem(answer, 410, "account_removed")
    call(administrator, owner.account, "reactivate")
    answer = stage.call(OWNER, method, rule, TABLE[method, rule])
    assert answer.status_code in TABLE[method, rule].expected(OWNER), answer.get_data(as_text=True)


def test_nobody_else_is_shut_out(stage: Stage, administrator: Backend, stranger: Backend) -> None:
    """What is public stays so, and other accounts go on."""
    stage.played = True
    call(administrator, stage.callers[OWNER].account, "remove")
    assert stranger.post().status_code == 201
    assert stranger.get("/v1/policy").status_code == 200


def test_a_key_that_is_none_is_told_nothing(backend: Backend, administrator: Backend) -> None:
    """Whether an account was removed is told to those alone who hold something of it."""
    call(administrator, backend.account, "remove")
    prefix = backend.key.partition(".")[0]
    wrong = replace(backend, key=f"{prefix}.{secrets.token_urlsafe(32)}")
    assert_problem(wrong.get("/v1/grant-keys"), 401, "unauthenticated")


def test_an_account_is_made_asked_for_and_listed(administrator: Backend) -> None:
    """With its plan and region; once; and in its place by its id."""
    name = f"new-{secrets.token_hex(6)}"
    made = administrator.call("POST", "/v1/accounts", json={"id": name, "plan": "trial"})
    assert made.status_code == 201
    document = made.get_json()
    created = document.pop("created_at")
    assert created
    assert document == {
        "id": name,
        "plan": "trial",
        "region": "home",
        "standing": "active",
        "removed_at": None,
        "erase_at": None,
        "erased_at": None,
    }
    assert made.headers["Location"] == f"/v1/accounts/{name}"
    assert administrator.get(f"/v1/accounts/{name}").get_json() == document | {"created_at": created}
    again = administrator.call("POST", "/v1/accounts", json={"id": name})
    assert_problem(again, 409, "account_exists")
    page = administrator.get(f"/v1/accounts?limit=1&cursor={name[:-1]}").get_json()
    assert page["accounts"] == [document | {"created_at": created}]
    assert page["next"] in {name, None}


def test_answers_are_as_published(administrator: Backend, backend: Backend) -> None:
    """Every route's document, and each problem that can be had for the asking."""
    published = administrator.get("/openapi.json").get_json()
    one, name = "/v1/accounts/{account_id}", f"new-{secrets.token_hex(6)}"
    for method, path, answer in [
        ("post", ACCOUNTS, administrator.call("POST", ACCOUNTS, json={"id": name})),
        ("post", ACCOUNTS, administrator.call("POST", ACCOUNTS, json={"id": name})),
        ("post", ACCOUNTS, administrator.call("POST", ACCOUNTS, json={"id": ""})),
        ("get", ACCOUNTS, administrator.get(ACCOUNTS)),
        ("get", ACCOUNTS, administrator.get(f"{ACCOUNTS}?limit=0")),
        ("get", ACCOUNTS, backend.get(ACCOUNTS)),
        ("get", one, administrator.get(f"{ACCOUNTS}/{name}")),
        ("get", one, administrator.get(f"{ACCOUNTS}/nobody-made-it")),
        ("post", f"{one}/remove", administrator.call("POST", f"{ACCOUNTS}/{name}/remove")),
        ("get", one, administrator.get(f"{ACCOUNTS}/{name}")),
        ("post", f"{one}/reactivate", administrator.call("POST", f"{ACCOUNTS}/{name}/reactivate")),
        ("post", f"{one}/remove", administrator.call("POST", f"{ACCOUNTS}/{backend.account}/remove")),
        ("get", "/v1/grant-keys", backend.get("/v1/grant-keys")),
    ]:
        check(published, method, path, answer)


def test_the_time_of_removal_is_told(administrator: Backend, backend: Backend) -> None:
    """90 days for a paid account, and nothing once it is back."""
    gone = administrator.call("POST", f"/v1/accounts/{backend.account}/remove").get_json()
    assert gone["standing"] == "removed"
    assert (gone["removed_at"][:10] < gone["erase_at"][:10], gone["erased_at"]) == (True, None)
    back = administrator.call("POST", f"/v1/accounts/{backend.account}/reactivate").get_json()
    assert (back["standing"], back["removed_at"], back["erase_at"]) == ("active", None, None)


@pytest.mark.parametrize(
    ("json", "status", "code"),
    [
        ({"id": "@operator"}, 400, "bad_request"),
        ({"id": ""}, 400, "bad_request"),
        ({"id": "fine", "plan": "free"}, 400, "bad_request"),
        ({"id": "fine", "region": "mars"}, 400, "bad_request"),
        ({}, 400, "bad_request"),
    ],
    ids=["the operator's", "empty", "no such plan", "no such region", "no id"],
)
def test_odd_accounts_are_refused(
    administrator: Backend, json: dict[str, str], status: int, code: str
) -> None:
    """With a sentence that says which member is odd."""
    assert_problem(administrator.call("POST", "/v1/accounts", json=json), status, code)


def test_there_is_no_such_account(administrator: Backend) -> None:
    """404 for what nobody made, and for the operator's own."""
    for name in ("nobody-made-it", "@operator", "%00"):
        assert_problem(administrator.get(f"/v1/accounts/{name}"), 404, "not_found")


def test_an_erased_account_stays_as_it_is(app: Flask, parts: Parts, administrator: Backend) -> None:
    """It is told that it was erased, and neither comes back nor is removed again."""
    made = accounts.create(parts, f"old-{secrets.token_hex(6)}", Plan.PAID, "home", "operator:command")
    now = parts.clock.now()
    parts.accounts.change(Account(made.id, now, removed_at=now, erase_at=now, erased_at=now), None)
    assert administrator.get(f"/v1/accounts/{made.id}").get_json()["standing"] == "erased"
    for what in ("remove", "reactivate"):
        answer = administrator.call("POST", f"/v1/accounts/{made.id}/{what}")
        assert_problem(answer, 410, "account_removed")
