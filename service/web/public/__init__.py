"""The public API (v1) for meeting backends, as a Flask app."""

import secrets
from collections.abc import Set as AbstractSet

from flask import Flask, Response, g, request

from service.stages.jitsi import Jitsi
from service.stages.parts import Parts
from service.web import errors, tracing
from service.web.public import (
    account_erasures,
    accounts,
    contract,
    cors,
    erasures,
    exports,
    grants,
    health,
    holds,
    log,
    meetings,
    policy,
    tus,
    uploads,
    webhooks,
    widget,
)
from service.web.public import jitsi as jitsi_routes
from service.web.public.conventions import REQUEST_ID
from service.web.public.door import Door
from service.web.public.slots import Slots


def create_app(
    parts: Parts,
    slots: Slots,
    jitsi: Jitsi | None = None,
    origins: AbstractSet[str] = frozenset(),
    embed_origins: AbstractSet[str] = frozenset(),
) -> Flask:
    """Return the app over ``parts``, with ``slots`` for what may hold a thread for long.

    Where ``jitsi`` is given its meetings have routes of their own. Pages of the ``origins`` may call the
    app from a browser, those of the ``embed_origins`` may frame the upload widget. Raises
    ``ConfigurationError`` if the widget is not built.

    All slots together must be fewer than the server's threads, so that slow clients leave room for others.
    """
    app = Flask("greenroom", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = False
    # A path with doubled slashes is simply not there: no redirect to an address made of a Host header.
    app.url_map.merge_slashes = False

    if parts.traces is not None:
        tracing.register(app, parts.traces)

    @app.before_request
    def name_request() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        parts.log.bind(request=g.request_id)

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    errors.register(app, parts.log)
    door = Door(parts)
    app.register_blueprint(health.blueprint(parts, door))
    app.register_blueprint(policy.blueprint(parts, door))
    app.register_blueprint(grants.blueprint(parts, door))
    app.register_blueprint(uploads.blueprint(parts, slots, door))
    app.register_blueprint(meetings.blueprint(parts, door))
    app.register_blueprint(accounts.blueprint(parts, door))
    app.register_blueprint(holds.blueprint(parts, door))
    app.register_blueprint(exports.blueprint(parts, slots, door))
    app.register_blueprint(log.blueprint(parts, door))
    app.register_blueprint(erasures.blueprint(parts, door))
    app.register_blueprint(account_erasures.blueprint(parts, door))
    app.register_blueprint(webhooks.blueprint(parts, door))
    if jitsi is not None:
        app.register_blueprint(jitsi_routes.blueprint(parts, slots, jitsi))
    app.register_blueprint(widget.blueprint(door, embed_origins))
    tus.register(app, tus.blueprint(parts, slots, door))
    cors.register(app, origins)
    app.register_blueprint(contract.blueprint(app, door))
    return app
