"""Answers that the pages of a Jitsi installation, and no others, may read (the Fetch standard's CORS)."""

from collections.abc import Callable
from http import HTTPMethod
from typing import Final

from flask import Response, request

_METHODS: Final = f"{HTTPMethod.GET}, {HTTPMethod.POST}, {HTTPMethod.DELETE}"
_HEADERS: Final = "Authorization, X-File-Id"
_SECONDS: Final = "600"


def cors(origins: frozenset[str]) -> Callable[[Response], Response]:
    """Return what adds to an answer that a page of one of ``origins`` may have it.

    The bearer token is all that opens anything: cookies are neither set nor asked for.
    """

    def allow(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin", "")
        if origin in origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            if request.method == HTTPMethod.OPTIONS:
                response.headers["Access-Control-Allow-Methods"] = _METHODS
                response.headers["Access-Control-Allow-Headers"] = _HEADERS
                response.headers["Access-Control-Max-Age"] = _SECONDS
        return response

    return allow
