"""``GET /openapi.json`` and ``GET /reference``: what this service promises, for programs and for people."""

import functools
from typing import Any, Final

from flask import Blueprint, Flask, Response, jsonify

from service.web.public import openapi, reference
from service.web.public.notifications import NOTIFICATIONS
from service.web.public.operation import Answer, Door, Operation, Sent

OPENAPI: Final = Operation(
    "Read this description as an OpenAPI document",
    "contract",
    {200: Answer("The document (OpenAPI 3.1).", dict[str, Any])},
)
REFERENCE: Final = Operation(
    "Read this description as a page",
    "contract",
    {
        200: Answer(
            "The page. It loads nothing from anywhere and runs no script.",
            media_type="text/html",
            headers={"Content-Security-Policy": Sent("", {"const": reference.SECURITY_POLICY}, always=True)},
        )
    },
)


def blueprint(app: Flask, door: Door) -> Blueprint:
    """Return the routes. They describe everything that is registered with ``app`` by the first request."""
    routes = Blueprint(
        "contract",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/reference/static",
    )

    @functools.cache
    def document() -> dict[str, Any]:
        return openapi.document(app, NOTIFICATIONS)

    @functools.cache
    def page() -> str:
        return reference.page(document())

    @routes.get("/openapi.json")
    @door.operation(OPENAPI)
    def described() -> Response:
        return jsonify(document())

    @routes.get("/reference")
    @door.operation(REFERENCE)
    def read() -> Response:
        answer = Response(page(), content_type="text/html; charset=utf-8")
        answer.headers["Content-Security-Policy"] = reference.SECURITY_POLICY
        answer.headers["Referrer-Policy"] = "no-referrer"
        return answer

    return routes
