"""A scanner that decides by content, keeping the promises of ``ports.Scanner``, and that can be scripted."""

import io
import zipfile
from collections import deque

from service.core.canary import EICAR
from service.core.errors import ScannerUnavailable
from service.core.outcome import (
    Clean,
    Engine,
    Failed,
    Failure,
    Infected,
    Malformed,
    Obstacle,
    Outcome,
    Suspicious,
    Unscannable,
)
from service.ports import Clock
from tests.fakes.faults import Faults

#: What a test puts into a content to have it reported.
BROKEN = b"greenroom-fake-broken"
MACROS = b"greenroom-fake-macros"
_MAX_RECURSION = 17
_ENCRYPTED = 0x1


class FakeScanner:
    """Looks for EICAR, into zips too. ``script`` holds outcomes to give instead, in turn; ``takes`` is how
    many seconds a scan lasts after its last byte; ``signatures`` is what ``engine`` tells; ``learned`` is
    what it finds beside, by the mark of the content that it is in; ``last_words`` is what a scan says that
    was lost (else that it failed).
    """

    def __init__(
        self, faults: Faults, clock: Clock, *, deadline: float = 120.0, max_stream: int = 1 << 30
    ) -> None:
        """Scan streams of at most ``max_stream`` bytes within ``deadline`` seconds."""
        self.faults = faults
        self.clock = clock
        self.deadline = deadline
        self.max_stream = max_stream
        self.script: deque[Outcome] = deque()
        self.takes = 0.0
        self.last_words: Outcome | None = None
        self.signatures = Engine("1.4.6", 27826, clock.now())
        self.learned: dict[bytes, Outcome] = {}
        self.scanned: list[bytes] = []

    def open(self) -> "FakeStream":
        """Begin a scan."""
        with self.faults.at("scanner.open"):
            return FakeStream(self)

    def engine(self) -> Engine:
        """Return who scans."""
        with self.faults.at("scanner.engine"):
            return self.signatures


class FakeStream:
    """One scan (``ports.ScanStream``). What the port forbids is an assertion here."""

    def __init__(self, scanner: FakeScanner) -> None:
        self._scanner = scanner
        self._until = scanner.clock.monotonic() + scanner.deadline
        self._data = bytearray()
        self._ready: float | None = None
        self._done: Outcome | None = None
        self._lost: Failed | None = None

    def feed(self, chunk: bytes) -> None:
        """Take bytes, or lose the scan."""
        assert self._ready is None, "fed after the end"
        self._check()
        try:
            with self._scanner.faults.at("scanner.feed"):
                self._data += chunk
        except ScannerUnavailable as error:
            self._lost = Failed(Failure.CONNECTION_LOST, str(error))
            raise
        if len(self._data) > self._scanner.max_stream:
            self._lost = Failed(Failure.STREAM_LIMIT, "INSTREAM size limit exceeded. ERROR")
            raise ScannerUnavailable("the stream is too long")

    def finish(self) -> None:
        """Begin to look."""
        self._check()
        try:
            with self._scanner.faults.at("scanner.finish"):
                self._ready = self._scanner.clock.monotonic() + self._scanner.takes
        except ScannerUnavailable as error:
            self._lost = Failed(Failure.CONNECTION_LOST, str(error))
            raise

    def outcome(self, timeout: float | None = None) -> Outcome | None:
        """Wait on the fake clock."""
        try:
            with self._scanner.faults.at("scanner.outcome"):
                self._wait(timeout)
        except ScannerUnavailable as error:
            self._done = Failed(Failure.CONNECTION_LOST, str(error))
        return self._done

    def close(self) -> None:
        """Let go."""
        if self._done is None:
            self._lost = self._lost or Failed(Failure.CONNECTION_LOST, "closed")

    def _check(self) -> None:
        assert self._lost is None, "only outcome and close may follow a lost scan"
        if self._scanner.clock.monotonic() >= self._until:
            self._lost = Failed(Failure.TIMEOUT, "the deadline has passed")
            raise ScannerUnavailable("the deadline has passed")

    def _wait(self, timeout: float | None) -> None:
        clock = self._scanner.clock
        if self._done is None and self._lost is not None:
            self._done = self._scanner.last_words or self._lost
        if self._done is not None:
            return
        until = self._until if timeout is None else min(self._until, clock.monotonic() + timeout)
        ready = self._ready
        clock.sleep((until if ready is None else min(ready, until)) - clock.monotonic())
        if ready is not None and ready <= min(until, self._until):
            self._done = self._look()
        elif clock.monotonic() >= self._until:
            self._done = Failed(Failure.TIMEOUT, "no answer before the deadline")

    def _look(self) -> Outcome:
        data = bytes(self._data)
        self._scanner.scanned.append(data)
        if self._scanner.script:
            return self._scanner.script.popleft()
        learned = [found for mark, found in self._scanner.learned.items() if mark in data]
        return learned[0] if learned else look(data)


def look(data: bytes, depth: int = 1) -> Outcome:
    """Return what is found in ``data``, as clamd with the shipped settings would."""
    if depth > _MAX_RECURSION:
        return Unscannable(Obstacle.LIMITS, "Heuristics.Limits.Exceeded.MaxRecursion")
    if EICAR in data:
        return Infected("Eicar-Test-Signature")
    if BROKEN in data:
        return Malformed("Heuristics.Broken.Media.JPEG")
    if MACROS in data:
        return Suspicious("Heuristics.OLE2.ContainsMacros")
    return _look_into(data, depth) if data.startswith(b"PK\x03\x04") else _look_at_the_mark(data)


def _look_at_the_mark(data: bytes) -> Outcome:
    if data.startswith(b"Rar!"):
        return Unscannable(Obstacle.LIMITS, "Heuristics.Greenroom.Unscannable.RAR.UNOFFICIAL")
    if data.startswith(b"\xd0\xcf\x11\xe0") and "EncryptedPackage".encode("utf-16-le") in data:
        return Unscannable(Obstacle.ENCRYPTED, "Heuristics.Greenroom.Encrypted.Document.UNOFFICIAL")
    return Clean()


def _look_into(data: bytes, depth: int) -> Outcome:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        for member in package.infolist():
            if member.flag_bits & _ENCRYPTED:
                return Unscannable(Obstacle.ENCRYPTED, "Heuristics.Encrypted.Zip")
            found = look(package.read(member), depth + 1)
            if not isinstance(found, Clean):
                return found
    return Clean()
