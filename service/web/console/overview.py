"""``/``: what is going on."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from service.core.journal import Act
from service.core.reviewer import Role
from service.web.console.entrance import Entrance


def blueprint(entrance: Entrance) -> Blueprint:
    """Return the route."""
    routes = Blueprint("overview", __name__)

    @routes.get("/")
    @entrance.requires(Role.READER)
    def page() -> ResponseReturnValue:
        entrance.log(Act.OVERVIEW_VIEWED)
        return render_template("overview.html")

    return routes
