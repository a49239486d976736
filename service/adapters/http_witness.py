"""``ports.Witness`` behind HTTP: each checkpoint is posted to one address, which may tell the newest.

``POST`` with the note (``text/plain``) is answered with 2xx once it is kept. ``GET`` of the same address is
answered with the newest note; 404, 405 or an empty answer mean that it does not tell.
"""

import hashlib
import time
from http import HTTPStatus
from typing import Final

import httpcore

from service.core.errors import WitnessUnavailable

_SECONDS: Final = 5.0
#: Seconds for a whole answer, however it trickles in.
_WHOLE: Final = 15.0
_LONGEST: Final = 64 * 1024
_SILENT: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})


class HttpWitness:
    """A server that keeps checkpoints. It is reached directly: redirects and proxies are not followed."""

    def __init__(self, url: str) -> None:
        """Speak to ``url``. Opens no connection yet."""
        self._url = url
        self._pool = httpcore.ConnectionPool()
        self.name = f"http {hashlib.sha256(url.encode()).hexdigest()[:16]}"

    def newest(self, origin: str) -> str | None:
        """Return what the server tells of the log."""
        status, note = self._ask("GET", b"")
        if status in _SILENT:
            return None
        if status != HTTPStatus.OK:
            raise WitnessUnavailable(f"the witness answered {status}")
        return note if note.startswith(f"{origin}\n") else None

    def keep(self, origin: str, size: int, note: str) -> None:  # noqa: ARG002 - both stand in the note
        """Post a note."""
        status, _ = self._ask("POST", note.encode())
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise WitnessUnavailable(f"the witness answered {status}")

    def _ask(self, method: str, content: bytes) -> tuple[int, str]:
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("User-Agent", "greenroom")]
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), _SECONDS)
        try:
            with self._pool.stream(
                method, self._url, headers=headers, content=content, extensions={"timeout": timeouts}
            ) as answer:
                body, until = b"", time.monotonic() + _WHOLE
                for chunk in answer.iter_stream():
                    body += chunk
                    if len(body) > _LONGEST or time.monotonic() > until:
                        raise WitnessUnavailable("the witness says too much, or too slowly")
                return answer.status, body.decode(errors="replace")
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise WitnessUnavailable(f"the witness did not answer: {type(error).__name__}") from error
