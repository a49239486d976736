"""The retainer: a thread of the worker that erases what has stayed for as long as was promised."""

from datetime import timedelta
from typing import Final

from service.jobs.rounds import SELDOM, Rounds, Step
from service.stages.parts import Parts
from service.stages.retention import work

#: Seconds before the ledger that was away is asked again.
_PAUSE: Final = 10.0
#: Seconds that a worker which is told to stop waits for the batch that is under way.
_PATIENCE: Final = 5.0
#: Seconds from one look at all uploads to the next. Promises are in days.
_EVERY: Final = timedelta(hours=1).total_seconds()


class Retainer(Rounds):
    """Goes through all uploads every hour, one batch in a round."""

    def __init__(self, parts: Parts) -> None:
        """Work with ``parts``."""
        steps = [Step("retention", self._go_on, _PAUSE)]
        super().__init__("retainer", steps, parts.clock, parts.log, SELDOM)
        self._parts = parts
        self._after = ""
        self._due = 0.0

    def stop(self, patience: float | None = _PATIENCE) -> None:
        """End; what was not erased yet is found by the next worker."""
        super().stop(patience)

    def _go_on(self) -> None:
        now = self._parts.clock.monotonic()
        if now < self._due:
            return
        following = work(self._parts, self._after)
        self._after = following or ""
        if following is None:
            self._due = now + _EVERY
