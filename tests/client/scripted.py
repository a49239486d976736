"""A server on loopback that answers one request after the other as a test wrote it down, right or wrong."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from greenroom_client import Client, Retry

QUICK = Retry(attempts=4, first_pause=0.01, longest_pause=2.0)


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """`answers` are bytes to send before the connection is closed; an empty one says nothing, ever."""

    answers: list[bytes]
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, name="scripted server", daemon=True).start()

    def client(self, **options: Any) -> Client:
        """A client that speaks to it, and tries again after moments."""
        return Client(self.url, "token", **{"retry": QUICK, "trust_env": False, "timeout": 10.0, **options})

    def stop(self) -> None:
        """Let go of everything."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(link,), daemon=True).start()

    def _secured(self, link: socket.socket) -> socket.socket:
        return self.tls.wrap_socket(link, server_side=True) if self.tls else link

    def _answer(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError), self._secured(accepted) as link, link.makefile("rb") as arriving:
            line = arriving.readline().decode().split()
            if not line:
                return
            headers = {}
            while text := arriving.readline().decode().strip():
                name, _, value = text.partition(":")
                headers[name.lower()] = value.strip()
            body = b"".join(_body(arriving, headers))
            self.requests.append(Request(line[0], line[1], headers, body))
            answer = self.answers.pop(0)
            if not answer:
                self._over.wait()
            link.sendall(answer)


def _body(arriving: Any, headers: dict[str, str]) -> Iterator[bytes]:
    if headers.get("transfer-encoding") == "chunked":
        while size := int(arriving.readline(), 16):
            yield arriving.read(size)
            arriving.readline()
        arriving.readline()
    else:
        yield arriving.read(int(headers.get("content-length", 0)))


def said(status: int, body: bytes = b"", *, length: int | None = None, **headers: str) -> bytes:
    """An answer with `body`, and with a Content-Length that may be another one."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def said_json(status: int, document: object, **headers: str) -> bytes:
    """An answer in JSON."""
    told = {"Content_Type": "application/json", **headers}
    return said(status, json.dumps(document).encode(), length=None, **told)


def problem(status: int, code: str, *, retryable: bool, **headers: str) -> bytes:
    """A problem document as the service gives them."""
    document = {
        "title": code,
        "status": status,
        "detail": f"It is {code}.",
        "code": code,
        "retryable": retryable,
        "request_id": "req-1",
    }
    return said_json(status, document, **headers)


def upload_document(
    state: str = "released", content: bytes = b"minutes", **more: object
) -> dict[str, object]:
    """An upload as the service describes it."""
    return {
        "id": "up_1",
        "account": "acme",
        "meeting": "m1",
        "name": "notes.txt",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "state": state,
        "advice": "Nothing to do.",
        "created_at": "2026-11-21T23:42:28.416Z",
        "updated_at": "2026-11-21T23:42:28.416Z",
        **more,
    }


def content_answer(content: bytes, *, digest_of: bytes | None = None, length: int | None = None) -> bytes:
    """A download, with the digest of that content or of another one."""
    digest = hashlib.sha256(content if digest_of is None else digest_of).digest()
    return said(200, content, length=length, Repr_Digest=f"sha-256=:{base64.b64encode(digest).decode()}:")


@pytest.fixture
def server() -> Iterator[Server]:
    """A server without answers yet."""
    server = Server([])
    yield server
    server.stop()
