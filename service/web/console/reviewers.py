"""``/reviewers``: who may sign in, and as what. For administrators."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from service.core.errors import BadRequest
from service.core.journal import Act
from service.core.reviewer import Role
from service.stages.desk import Desk, accounts
from service.web.console.entrance import Entrance


def blueprint(desk: Desk, entrance: Entrance) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("reviewers", __name__, url_prefix="/reviewers")

    @routes.get("")
    @entrance.requires(Role.ADMINISTRATOR)
    def page() -> ResponseReturnValue:
        entrance.log(Act.REVIEWERS_VIEWED)
        reviewers = desk.reviewers.all()
        given = {one.id for one in reviewers if accounts.role_is_given(desk, one)}
        told = {"reviewers": reviewers, "given": given, "last": desk.sessions.last_begun()}
        return render_template("reviewers.html", me=entrance.reviewer(), roles=[*Role], **told)

    @routes.post("/<reviewer_id>/disable")
    @entrance.requires(Role.ADMINISTRATOR)
    def disable(reviewer_id: str) -> ResponseReturnValue:
        accounts.disable(desk, accounts.found(desk, reviewer_id), entrance.reviewer())
        return redirect(url_for("reviewers.page"), 303)

    @routes.post("/<reviewer_id>/enable")
    @entrance.requires(Role.ADMINISTRATOR)
    def enable(reviewer_id: str) -> ResponseReturnValue:
        accounts.enable(desk, accounts.found(desk, reviewer_id), entrance.reviewer())
        return redirect(url_for("reviewers.page"), 303)

    @routes.post("/<reviewer_id>/role")
    @entrance.requires(Role.ADMINISTRATOR)
    def set_role(reviewer_id: str) -> ResponseReturnValue:
        role = _role(request.form.get("role", ""))
        accounts.set_role(desk, accounts.found(desk, reviewer_id), role, entrance.reviewer())
        return redirect(url_for("reviewers.page"), 303)

    return routes


def _role(untrusted_role: str) -> Role:
    try:
        return Role(untrusted_role)
    except ValueError:
        raise BadRequest("There is no such role.") from None
