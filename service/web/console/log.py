"""``/log``: the newest lines, what is proved of them, the newest checkpoint and the key."""

import re
from typing import Final

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from service.core.journal import Act
from service.core.reviewer import Role
from service.core.siem.meaning import meaning
from service.stages.desk import Desk, log
from service.verify.signature import check_checkpoint
from service.web.console.entrance import Entrance

_LINES: Final = 50
_POSITION: Final = re.compile(r"[0-9]{1,15}", re.ASCII)


def blueprint(desk: Desk, entrance: Entrance) -> Blueprint:
    """Return the route."""
    routes = Blueprint("log", __name__)

    @routes.get("/log")
    @entrance.requires(Role.READER)
    def page() -> ResponseReturnValue:
        entrance.log(Act.LOG_VIEWED)
        untrusted = request.args.get("before", "")
        before = int(untrusted) if _POSITION.fullmatch(untrusted) else None
        shown = log.page(desk.parts, before, _LINES, check_checkpoint)
        return render_template("log.html", log=shown, meaning=meaning)

    return routes
