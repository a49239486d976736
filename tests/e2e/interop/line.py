"""A line between a client and the service that breaks, waits and changes things at will, and counts.

It is the witness of what crossed: every test asks it, and no client, what was sent.
"""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import termios
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BufferedReader
from queue import SimpleQueue

from stack.ports import LOOPBACK
from stack.processes import wait_until

_CHUNK = 65536
_SECONDS = 30.0
_RESET = struct.pack("ii", 1, 0)
#: Neither of these has a body, whatever its head announces.
_EMPTY = {204, 304}


@dataclass
class Exchange:
    """A request as the service got it, and its answer's status as the client got it.

    `headers` have names in lower case, `body` counts the bytes that were handed on, `status` is 0 where no
    answer came through, and `offset` is the one that the answer told.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: int = 0
    status: int = 0
    offset: int | None = None

    @property
    def length(self) -> int:
        """The bytes that its body was to have."""
        return int(self.headers.get("content-length", "0"))

    def head(self) -> bytes:
        """The request's head as it goes on."""
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{k}: {v}" for k, v in self.headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


class _Broken(Exception):
    """The connection has ended, here or there."""


class Line:
    """Passes HTTP/1.1 connections on to `port` of this machine, which may change meanwhile.

    - `cuts`: after so many bytes of bodies, counted over all requests, the connection ends: when all of them
      have arrived, or by a `reset`, which costs what is not read yet;
    - `single_use`: each connection carries one request, so that no browser sends one again on its own, as
      they do (RFC 9110, 9.2.2) when one that they use for the second time ends;
    - `hold_at`: after so many nothing more is passed on until `let_go`; `held` is set when it comes to that;
    - `lost`: the methods whose next answer is lost, with the connection;
    - `tamper`: may change the headers of a request;
    - `down`: nobody gets through.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.exchanges: list[Exchange] = []
        self.cuts: deque[int] = deque()
        self.reset = False
        self.single_use = False
        self.hold_at: int | None = None
        self.held = threading.Event()
        self.lost: list[str] = []
        self.tamper: Callable[[Exchange], None] | None = None
        self.down = False
        self._go = threading.Event()
        self._passed = 0
        self._breaks = 0
        self._counting = threading.Lock()
        self._linking = threading.Lock()
        self._links: list[_Link] = []
        self._listener = socket.create_server((LOOPBACK, 0))
        self.url = f"http://{LOOPBACK}:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, name="line", daemon=True).start()

    @property
    def sent(self) -> int:
        """The bytes of bodies that the service was handed."""
        return self._passed

    def of(self, *methods: str) -> list[Exchange]:
        """The requests of some methods."""
        return [exchange for exchange in self.exchanges if exchange.method in methods]

    def told(self) -> list[str]:
        """What crossed, for people: where each request began, what it carried, what was answered."""
        return [
            f"{one.method} {one.headers.get('upload-offset', '')} +{one.body} {one.status} {one.offset}"
            for one in self.exchanges
        ]

    def cut_at(self, offsets: Iterable[float]) -> None:
        """Cut after so many bytes from now on."""
        self.cuts = deque(sorted(self._passed + int(offset) for offset in offsets))

    def hold_after(self, count: int) -> None:
        """Hold everything after so many bytes from now on."""
        self._go.clear()
        self.held.clear()
        self.hold_at = self._passed + count

    def let_go(self) -> None:
        """Hold nothing any more."""
        self.hold_at = None
        self._go.set()

    def break_off(self) -> None:
        """End all connections, and pass nothing on of what is held. Without a reset the rest arrives."""
        # One that is being made is ended too; clients may be back before the last one is.
        with self._linking:
            self._breaks += 1
            links = tuple(self._links)
        for link in links:
            if not self.reset:
                link.wait_for_arrival()
            link.end(reset=self.reset)
        self.let_go()

    def close(self) -> None:
        """Take no more connections and end those that are."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.break_off()

    def ration(self, wanted: int) -> int:
        """Return how many of `wanted` bytes may pass now, and count them; 0 means cut. Waits where held."""
        breaks = self._breaks
        while breaks == self._breaks:
            with self._counting:
                if self.cuts and self.cuts[0] <= self._passed:
                    self.cuts.popleft()
                    return 0
                ends = [end for end in (self.hold_at, *self.cuts) if end is not None]
                most = min([wanted, *(end - self._passed for end in ends)])
                if most > 0:
                    self._passed += most
                    return most
            self.held.set()
            self._go.wait()
        return 0

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                with self._linking:
                    self._link(near)

    def _link(self, near: socket.socket) -> None:
        if self.down:
            near.close()
            return
        with contextlib.suppress(OSError):
            self._links.append(_Link(self, near, socket.create_connection((LOOPBACK, self.port))))


class _Link:
    """One connection: a thread for each direction."""

    def __init__(self, line: Line, near: socket.socket, far: socket.socket) -> None:
        self._line, self._near, self._far = line, near, far
        self._ended = False
        self._asked: SimpleQueue[Exchange] = SimpleQueue()
        threading.Thread(target=self._run, name="line", daemon=True).start()

    def end(self, *, reset: bool) -> None:
        """End both sides: in good order, or with a reset."""
        self._ended = True
        for one in (self._near, self._far):
            with contextlib.suppress(OSError):
                if reset:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                one.shutdown(socket.SHUT_RDWR)

    def wait_for_arrival(self) -> None:
        """Wait until the service's side has all that was sent, unless the connection is over."""
        wait_until(self._arrived, _SECONDS, "what was sent")

    def _run(self) -> None:
        with self._near, self._far:
            answers = threading.Thread(
                target=self._until_it_ends, args=(self._answers,), name="line", daemon=True
            )
            answers.start()
            self._until_it_ends(self._requests)
            answers.join()

    def _until_it_ends(self, work: Callable[[], None]) -> None:
        with contextlib.suppress(OSError, ValueError, _Broken):
            work()
        self.end(reset=False)

    def _requests(self) -> None:
        with self._near.makefile("rb") as stream:
            while True:
                (method, target, _), headers = _read_head(stream)
                exchange = Exchange(method, target, headers)
                if self._line.tamper is not None:
                    self._line.tamper(exchange)
                self._line.exchanges.append(exchange)
                self._asked.put(exchange)
                self._far.sendall(exchange.head())
                self._pass_body(stream, exchange)

    def _pass_body(self, stream: BufferedReader, exchange: Exchange) -> None:
        assert "transfer-encoding" not in exchange.headers
        while exchange.body < exchange.length:
            data = stream.read1(min(_CHUNK, exchange.length - exchange.body))
            if not data:
                raise _Broken
            while data:
                count = self._line.ration(len(data))
                if not count:
                    if not self._line.reset:
                        self.wait_for_arrival()
                    self.end(reset=self._line.reset)
                    raise _Broken
                self._far.sendall(data[:count])
                exchange.body += count
                data = data[count:]

    def _arrived(self) -> bool:
        # A closed one has no number any more.
        return (
            self._ended
            or self._far.fileno() < 0
            or fcntl.ioctl(self._far, termios.TIOCOUTQ, bytes(4)) == bytes(4)
        )

    def _answers(self) -> None:
        with self._far.makefile("rb") as stream:
            while True:
                (version, code, reason), headers = _read_head(stream)
                status = int(code)
                if self._line.single_use:
                    headers["connection"] = "close"
                lines = [f"{version} {code} {reason}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
                head = "\r\n".join(lines).encode("latin-1")
                if status < 200:
                    self._near.sendall(head)
                    continue
                exchange = self._asked.get()
                if exchange.method in self._line.lost:
                    self._line.lost.remove(exchange.method)
                    raise _Broken
                empty = exchange.method == "HEAD" or status in _EMPTY
                body = b"" if empty else stream.read(int(headers.get("content-length", "0")))
                exchange.status = status
                exchange.offset = int(headers["upload-offset"]) if "upload-offset" in headers else None
                self._near.sendall(head + body)
                if self._line.single_use:
                    raise _Broken


def _read_head(stream: BufferedReader) -> tuple[tuple[str, str, str], dict[str, str]]:
    first = stream.readline().decode("latin-1").rstrip("\r\n").split(" ", 2)
    if len(first) < 3:
        raise _Broken
    headers = {}
    while line := stream.readline().decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return (first[0], first[1], first[2]), headers
