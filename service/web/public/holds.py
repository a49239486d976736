"""``/v1/holds``: legal holds, for whoever runs this service."""

from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, jsonify, url_for
from pydantic import Field

from service.core import errors
from service.core.caller import Caller, Scope
from service.core.decision import LONGEST_REASON, SHORTEST_REASON
from service.core.hold import Hold
from service.core.naming import HOLD_ID, IDENTIFIER, UPLOAD_ID
from service.core.representation import rfc3339
from service.stages import holds
from service.stages.parts import Parts
from service.web.public.documents import Document, Id, UploadId
from service.web.public.door import Door
from service.web.public.operation import Answer, Body, Operation, PathPart, Query, Whole

_CREDENTIAL: Final = "admin_key"
_PATTERN: Final = f"^{IDENTIFIER.pattern}$"
_HOLD: Final = f"^{HOLD_ID.pattern}$"
_EXAMPLE: Final = "hd_0199f3a1c2d45e6f708192a3b4c5d6e7"
_PAGE: Final = 50
_PATH: Final = {"hold_id": PathPart("The hold's id.", _HOLD, _EXAMPLE)}


class NewHold(Body):
    """A hold to be placed: on the account, or on one meeting or one upload in it."""

    account: str = Field(pattern=_PATTERN, description="Whose it is.", examples=["acme"])
    meeting: str | None = Field(None, pattern=_PATTERN, description="Only this meeting of it.")
    upload: str | None = Field(None, pattern=f"^{UPLOAD_ID.pattern}$", description="Only this upload.")
    reason: str = Field(
        min_length=SHORTEST_REASON,
        max_length=LONGEST_REASON,
        description="Who ordered it, and why.",
        examples=["Order 12/2026 of the district court"],
    )


class _Page(Query):
    """Which page of the holds."""

    account: str | None = Field(None, pattern=_PATTERN, description="Only those in this account.")
    limit: Whole = Field(_PAGE, ge=1, le=holds.MOST_PER_PAGE, description="Holds on a page.")
    cursor: str | None = Field(None, pattern=_HOLD, description="`next` of the page before.")


class HoldDocument(Document):
    """A legal hold, live as long as `lifted_at` is `null`."""

    id: str = Field(pattern=_HOLD, examples=[_EXAMPLE])
    account: Id
    meeting: Id | None = Field(description="The one meeting that it is about, or the upload's.")
    upload: UploadId | None = Field(description="The one upload that it is about.")
    reason: str
    placed_by: str = Field(description="As the log has it.")
    placed_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None


class HoldPage(Document):
    """A page of holds, newest first."""

    holds: list[HoldDocument]
    next: str | None = Field(pattern=_HOLD, description="The `cursor` of the next page, if there is one.")


PLACE: Final = Operation(
    "Place a legal hold",
    "holds",
    {201: Answer("The hold.", HoldDocument, headers={"Location": "Where to ask for it."})},
    scope=Scope.ADMIN,
    credential=_CREDENTIAL,
    body=NewHold,
    problems=(errors.NotFound, errors.Gone, errors.AccountRemoved),
    description="From now on nothing that it covers is erased: not by its owner, whose `DELETE` is answered"
    " with 409 and `under_hold`, not at the end of its time, not with its account.",
)
LIST: Final = Operation(
    "List legal holds",
    "holds",
    {200: Answer("A page of holds, live and lifted.", HoldPage)},
    scope=Scope.ADMIN,
    credential=_CREDENTIAL,
    query=_Page,
)
ASK: Final = Operation(
    "Ask for a legal hold",
    "holds",
    {200: Answer("The hold.", HoldDocument)},
    scope=Scope.ADMIN,
    credential=_CREDENTIAL,
    path=_PATH,
    problems=(errors.NotFound,),
)
LIFT: Final = Operation(
    "Lift a legal hold",
    "holds",
    {200: Answer("The hold, which is lifted.", HoldDocument)},
    scope=Scope.ADMIN,
    credential=_CREDENTIAL,
    path=_PATH,
    problems=(errors.NotFound,),
    description="What is due to be erased, and under no other hold, goes on. One that is lifted stays so.",
)


def blueprint(parts: Parts, door: Door) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("holds", __name__, url_prefix="/v1/holds")

    @routes.post("")
    @door.operation(PLACE)
    def place(caller: Caller, body: NewHold) -> Response:
        wanted = holds.Wanted(body.account, body.reason, body.meeting, body.upload)
        placed = holds.place(parts, wanted, caller.actor)
        answer = jsonify(_document(placed))
        answer.status_code = 201
        answer.headers["Location"] = url_for("holds.ask", hold_id=placed.id)
        return answer

    @routes.get("")
    @door.operation(LIST)
    def listing(caller: Caller, query: _Page) -> Response:  # noqa: ARG001 - who asks makes no difference
        found, after = holds.page(parts, query.cursor, query.limit, query.account)
        return jsonify({"holds": [_document(one) for one in found], "next": after})

    @routes.get("/<hold_id>")
    @door.operation(ASK)
    def ask(caller: Caller, hold_id: str) -> Response:  # noqa: ARG001 - who asks makes no difference
        return jsonify(_document(holds.find(parts, hold_id)))

    @routes.post("/<hold_id>/lift")
    @door.operation(LIFT)
    def lift(caller: Caller, hold_id: str) -> Response:
        return jsonify(_document(holds.lift(parts, hold_id, caller.actor)))

    return routes


def _document(hold: Hold) -> dict[str, Any]:
    return {
        "id": hold.id,
        "account": hold.account_id,
        "meeting": hold.meeting_id,
        "upload": hold.upload_id,
        "reason": hold.reason,
        "placed_by": hold.placed_by,
        "placed_at": rfc3339(hold.placed_at),
        "lifted_by": hold.lifted_by,
        "lifted_at": hold.lifted_at and rfc3339(hold.lifted_at),
    }
