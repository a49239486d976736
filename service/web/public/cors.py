"""Which pages of other origins may call the API from a browser (CORS, as the Fetch standard has it).

Exact origins from a list, never a wildcard, never cookies: a page needs a grant or a key in any case.
"""

from collections.abc import Set as AbstractSet
from typing import Final

from flask import Flask, Response, request

#: Where a page sends files, asks for their verdict, and reads what may be sent; with all that is below.
_PATHS: Final = ("/v1/tus", "/v1/uploads", "/v1/policy", "/v1/grant")
_METHODS: Final = "GET, HEAD, POST, PATCH, DELETE, OPTIONS"
_REQUEST_HEADERS: Final = (
    "Authorization, Content-Type, Idempotency-Key, If-Range, Prefer, Range, Repr-Digest, Tus-Resumable, "
    "Upload-Checksum, Upload-Length, Upload-Metadata, Upload-Offset, X-HTTP-Method-Override, X-Request-Id"
)
_EXPOSED: Final = (
    "Accept-Ranges, Content-Disposition, Content-Range, ETag, Idempotent-Replayed, Location, RateLimit, "
    "RateLimit-Policy, Repr-Digest, Retry-After, Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, "
    "Tus-Resumable, Tus-Version, Upload-Expires, Upload-Length, Upload-Metadata, Upload-Offset, X-Request-Id"
)
_MAX_AGE: Final = "600"


def register(app: Flask, origins: AbstractSet[str]) -> None:
    """Let pages of ``origins`` call ``app``, where they need to."""

    @app.after_request
    def allow(response: Response) -> Response:
        if not origins or not _is_open(request.path):
            return response
        response.vary.add("Origin")
        origin = request.headers.get("Origin", "")
        if origin not in origins:
            return response
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response.headers["Access-Control-Allow-Methods"] = _METHODS
            response.headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
            response.headers["Access-Control-Max-Age"] = _MAX_AGE
        return response


def _is_open(path: str) -> bool:
    return any(path == open_path or path.startswith(f"{open_path}/") for open_path in _PATHS)
