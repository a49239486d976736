"""``/held``: what waits for people."""

from typing import Final

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from service.core.errors import BadRequest
from service.core.journal import Act
from service.core.naming import UPLOAD_ID
from service.core.reviewer import Role
from service.core.search import read_filters
from service.core.verdict import Kind
from service.stages.desk import Desk
from service.stages.desk.held import queue
from service.web.console.entrance import Entrance

#: What the queue can be narrowed by: parameters of the page's address, as a search has them.
_FILTERS: Final = ("account", "meeting", "signature", "verdict")
#: Verdicts with which a file is held.
_KINDS: Final = (Kind.UNSCANNABLE, Kind.SUSPICIOUS, Kind.MALFORMED, Kind.ERROR)


def blueprint(desk: Desk, entrance: Entrance) -> Blueprint:
    """Return the route."""
    routes = Blueprint("held", __name__)

    @routes.get("/held")
    @entrance.requires(Role.READER)
    def page() -> ResponseReturnValue:
        asked = {name: value for name in _FILTERS if (value := request.args.get(name, "").strip())}
        filters, after = read_filters(asked), _after()
        entrance.log(Act.HELD_VIEWED, filters=",".join(asked))
        shown = queue(desk, filters, after)
        return render_template("held.html", queue=shown, asked=asked, after=after, kinds=_KINDS)

    return routes


def _after() -> str | None:
    untrusted_id = request.args.get("after", "")
    if not untrusted_id:
        return None
    if not UPLOAD_ID.fullmatch(untrusted_id):
        raise BadRequest("after must be the id of an upload.")
    return untrusted_id
