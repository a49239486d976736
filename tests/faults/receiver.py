"""A webhook receiver on loopback that behaves as it is told, also badly, and keeps what it got."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from stack.ports import LOOPBACK

_MOST_HEAD = 65_536


@dataclass(frozen=True)
class Got:
    """One request: its first line, its headers by lower-case name, its body byte for byte."""

    line: str
    headers: dict[str, str]
    body: bytes


#: What is done with a connection after the request was read.
Behaviour = Callable[[socket.socket], None]


def answering(status: int, *headers: str) -> Behaviour:
    """Answer with a status and an empty body."""
    lines = [f"HTTP/1.1 {status} X", "Content-Length: 0", "Connection: close", *headers]
    return lambda link: link.sendall("\r\n".join([*lines, "", ""]).encode())


def saying(data: bytes) -> Behaviour:
    """Answer with bytes as they are."""
    return lambda link: link.sendall(data)


def hanging(stop: threading.Event) -> Behaviour:
    """Answer nothing until told to stop."""
    return lambda _link: _wait(stop)


def trickling(piece: bytes, stop: threading.Event, first: bytes = b"") -> Behaviour:
    """Answer `first` and then `piece` again and again, ten times a second, for as long as it is taken."""

    def trickle(link: socket.socket) -> None:
        link.sendall(first)
        while not stop.wait(0.1):
            link.sendall(piece)

    return trickle


def _wait(stop: threading.Event) -> None:
    stop.wait()


@dataclass
class Receiver:
    """Listens on a port of its own; `behaviours` are used up one a request, then `behaviour` is used.

    With `reads` off the request is not even read. `names` are what TLS clients asked for.
    """

    behaviour: Behaviour = field(default_factory=lambda: answering(204))
    tls: ssl.SSLContext | None = None
    reads: bool = True
    port: int = 0

    def __post_init__(self) -> None:
        self.behaviours: list[Behaviour] = []
        self.got: list[Got] = []
        self.names: list[str | None] = []
        self.connections = 0
        self.stop = threading.Event()
        self._arrived = threading.Condition()
        if self.tls is not None:
            self.tls.sni_callback = lambda _link, name, _context: self.names.append(name)
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((LOOPBACK, self.port))
        self._listener.listen(64)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, name="receiver", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}/hook?a=b"

    def close(self) -> None:
        """Stop listening and end what hangs."""
        self.stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def wait(self, count: int, seconds: float) -> list[Got]:
        """Wait until that many requests came and return them."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.got) >= count, seconds), f"{len(self.got)} came"
            return list(self.got)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(link,), name="received", daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        with contextlib.suppress(OSError), link:
            secured = link if self.tls is None else self.tls.wrap_socket(link, server_side=True)
            with secured:
                if self.reads:
                    got = _read(secured)
                    with self._arrived:
                        self.got.append(got)
                        behaviour = self.behaviours.pop(0) if self.behaviours else self.behaviour
                        self._arrived.notify_all()
                else:
                    behaviour = self.behaviour
                behaviour(secured)


def _read(link: socket.socket) -> Got:
    data = b""
    while b"\r\n\r\n" not in data and len(data) < _MOST_HEAD:
        data += _some(link)
    head, _, body = data.partition(b"\r\n\r\n")
    line, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
    while len(body) < int(headers.get("content-length", "0")):
        body += _some(link)
    return Got(line, headers, body)


def _some(link: socket.socket) -> bytes:
    data = link.recv(_MOST_HEAD)
    if not data:
        raise ConnectionResetError
    return data
