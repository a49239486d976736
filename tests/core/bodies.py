"""Bodies that arrive in any rhythm, and a scanner for one scan that may fail."""

import hashlib
from itertools import cycle

from service.core.errors import ScannerUnavailable
from service.core.outcome import Clean, Engine, Outcome
from service.stages.receive import CHUNK, Intake

LIMIT = 1 << 40


class Body:
    """A request's body that arrives in pieces of ``sizes`` bytes, over and over, and then ends for good."""

    def __init__(self, data: bytes, sizes: list[int] | None = None) -> None:
        """Give ``data``; without ``sizes`` as much as is asked for."""
        self._left = data
        self._sizes = cycle(sizes or [len(data) or 1])
        self.asked: list[int] = []

    def read(self, size: int, /) -> bytes:
        """Return the next piece."""
        assert size > 0
        self.asked.append(size)
        step = min(size, next(self._sizes))
        piece, self._left = self._left[:step], self._left[step:]
        return piece


class Zeros:
    """A body of zero bytes that is never held as a whole."""

    def __init__(self, size: int) -> None:
        """Give ``size`` zero bytes."""
        self._left = size
        self._block = bytes(CHUNK)

    def read(self, size: int, /) -> bytes:
        """Return the next zeros."""
        step = min(size, self._left, CHUNK)
        self._left -= step
        return self._block[:step]


class Stream:
    """A scan that writes down what it is told, and breaks where it is told to."""

    def __init__(self, broken_at: str) -> None:
        """Raise ``ScannerUnavailable`` in the call named ``broken_at``."""
        self._broken_at = broken_at
        self.fed: list[bytes] = []
        self.calls: list[str] = []

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name == self._broken_at:
            raise ScannerUnavailable("away")

    def feed(self, chunk: bytes) -> None:
        """Keep a chunk."""
        self._call("feed")
        self.fed.append(chunk)

    def finish(self) -> None:
        """Note the end."""
        self._call("finish")

    def outcome(self, timeout: float | None = None) -> Outcome | None:
        """Tell clean, once finished."""
        self.calls.append(f"outcome {timeout}")
        return Clean() if "finish" in self.calls else None

    def close(self) -> None:
        """Note the closing."""
        self.calls.append("close")


class OneScan:
    """A scanner for one scan."""

    def __init__(self, broken_at: str = "") -> None:
        """Break in ``open`` or in the stream's call of that name."""
        self._broken_at = broken_at
        self.stream = Stream(broken_at)

    def open(self) -> Stream:
        """Begin the scan."""
        if self._broken_at == "open":
            raise ScannerUnavailable("away")
        return self.stream

    def engine(self) -> Engine:
        """Say who scans: nobody asks here."""
        raise AssertionError("receive does not ask for the engine")


def drained(taken: Intake, step: int = CHUNK) -> bytes:
    """Read all of an intake, ``step`` bytes at a time."""
    pieces = []
    while piece := taken.read(step):
        assert len(piece) <= min(step, CHUNK)
        pieces.append(piece)
    return b"".join(pieces)


def content(size: int) -> bytes:
    """Return ``size`` bytes of which no two stretches are the same."""
    return hashlib.shake_128(str(size).encode()).digest(size)


def sha256(data: bytes) -> str:
    """Return a digest in hex."""
    return hashlib.sha256(data).hexdigest()
