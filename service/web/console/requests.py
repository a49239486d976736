"""``/requests``: what people asked for of their data, until when they must have it, and whether they do."""

from typing import Final

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from service.core.errors import BadRequest
from service.core.export import EXPORT_ID
from service.core.journal import Act
from service.core.reviewer import Role
from service.stages.desk import Desk
from service.web.console.entrance import Entrance

_ROWS: Final = 50


def blueprint(desk: Desk, entrance: Entrance) -> Blueprint:
    """Return the routes. People are named here, so it is for administrators."""
    routes = Blueprint("requests", __name__)

    @routes.get("/requests")
    @entrance.requires(Role.ADMINISTRATOR)
    def page() -> ResponseReturnValue:
        before = _before()
        entrance.log(Act.REQUESTS_VIEWED)
        found = desk.parts.exports.requests(before, _ROWS + 1)
        older = found[_ROWS - 1].id if len(found) > _ROWS else None
        told = {"rows": found[:_ROWS], "older": older, "before": before}
        return render_template("requests.html", at=desk.parts.clock.now(), **told)

    return routes


def _before() -> str | None:
    untrusted_id = request.args.get("before", "")
    if untrusted_id and not EXPORT_ID.fullmatch(untrusted_id):
        raise BadRequest("before must be the id of an export.")
    return untrusted_id or None
