"""The exporter: a thread of the worker that builds exports, one at a time, and sees that they go again."""

from typing import Final

from service.jobs.rounds import SELDOM, Rounds, Step
from service.stages.exporting.build import Stopping, build_next
from service.stages.exporting.keep import tidy
from service.stages.parts import Parts

#: Seconds before an export that could not be built, or what could not be deleted, is tried again.
_PAUSE: Final = 10.0
#: Seconds that a worker which is told to stop waits for the export that is being built to let go.
_PATIENCE: Final = 5.0


class Exporter(Rounds):
    """Builds what is asked for."""

    def __init__(self, parts: Parts) -> None:
        """Work with ``parts``."""
        steps = [Step("tidy_exports", self._tidy, _PAUSE), Step("build_exports", self._build, _PAUSE)]
        super().__init__("exporter", steps, parts.clock, parts.log, SELDOM)
        self._parts = parts
        self._tidy_due = 0.0

    def stop(self, patience: float | None = _PATIENCE) -> None:
        """End; an export that is being built is begun anew by the next worker."""
        super().stop(patience)

    def _tidy(self) -> None:
        now = self._parts.clock.monotonic()
        if now >= self._tidy_due:
            tidy(self._parts)
            self._tidy_due = now + _PAUSE

    def _build(self) -> None:
        try:
            while not self.stopping and build_next(self._parts, lambda: self.stopping):
                pass
        except Stopping:
            return
