"""``/sign-in`` and ``/sign-out``."""

import secrets
from typing import Final

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from service.core.errors import Forbidden, RateLimited, Unauthenticated
from service.stages.desk import Desk, sign_in
from service.web.console.entrance import Entrance
from service.web.errors import status_of

_LONGEST_WAY: Final = 2048


def blueprint(desk: Desk, entrance: Entrance) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("sign_in", __name__)

    @routes.get("/sign-in")
    @entrance.everybody
    def form() -> ResponseReturnValue:
        if g.signed_in is not None:
            return redirect(onwards_to(request.args.get("next", "")), 303)
        return page(desk, request.args.get("next", ""))

    @routes.post("/sign-in")
    @entrance.everybody
    def enter() -> ResponseReturnValue:
        untrusted_next = request.form.get("next", "")
        untrusted_name, untrusted_password = (request.form.get(name, "") for name in ("name", "password"))
        try:
            token, _ = sign_in.sign_in(desk, untrusted_name, untrusted_password, request.remote_addr or "")
        except (Unauthenticated, RateLimited) as error:
            return page(desk, untrusted_next, untrusted_name, error)
        if g.signed_in is not None:
            sign_in.sign_out(desk, g.signed_in)
        entrance.let_in(token)
        return redirect(onwards_to(untrusted_next), 303)

    @routes.post("/sign-out")
    @entrance.everybody
    def leave() -> ResponseReturnValue:
        if g.signed_in is not None:
            sign_in.sign_out(desk, g.signed_in)
        entrance.let_in(secrets.token_urlsafe(32))
        return redirect(url_for("sign_in.form"), 303)

    return routes


def page(
    desk: Desk,
    onwards: str = "",
    name: str = "",
    error: Unauthenticated | Forbidden | RateLimited | None = None,
) -> ResponseReturnValue:
    """Return the page to sign in on, with what went wrong before."""
    told = {"onwards": onwards, "name": name, "error": error, "elsewhere": desk.elsewhere is not None}
    answer = make_response(render_template("sign_in.html", **told))
    if error is not None:
        answer.status_code = status_of(type(error))
        if error.retry_after is not None:
            answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def onwards_to(untrusted_way: str) -> str:
    """Return the path within this console to go on to: ``untrusted_way`` if it is one, else the first page.

    Browsers take a backslash for a slash and pass over control characters (URL Standard, 4.4). What begins
    with one slash names no other host (RFC 3986, 4.2), so it is not parsed, which odd ones would not survive.
    """
    inside = untrusted_way.startswith("/") and not untrusted_way.startswith("//")
    plain = untrusted_way.isascii() and untrusted_way.isprintable() and "\\" not in untrusted_way
    if inside and plain and len(untrusted_way) <= _LONGEST_WAY:
        return untrusted_way
    return url_for("overview.page")
