"""Receive: the one reader that everything else pulls.

As the store's put reads from it, it takes from the client, counts, digests and feeds the scanner: one
pass, no thread of ours, back pressure by nature. A body that is too short, too long or not the announced
one raises here, in the middle of the put, which is thereby abandoned.
"""

import hashlib
import io
from collections import deque
from typing import Final

from service.core.errors import DigestMismatch, ScannerUnavailable, TooLarge, Truncated
from service.core.outcome import Failed, Failure, Outcome
from service.ports import Clock, Scanner, ScanStream, Source

CHUNK: Final = 256 * 1024
SEGMENT_SIZE: Final = 64 * 1024 * 1024
WINDOW: Final = 64 * 1024
#: A segment of a resumable upload ends when it is this old (seconds) and this large (bytes), so that a line
#: that dies costs little; smaller ones wait until they are older.
_SOON: Final = 10.0
_LEAST: Final = 5 * 1024 * 1024
_LATE: Final = 30.0


class Leg:
    """The scanner's leg of the pass. It may fail at any time without harm to the upload."""

    def __init__(self, scanner: Scanner | None) -> None:
        """Begin a scan, or be lame from the start where there is no ``scanner`` or it is away."""
        self._stream: ScanStream | None = None
        if scanner is None:
            return
        try:
            self._stream = scanner.open()
        except ScannerUnavailable:
            return

    def feed(self, chunk: bytes) -> None:
        """Pass a chunk on; if the scanner does not take it, the leg is over."""
        if self._stream is not None:
            try:
                self._stream.feed(chunk)
            except ScannerUnavailable:
                self.close()

    def finish(self) -> None:
        """Tell the scanner that the bytes are complete, so that it works while the store still writes."""
        if self._stream is not None:
            try:
                self._stream.finish()
            except ScannerUnavailable:
                self.close()

    def outcome(self, timeout: float) -> Outcome | None:
        """Wait up to ``timeout`` seconds; ``None`` means not yet."""
        if self._stream is None:
            return Failed(Failure.UNREACHABLE, "the scanner did not take part in the upload")
        return self._stream.outcome(timeout)

    def close(self) -> None:
        """End the scan, whatever its state."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


class Intake:
    """A body on its way in. ``size`` counts the bytes so far; ``head`` and ``tail`` are its two ends."""

    def __init__(
        self,
        source: Source,
        *,
        head: bytes,
        announced: int | None,
        expected_sha256: str | None,
        limit: int,
        leg: Leg,
    ) -> None:
        """Read on from ``source`` after ``head``. Sizes in bytes, ``expected_sha256`` in hex."""
        self._source = source
        self._pending = head
        self._announced = announced
        self._expected = expected_sha256
        self._limit = limit
        self._leg = leg
        self._digest = hashlib.sha256()
        self._ended = False
        self.head = head[:WINDOW]
        self._last: deque[bytes] = deque()
        self._last_size = 0
        self.size = 0

    @property
    def tail(self) -> bytes:
        """The last ``WINDOW`` bytes so far."""
        return b"".join(self._last)[-WINDOW:]

    @property
    def sha256(self) -> str:
        """The digest (hex) of all bytes so far."""
        return self._digest.hexdigest()

    @property
    def remaining(self) -> int | None:
        """How many bytes are still to be read, where the sender announced it."""
        return None if self._announced is None else self._announced - self.size

    def more(self) -> bool:
        """Tell whether there is at least one more byte, reading ahead to find out."""
        if not self._pending and not self._ended:
            self._pending = self._pull(CHUNK)
        return bool(self._pending)

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most ``size`` and at most one chunk; empty at the end."""
        if not self.more():
            return b""
        chunk, self._pending = self._pending[:size], self._pending[size:]
        self.size += len(chunk)
        if self.size > self._limit:
            raise TooLarge(f"The file is larger than the {self._limit} bytes that are accepted.")
        self._digest.update(chunk)
        self._keep(chunk[-WINDOW:])
        self._leg.feed(chunk)
        if self._announced == self.size:
            self._end()
        return chunk

    def _keep(self, piece: bytes) -> None:
        """Keep the pieces that make the tail: joining them each time would copy it for every small one."""
        self._last.append(piece)
        self._last_size += len(piece)
        while self._last_size - len(self._last[0]) >= WINDOW:
            self._last_size -= len(self._last.popleft())

    def _pull(self, size: int) -> bytes:
        wanted = size if self._announced is None else min(size, self._announced - self.size)
        chunk = self._source.read(wanted) if wanted else b""
        if not chunk:
            self._end()
        return chunk

    def _end(self) -> None:
        """Decide whether what came is what was announced. A refused body stays refused."""
        if self._announced is not None and self.size < self._announced:
            raise Truncated(f"The upload ended after {self.size} of {self._announced} bytes. Send it again.")
        if self._expected is not None and self.sha256 != self._expected:
            raise DigestMismatch(
                "The file was changed on its way: its SHA-256 is not the announced one. Send it again."
            )
        self._ended = True
        self._leg.finish()


class SegmentSource:
    """The stretch of an intake that becomes one segment."""

    def __init__(self, intake: Intake, *, first: bool, clock: Clock | None = None) -> None:
        """Begin at the intake's place. The ``first`` segment's digest is the intake's own so far.

        By a ``clock`` the segment also ends when it is old enough.
        """
        self._intake = intake
        self._digest = None if first else hashlib.sha256()
        self._clock = clock
        self._begun = clock.monotonic() if clock else 0.0
        self.size = 0

    def read(self, size: int, /) -> bytes:
        """Return exactly ``size`` bytes, fewer only at the end of the segment.

        Whole parts at a time, because the store's SDK would copy a growing part for every short read.
        """
        wanted = min(size, SEGMENT_SIZE - self.size)
        part = io.BytesIO()
        while wanted and not self._old_enough() and (piece := self._intake.read(wanted)):
            if self._digest is not None:
                self._digest.update(piece)
            part.write(piece)
            wanted -= len(piece)
            self.size += len(piece)
        # Without a copy, unlike joining: the pieces are gone by now and the part is there once.
        return part.getvalue()

    def _old_enough(self) -> bool:
        if self._clock is None or not self.size:
            return False
        age = self._clock.monotonic() - self._begun
        return age >= (_SOON if self.size >= _LEAST else _LATE)

    def sha256(self) -> str:
        """Return the digest (hex) of the segment's bytes so far."""
        return self._intake.sha256 if self._digest is None else self._digest.hexdigest()


def read_head(source: Source, announced: int | None) -> bytes:
    """Return the first ``WINDOW`` bytes of a body, fewer only if it ends before that."""
    wanted = WINDOW if announced is None else min(WINDOW, announced)
    pieces = []
    while wanted and (piece := source.read(wanted)):
        pieces.append(piece)
        wanted -= len(piece)
    return b"".join(pieces)
