"""Who writes to an upload within one process, and how their bodies are read."""

from __future__ import annotations

import io
import socket
import threading

import pytest

from service.core.errors import Truncated
from service.web.public.pace import unread
from service.web.public.writers import Endable, Writers
from stack.processes import wait_until
from tests.fakes.clock import FakeClock

KIBI = 1024


class Line:
    """A line that gives all that is asked for, at `rate` bytes per second."""

    def __init__(self, clock: FakeClock, rate: int) -> None:
        self.clock = clock
        self.rate = rate
        self.asked: list[int] = []

    def read(self, size: int, /) -> bytes:
        """Take the time that it takes."""
        self.asked.append(size)
        self.clock.advance(size / self.rate)
        return bytes(size)


@pytest.mark.parametrize(("rate", "most_seconds"), [(KIBI, 8), (20 * KIBI, 2), (1000 * KIBI, 1)])
def test_slow_lines_are_asked_for_little_at_a_time(rate: int, most_seconds: int) -> None:
    """So that nobody waits long within one read, whose bytes a crash would cost; fast ones for a chunk."""
    clock = FakeClock()
    line = Line(clock, rate)
    body = Endable(line, None, clock, 256 * KIBI)
    for _ in range(50):
        assert body.read(256 * KIBI)
    assert max(line.asked) / rate <= most_seconds
    assert (max(line.asked) == 256 * KIBI) == (rate == 1000 * KIBI)


def test_a_body_that_was_ended_says_that_it_broke_off() -> None:
    """Like a line that broke, so that what came is kept."""
    body = Endable(io.BytesIO(b"minutes"), None, FakeClock(), KIBI)
    assert body.read(4) == b"minu"
    body.end()
    with pytest.raises(Truncated):
        body.read(10)


def test_what_had_come_is_read_although_it_was_ended() -> None:
    """Bytes that the kernel holds are the sender's already: they need not come again. Later ones do."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    with near, far, far.makefile("rb", buffering=0) as stream:
        near.sendall(b"m" * 50_000)
        wait_until(lambda: unread(far) == 50_000, 30, "all of it to come")
        body = Endable(stream, far, FakeClock(), 20_000)
        body.end()
        body.end()
        near.sendall(b"n" * 50_000)
        came = b"".join(body.read(10**6) for _ in range(4))
        with pytest.raises(Truncated):
            body.read(10**6)
    assert came == b"m" * 50_000


def test_the_newest_writer_has_its_way() -> None:
    """The older one is ended and waited for; who asks for the offset may wait too; others are let be."""
    writers = Writers()
    clock = FakeClock()
    older, newer, other = (Endable(io.BytesIO(b"x" * 9), None, clock, 4) for _ in range(3))
    order: list[str] = []
    began, go = threading.Event(), threading.Event()

    def write_older() -> None:
        with writers.hold("a", older):
            began.set()
            assert go.wait(30)
            order.append("older")

    def write_newer() -> None:
        with writers.hold("a", newer):
            order.append("newer")

    threads = [threading.Thread(target=write_older), threading.Thread(target=write_newer)]
    threads[0].start()
    assert began.wait(30)
    with writers.hold("b", other):
        threads[1].start()
        while True:
            try:
                older.read(1)
            except Truncated:
                break
            older._body = io.BytesIO(b"x")
        writers.end("a", wait=False)
        assert order == []
        go.set()
        for thread in threads:
            thread.join(30)
        assert other.read(1) == b"x"
    assert order == ["older", "newer"]
    writers.end("a", wait=True)
    assert newer.read(1) == b"x"
