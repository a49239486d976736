"""The feeder: a thread of the worker that tells the log to the security team's systems.

It is not the bookkeeper's, because what it waits for is others': a system that is away or slow must not keep
lines out of the tree.
"""

import secrets
from typing import Final

from service.jobs.rounds import Rounds, Step
from service.stages.feed import feed
from service.stages.parts import Parts

#: Seconds before lines that were not taken are offered again.
_PAUSE: Final = 1.0
#: Seconds that a worker which is told to stop waits for lines that are just being handed over.
_PATIENCE: Final = 5.0


class Feeder(Rounds):
    """Tells what has a place in the log."""

    def __init__(self, parts: Parts) -> None:
        """Tell the log of ``parts``."""
        super().__init__("feeder", [Step("feed", self._feed, _PAUSE)], parts.clock, parts.log)
        self._parts = parts
        self._holder = secrets.token_hex(16)

    def stop(self, patience: float | None = _PATIENCE) -> None:
        """End; what was not handed over by then is handed over again by the next worker."""
        super().stop(patience)

    def _feed(self) -> None:
        while feed(self._parts, self._holder) and not self.stopping:
            pass
