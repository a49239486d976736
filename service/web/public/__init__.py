"""The public API (v1) for meeting backends, as a Flask app."""

import re
import secrets
from collections.abc import Set as AbstractSet
from typing import Final

from flask import Flask, Response, g, request

from service.stages.parts import Parts
from service.web import errors
from service.web.public import cors, grants, health, policy, tus, uploads
from service.web.public.operation import Door
from service.web.public.slots import Slots

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")


def create_app(parts: Parts, slots: Slots, origins: AbstractSet[str] = frozenset()) -> Flask:
    """Return the app over ``parts``, with ``slots`` for what may hold a thread for long and the ``origins``
    whose pages may call it from a browser.

    All slots together must be fewer than the server's threads, so that slow clients leave room for others.
    """
    app = Flask("greenroom", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = False
    # A path with doubled slashes is simply not there: no redirect to an address made of a Host header.
    app.url_map.merge_slashes = False

    @app.before_request
    def name_request() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        parts.log.bind(request=g.request_id)

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    errors.register(app, parts.log)
    app.register_blueprint(health.blueprint(parts))
    door = Door(parts)
    app.register_blueprint(policy.blueprint(parts, door))
    app.register_blueprint(grants.blueprint(parts, door))
    app.register_blueprint(uploads.blueprint(parts, slots, door))
    tus.register(app, tus.blueprint(parts, slots, door))
    cors.register(app, origins)
    return app
