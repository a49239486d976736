"""``/``: what is going on."""

from datetime import timedelta
from typing import Final

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from service.core.journal import Act
from service.core.reviewer import Role
from service.stages.desk import Desk
from service.stages.desk.bookkeeping import SILENT, books
from service.stages.desk.overview import AGES, Span, overview
from service.stages.log.checkpoint import EVERY
from service.web.console import chart
from service.web.console.entrance import Entrance

#: An upload that waits for the service for longer than this is worth a look.
_SLOW: Final = timedelta(minutes=5)


def blueprint(desk: Desk, entrance: Entrance) -> Blueprint:
    """Return the route."""
    routes = Blueprint("overview", __name__)

    @routes.get("/")
    @entrance.requires(Role.READER)
    def page() -> ResponseReturnValue:
        span = Span.MONTH if request.args.get("span") == Span.MONTH else Span.DAY
        entrance.log(Act.OVERVIEW_VIEWED)
        shown = overview(desk.parts, desk.archive, span)
        return render_template(
            "overview.html",
            shown=shown,
            books=books(desk.parts),
            chart=chart,
            drawn=chart.draw(shown),
            ages=[name for name, _ in AGES],
            policy=desk.parts.policy,
            protection=desk.parts.protection,
            silent=SILENT,
            # Twice the time in which a line that is written comes under a checkpoint.
            late=2 * EVERY,
            slow=_SLOW,
        )

    return routes
