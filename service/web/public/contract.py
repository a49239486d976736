"""``GET /openapi.json`` and ``GET /reference``: what this service promises, for programs and for people."""

import functools
import json
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Flask, Response

from service.web.public import openapi, reference
from service.web.public.door import Door
from service.web.public.notifications import NOTIFICATIONS
from service.web.public.operation import Answer, Operation, Sent

_STYLE: Final = Path(__file__).parent / "templates" / "reference.css"
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
STYLE: Final = Operation(
    "Read the page's style sheet", "contract", {200: Answer("The style sheet.", media_type="text/css")}
)


def blueprint(app: Flask, door: Door) -> Blueprint:
    """Return the routes. They describe everything that is registered with ``app`` by the first request."""
    routes = Blueprint("contract", __name__, template_folder="templates")

    @functools.cache
    def document() -> dict[str, Any]:
        return openapi.document(app, NOTIFICATIONS)

    @functools.cache
    def text() -> str:
        return json.dumps(document(), ensure_ascii=False, separators=(",", ":"))

    @functools.cache
    def page() -> str:
        return reference.page(document())

    @functools.cache
    def sheet() -> str:
        return _STYLE.read_text()

    @routes.get("/openapi.json")
    @door.operation(OPENAPI)
    def described() -> Response:
        return Response(text(), content_type="application/json")

    @routes.get("/reference")
    @door.operation(REFERENCE)
    def read() -> Response:
        answer = Response(page(), content_type="text/html; charset=utf-8")
        answer.headers["Content-Security-Policy"] = reference.SECURITY_POLICY
        answer.headers["Referrer-Policy"] = "no-referrer"
        return answer

    @routes.get("/reference.css")
    @door.operation(STYLE)
    def style() -> Response:
        return Response(sheet(), content_type="text/css; charset=utf-8")

    return routes
