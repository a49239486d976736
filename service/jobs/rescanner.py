"""The rescanner: a thread of the worker that scans released files again, at a bounded rate.

It is not the queue's, because thousands of files that were released once must not stand in the way of one
that just came in.
"""

from typing import Final

from service.jobs.rounds import Rounds, Step
from service.stages.parts import Parts
from service.stages.recall.rescan import begin_if_outdated, believed, scan_next

#: Seconds after which is looked for what was released meanwhile by others, whose signatures were older.
_LOOK_AGAIN: Final = 600.0
#: Seconds before the store or the ledger that was away is asked again.
_PAUSE: Final = 10.0
#: Seconds that a worker which is told to stop waits for a scan that is under way.
_PATIENCE: Final = 5.0


class Rescanner(Rounds):
    """Begins a rescan whenever the signatures of this worker's scanner are newer, and works on all."""

    def __init__(self, parts: Parts, rate: int) -> None:
        """Scan at most ``rate`` files in a minute with ``parts``."""
        self._parts = parts
        self._every = 60.0 / rate
        self._looked: tuple[int | None, float] | None = None
        self._next_at = 0.0
        steps = [
            Step("begin", self._begin, _PAUSE),
            Step("scan", self._scan, _PAUSE),
            Step("end", self._end, _PAUSE),
        ]
        super().__init__("rescanner", steps, parts.clock, parts.log)

    def stop(self, patience: float | None = _PATIENCE) -> None:
        """End; the file that is being scanned just now is scanned again by another."""
        super().stop(patience)

    def _begin(self) -> None:
        engine, now = believed(self._parts), self._parts.clock.monotonic()
        if engine is None:
            return
        version = engine.signature_version
        if self._looked is None or self._looked[0] != version or now - self._looked[1] >= _LOOK_AGAIN:
            begin_if_outdated(self._parts)
            self._looked = version, now

    def _scan(self) -> None:
        """Scan what may be scanned by now; of what could not be before, at most a second's worth."""
        clock = self._parts.clock
        while not self.stopping and clock.monotonic() >= self._next_at and scan_next(self._parts):
            self._next_at = max(self._next_at, clock.monotonic() - 1.0) + self._every

    def _end(self) -> None:
        self._parts.rescans.end(self._parts.clock.now())
