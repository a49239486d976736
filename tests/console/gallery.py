"""A page of every class in console.css, made by the real frame: what the style sheet promises the pages."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from service.core.reviewer import Role
from service.core.upload import State
from service.core.verdict import Kind
from service.web.console import SECURITY_POLICY
from service.web.console.entrance import Entrance
from tests.console.office import Office
from tests.console.site import Sitting

ROWS = [
    ("held", "unscannable"),
    ("released", "clean"),
    ("blocked", "infected"),
    ("scanning", "pending"),
    ("erased", "clean"),
]


def html() -> str:
    """The page, for somebody who is signed in."""
    office = Office()
    routes = Blueprint("gallery", __name__, template_folder=str(Path(__file__).with_name("templates")))

    @routes.get("/gallery")
    @Entrance(office.desk, "").requires(Role.READER)
    def page() -> ResponseReturnValue:
        assert g.signed_in
        words = [*State, *Kind, "proposed", "confirmed", "rejected", "expired"]
        return render_template("gallery.html", rows=ROWS, words=words)

    office.app.register_blueprint(routes)
    return office.person(Role.ADMINISTRATOR, "mara.lindqvist").get("/gallery").get_data(as_text=True)


def show(sitting: Sitting) -> None:
    """Open it in a browser, with the running console's style sheet and policy."""
    address = f"{sitting.site.url}/gallery"
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": SECURITY_POLICY}
    sitting.page.route(address, lambda route: route.fulfill(body=html(), headers=headers))
    sitting.page.goto(address)
