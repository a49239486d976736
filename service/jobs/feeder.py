"""The feeder: a thread of the worker that tells the log to the security team's systems.

It is not the bookkeeper's, because what it waits for is others': a system that is away or slow must not keep
lines out of the tree.
"""

import secrets
from typing import Final

from service.jobs.rounds import Rounds
from service.stages.feed import feed
from service.stages.parts import Parts

_ROUND: Final = 1.0
#: Seconds that a worker which is told to stop waits for lines that are just being handed over.
_PATIENCE: Final = 5.0


class Feeder(Rounds):
    """Works every second."""

    def __init__(self, parts: Parts) -> None:
        """Tell the log of ``parts``."""
        super().__init__("feeder", _ROUND, (self._feed,), parts.log)
        self._parts = parts
        self._holder = secrets.token_hex(16)

    def stop(self, patience: float | None = _PATIENCE) -> None:
        """End; what was not handed over by then is handed over again by the next worker."""
        super().stop(patience)

    def _feed(self) -> None:
        while feed(self._parts, self._holder) and not self.stopping:
            pass
