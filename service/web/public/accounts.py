"""``/v1/accounts``: the accounts themselves, for whoever runs this service."""

from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, jsonify, url_for
from pydantic import Field

from service.core import errors
from service.core.account import Account, Plan, Standing
from service.core.caller import Caller, Scope
from service.core.naming import IDENTIFIER
from service.core.representation import rfc3339
from service.stages import accounts
from service.stages.parts import Parts
from service.web.public.documents import Document, Id
from service.web.public.door import Door
from service.web.public.operation import Answer, Body, Operation, PathPart, Query, Whole

_CREDENTIAL: Final = "admin_key"
_PATTERN: Final = f"^{IDENTIFIER.pattern}$"
_PAGE: Final = 50
ACCOUNT_PATH: Final = {"account_id": PathPart("The account's id.", _PATTERN, "acme")}


class NewAccount(Body):
    """An account to be made."""

    id: str = Field(pattern=_PATTERN, description="What you call it. Not given to two.", examples=["acme"])
    plan: Plan = Field(Plan.PAID, strict=False, description="What it is promised: see the policy's `plans`.")
    region: str | None = Field(
        None, max_length=32, description="Where its files and keys lie, for good. Left out, the first one."
    )


class _Page(Query):
    """Which page of the accounts."""

    limit: Whole = Field(_PAGE, ge=1, le=accounts.MOST_PER_PAGE, description="Accounts on a page.")
    cursor: str = Field("", pattern=f"^({IDENTIFIER.pattern})?$", description="`next` of the page before.")


class AccountDocument(Document):
    """An account."""

    id: Id
    plan: Plan
    region: str
    standing: Standing = Field(description="`removed`: only held, until `erase_at`.")
    created_at: datetime
    removed_at: datetime | None
    erase_at: datetime | None = Field(description="When a removed one is erased, unless it is reactivated.")
    erased_at: datetime | None


class AccountPage(Document):
    """A page of accounts, by their ids."""

    accounts: list[AccountDocument]
    next: Id | None = Field(description="The `cursor` of the next page, if there is one.")


CREATE: Final = Operation(
    "Make an account",
    "accounts",
    {201: Answer("The account.", AccountDocument, headers={"Location": "Where to ask for it."})},
    scope=Scope.ADMIN,
    credential=_CREDENTIAL,
    body=NewAccount,
    problems=(errors.AccountExists,),
)
LIST: Final = Operation(
    "List accounts",
    "accounts",
    {200: Answer("A page of accounts.", AccountPage)},
    scope=Scope.ADMIN,
    credential=_CREDENTIAL,
    query=_Page,
)
ASK: Final = Operation(
    "Ask for an account",
    "accounts",
    {200: Answer("The account.", AccountDocument)},
    scope=Scope.ADMIN,
    credential=_CREDENTIAL,
    path=ACCOUNT_PATH,
    problems=(errors.NotFound,),
)
REMOVE: Final = Operation(
    "Remove an account",
    "accounts",
    {200: Answer("The account, which is removed.", AccountDocument)},
    scope=Scope.ADMIN,
    credential=_CREDENTIAL,
    path=ACCOUNT_PATH,
    problems=(errors.NotFound, errors.AccountRemoved, errors.Conflict),
    description="From now on its keys, grants and links are answered with 410 and `account_removed`. What is"
    " in it is only held, and erased at `erase_at`. An account that is removed stays as it is.",
)
REACTIVATE: Final = Operation(
    "Reactivate an account",
    "accounts",
    {200: Answer("The account, which is there.", AccountDocument)},
    scope=Scope.ADMIN,
    credential=_CREDENTIAL,
    path=ACCOUNT_PATH,
    problems=(errors.NotFound, errors.AccountRemoved, errors.Conflict),
    description="Brings a removed account back, with its keys, grants and files. After `erase_at` it is too"
    " late: 410 and `account_removed`.",
)


def blueprint(parts: Parts, door: Door) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("accounts", __name__, url_prefix="/v1/accounts")

    @routes.post("")
    @door.operation(CREATE)
    def create(caller: Caller, body: NewAccount) -> Response:
        region = next(iter(parts.stores)) if body.region is None else body.region
        made = accounts.create(parts, body.id, body.plan, region, caller.actor)
        answer = jsonify(_document(made))
        answer.status_code = 201
        answer.headers["Location"] = url_for("accounts.ask", account_id=made.id)
        return answer

    @routes.get("")
    @door.operation(LIST)
    def listing(caller: Caller, query: _Page) -> Response:  # noqa: ARG001 - who asks makes no difference
        found, after = accounts.page(parts, query.cursor, query.limit)
        return jsonify({"accounts": [_document(one) for one in found], "next": after})

    @routes.get("/<account_id>")
    @door.operation(ASK)
    def ask(caller: Caller, account_id: str) -> Response:  # noqa: ARG001 - who asks makes no difference
        return jsonify(_document(accounts.find(parts, account_id)))

    @routes.post("/<account_id>/remove")
    @door.operation(REMOVE)
    def remove(caller: Caller, account_id: str) -> Response:
        return jsonify(_document(accounts.remove(parts, account_id, caller.actor)))

    @routes.post("/<account_id>/reactivate")
    @door.operation(REACTIVATE)
    def reactivate(caller: Caller, account_id: str) -> Response:
        return jsonify(_document(accounts.reactivate(parts, account_id, caller.actor)))

    return routes


def _document(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "plan": account.plan.value,
        "region": account.region,
        "standing": account.standing.value,
        "created_at": rfc3339(account.created_at),
        "removed_at": account.removed_at and rfc3339(account.removed_at),
        "erase_at": account.erase_at and rfc3339(account.erase_at),
        "erased_at": account.erased_at and rfc3339(account.erased_at),
    }
