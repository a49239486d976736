"""``ports.Witness`` behind HTTP: each checkpoint is posted to one address, which may tell the newest.

``POST`` with the note (``text/plain``) is answered with 2xx once it is kept. ``GET`` of the same address is
answered with the newest note; 404, 405 or an empty answer mean that it does not tell. Any other answer that
is no note is none of a witness, and must not pass for one that knows nothing.
"""

import hashlib
import ssl
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

import httpcore

from service.core.errors import WitnessUnavailable
from service.verify.invalid import Invalid
from service.verify.note import read_note

_SECONDS: Final = 5.0
#: Seconds for one question and its whole answer, however it trickles in.
DEADLINE: Final = 15.0
_LONGEST: Final = 64 * 1024
_SILENT: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})


class HttpWitness:
    """A server that keeps checkpoints. It is reached directly: redirects and proxies are not followed."""

    def __init__(self, url: str, deadline: float = DEADLINE) -> None:
        """Speak to ``url``, for ``deadline`` seconds at most each time. Opens no connection yet."""
        self._url = url
        self._deadline = deadline
        self.name = f"http {hashlib.sha256(url.encode()).hexdigest()[:16]}"

    def newest(self, origin: str) -> str | None:
        """Return what the server tells of the log."""
        status, note = self._ask("GET", b"")
        if status in _SILENT:
            return None
        if status != HTTPStatus.OK:
            raise WitnessUnavailable(f"the witness answered {status}")
        if not note:
            return None
        try:
            read_note(note)
        except Invalid as error:
            raise WitnessUnavailable(f"the witness answered with something else: {error}") from error
        return note if note.startswith(f"{origin}\n") else None

    def keep(self, origin: str, size: int, note: str) -> None:  # noqa: ARG002 - both stand in the note
        """Post a note."""
        status, _ = self._ask("POST", note.encode())
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise WitnessUnavailable(f"the witness answered {status}")

    def _ask(self, method: str, content: bytes) -> tuple[int, str]:
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("User-Agent", "greenroom")]
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), _SECONDS)
        backend = _Bounded(time.monotonic() + self._deadline)
        try:
            with (
                httpcore.ConnectionPool(network_backend=backend) as pool,
                pool.stream(
                    method, self._url, headers=headers, content=content, extensions={"timeout": timeouts}
                ) as answer,
            ):
                body = b""
                for chunk in answer.iter_stream():
                    body += chunk
                    if len(body) > _LONGEST:
                        raise WitnessUnavailable("the witness says too much")
                return answer.status, body.decode(errors="replace")
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise WitnessUnavailable(f"the witness did not answer: {type(error).__name__}") from error


class _Bounded(httpcore.NetworkBackend):
    """Connects as httpcore does. What trickles in, the answer's head too, is read up to a moment only."""

    def __init__(self, until: float) -> None:
        self._until = until
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        link = self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return _BoundedStream(link, self._until)


class _BoundedStream(httpcore.NetworkStream):
    """A connection that is read from up to a moment."""

    def __init__(self, link: httpcore.NetworkStream, until: float) -> None:
        self._link = link
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer takes too long")
        return self._link.read(max_bytes, left if timeout is None else min(left, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._link.write(buffer, timeout)

    def close(self) -> None:
        self._link.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _BoundedStream(self._link.start_tls(ssl_context, server_hostname, timeout), self._until)

    def get_extra_info(self, info: str) -> object:
        return self._link.get_extra_info(info)
