"""``/holds``: what must stay by order. For administrators."""

from typing import Final

from flask import Blueprint, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from service.core.decision import LONGEST_REASON, SHORTEST_REASON
from service.core.errors import BadRequest, NotFound, Refused
from service.core.journal import Act
from service.core.naming import HOLD_ID
from service.core.reviewer import Role
from service.stages import holds
from service.stages.desk import Desk
from service.stages.desk.proceedings import names
from service.web.console import notices
from service.web.console.entrance import Entrance
from service.web.errors import status_of

_ROWS: Final = 50


def blueprint(desk: Desk, entrance: Entrance) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("holds", __name__, url_prefix="/holds")

    @routes.get("")
    @entrance.requires(Role.ADMINISTRATOR)
    def page() -> ResponseReturnValue:
        entrance.log(Act.HOLDS_VIEWED)
        return _page(desk, _before())

    @routes.post("")
    @entrance.requires(Role.ADMINISTRATOR)
    def place() -> ResponseReturnValue:
        try:
            holds.place(desk.parts, _wanted(), entrance.reviewer().actor)
        except Refused as error:
            entrance.log(Act.HOLDS_VIEWED)
            return make_response(_page(desk, None, error), status_of(type(error)))
        told = "It is under hold: nothing of it is erased until the hold is lifted."
        return notices.lead(notices.Notice(url_for("holds.page"), True, told))

    @routes.post("/<hold_id>/lift")
    @entrance.requires(Role.ADMINISTRATOR)
    def lift(hold_id: str) -> ResponseReturnValue:
        if not HOLD_ID.fullmatch(hold_id):
            raise NotFound("There is no such hold.")
        holds.lift(desk.parts, hold_id, entrance.reviewer().actor)
        told = "The hold is lifted: what is due to be erased goes on."
        return notices.lead(notices.Notice(url_for("holds.page"), True, told))

    return routes


def _page(desk: Desk, before: str | None, error: Refused | None = None) -> str:
    found, older = holds.page(desk.parts, before, _ROWS)
    limits = {"shortest": SHORTEST_REASON, "longest": LONGEST_REASON}
    people = {f"reviewer:{reviewer_id}": name for reviewer_id, name in names(desk).items()}
    told = {"rows": found, "older": older, "before": before, "people": people, "limits": limits}
    return render_template("holds.html", written=request.form, error=error, **told)


def _wanted() -> holds.Wanted:
    """Return what the form in hand asks for: an empty field is none."""
    field = request.form.get
    return holds.Wanted(
        untrusted_account=field("account", "").strip(),
        untrusted_reason=field("reason", ""),
        untrusted_meeting=field("meeting", "").strip() or None,
        untrusted_upload=field("upload", "").strip() or None,
    )


def _before() -> str | None:
    untrusted_id = request.args.get("before", "")
    if untrusted_id and not HOLD_ID.fullmatch(untrusted_id):
        raise BadRequest("before must be the id of a hold.")
    return untrusted_id or None
