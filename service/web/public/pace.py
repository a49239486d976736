"""The minimum rate: cuts off senders that hold a thread and send next to nothing.

A thread that waits for a body sits in the server's ``recv`` and cannot look at the clock. So one thread of
each process looks at what the kernel counted for each connection (``tcpi_bytes_received``, Linux 4.1) and
shuts the reading side of those below the rate; the waiting thread then finds the body ended.
"""

import fcntl
import socket
import struct
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_EVERY = 1.0
#: Offset and size of ``tcpi_bytes_received`` in ``struct tcp_info`` (linux/tcp.h).
_BYTES_RECEIVED = struct.Struct("=128xQ")


@dataclass(eq=False)
class Watched:
    """One connection under watch; ``too_slow`` is set before it is cut off."""

    connection: socket.socket
    mark_at: float
    mark: int
    too_slow: bool = field(default=False)


class Pace:
    """Holds senders to ``minimum_rate`` bytes per second over each ``window`` seconds."""

    def __init__(self, minimum_rate: int, window: int) -> None:
        """Watch nothing yet; the thread starts with the first sender."""
        self._least = minimum_rate * window
        self._window = window
        self._watched: set[Watched] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watch(self, connection: socket.socket | None) -> Iterator[Watched | None]:
        """Watch a TCP connection while the body is read; others (tests, Unix sockets) are left alone."""
        if connection is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
            yield None
            return
        watched = Watched(connection, time.monotonic(), _received(connection))
        with self._lock:
            self._watched.add(watched)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pace", daemon=True)
                self._thread.start()
        try:
            yield watched
        finally:
            with self._lock:
                self._watched.discard(watched)

    def _run(self) -> None:
        while True:
            time.sleep(_EVERY)
            with self._lock:
                for watched in self._watched:
                    self._look(watched)

    def _look(self, watched: Watched) -> None:
        now = time.monotonic()
        if now - watched.mark_at < self._window or watched.too_slow:
            return
        try:
            received = _received(watched.connection)
            # Bytes that wait to be read mean that we are the slow one.
            if received - watched.mark < self._least and not unread(watched.connection):
                watched.too_slow = True
                watched.connection.shutdown(socket.SHUT_RD)
        except OSError:
            return
        watched.mark_at, watched.mark = now, received


def _received(connection: socket.socket) -> int:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_RECEIVED.size)
    return int(_BYTES_RECEIVED.unpack(info)[0]) if len(info) == _BYTES_RECEIVED.size else 0


def unread(connection: socket.socket) -> int:
    """Return how many bytes wait to be read from ``connection``. Raises ``OSError`` once it is closed."""
    return int(struct.unpack("=i", fcntl.ioctl(connection, termios.FIONREAD, bytes(4)))[0])
