"""Methods in a header, for networks that let no PATCH through (tus 1.0.0, X-HTTP-Method-Override)."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_METHODS: Final = frozenset({"PATCH", "DELETE", "HEAD"})


class MethodOverride:
    """Takes a POST below a path for what its ``X-HTTP-Method-Override`` says."""

    def __init__(self, app: "WSGIApplication", prefix: str) -> None:
        """Pass requests on to ``app``, those whose path begins with ``prefix`` changed."""
        self._app = app
        self._prefix = prefix

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        wanted = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", "").upper()
        ours = environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].startswith(self._prefix)
        if not ours or wanted not in _METHODS:
            return self._app(environ, start_response)
        environ["REQUEST_METHOD"] = wanted
        return self._app(environ, _bodiless(start_response) if wanted == "HEAD" else start_response)


def _bodiless(start_response: "StartResponse") -> "StartResponse":
    """Announce no body: who sent a POST would wait for as many bytes as an answer to HEAD may announce."""

    def start(
        status: str, headers: list[tuple[str, str]], exc_info: "OptExcInfo | None" = None, /
    ) -> Callable[[bytes], object]:
        announced = [(name, "0" if name.lower() == "content-length" else value) for name, value in headers]
        return start_response(status, announced, exc_info)

    return start
