"""``/allow-list``: which finding is excused in which content, until when, and who said so."""

import re
from typing import Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from service.core.errors import BadRequest, NotFound
from service.core.journal import Act
from service.core.reviewer import Role
from service.stages.desk import Desk
from service.stages.desk.allow import revoke
from service.stages.desk.proceedings import names
from service.web.console import notices
from service.web.console.entrance import Entrance

_ROWS: Final = 50
_ALLOWANCE_ID: Final = re.compile(r"al_[0-9a-f]{32}")


def blueprint(desk: Desk, entrance: Entrance) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("allow_list", __name__)

    @routes.get("/allow-list")
    @entrance.requires(Role.READER)
    def page() -> ResponseReturnValue:
        before = _before()
        entrance.log(Act.ALLOW_LIST_VIEWED)
        found = desk.parts.allowances.page(before, _ROWS + 1)
        rows = [(each, desk.parts.decisions.find(each.decision_id)) for each in found[:_ROWS]]
        older = found[_ROWS - 1].id if len(found) > _ROWS else None
        told = {"rows": rows, "older": older, "before": before, "names": names(desk)}
        return render_template("allow_list.html", at=desk.parts.clock.now(), **told)

    @routes.post("/allowances/<allowance_id>/revoke")
    @entrance.requires(Role.REVIEWER)
    def end(allowance_id: str) -> ResponseReturnValue:
        if not _ALLOWANCE_ID.fullmatch(allowance_id):
            raise NotFound("There is no such entry of the allow-list.")
        who = entrance.reviewer().id
        ended = revoke(desk.parts, who, allowance_id)
        first = names(desk).get(ended.revoked_by or "", "Somebody")
        by_me = "It is revoked: no file is released by it from now on."
        by_other = f"{first} had revoked it before you."
        told = by_me if ended.revoked_by == who else by_other
        return notices.lead(notices.Notice(url_for("allow_list.page"), ended.revoked_by == who, told))

    return routes


def _before() -> str | None:
    untrusted_id = request.args.get("before", "")
    if untrusted_id and not _ALLOWANCE_ID.fullmatch(untrusted_id):
        raise BadRequest("before must be the id of an entry of the allow-list.")
    return untrusted_id or None
