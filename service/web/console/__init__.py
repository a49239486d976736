"""The security team's console, as a Flask app of its own: pages made here, which work without JavaScript."""

import secrets
from typing import Final

from flask import Flask, Response, g, request

from service.stages.desk import Desk
from service.web.console import (
    allow_list,
    decisions,
    faults,
    held,
    holds,
    log,
    notices,
    overview,
    requests,
    reviewers,
    sign_in,
    sign_in_elsewhere,
    uploads,
    words,
)
from service.web.console.entrance import Entrance

#: Everything comes from here and nothing is inline; nobody frames it, forms go nowhere else.
SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not no-referrer: with it browsers send the forms of this very page with ``Origin: null`` (Fetch, 3.2).
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
#: The largest form that is read, in bytes.
_LONGEST_FORM: Final = 64 * 1024


def create_console(desk: Desk, origin: str) -> Flask:
    """Return the console over ``desk``, which browsers find at ``origin``."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _LONGEST_FORM
    app.config["MAX_FORM_MEMORY_SIZE"] = _LONGEST_FORM
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    @app.before_request
    def name_request() -> None:
        g.request_id = secrets.token_hex(8)
        desk.parts.log.bind(request=g.request_id)

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.update(HEADERS)
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    faults.register(app, desk.parts.log)
    words.register(app)
    notices.register(app)
    entrance = Entrance(desk, origin)
    entrance.register(app)
    app.register_blueprint(sign_in.blueprint(desk, entrance))
    if desk.elsewhere is not None:
        app.register_blueprint(sign_in_elsewhere.blueprint(desk, desk.elsewhere, entrance, origin))
    app.register_blueprint(overview.blueprint(desk, entrance))
    app.register_blueprint(uploads.blueprint(desk, entrance))
    app.register_blueprint(held.blueprint(desk, entrance))
    app.register_blueprint(decisions.blueprint(desk, entrance))
    app.register_blueprint(allow_list.blueprint(desk, entrance))
    app.register_blueprint(holds.blueprint(desk, entrance))
    app.register_blueprint(log.blueprint(desk, entrance))
    app.register_blueprint(requests.blueprint(desk, entrance))
    app.register_blueprint(reviewers.blueprint(desk, entrance))
    return app
