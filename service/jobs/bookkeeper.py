"""The bookkeeper: a thread of the worker that keeps the log in order, apart from the work on files.

A file that hangs in the scanner must not keep its predecessors' lines out of the tree, nor the other way.
"""

from typing import Final

from service.jobs.rounds import Rounds
from service.stages.log.checkpoint import sign_when_due
from service.stages.log.place import place
from service.stages.parts import Parts

_ROUND: Final = 0.5


class Bookkeeper(Rounds):
    """Works every half second."""

    def __init__(self, parts: Parts) -> None:
        """Keep the log of ``parts``."""
        super().__init__("bookkeeper", _ROUND, (self._place, self._checkpoint), parts.log)
        self._parts = parts

    def _place(self) -> None:
        while place(self._parts) and not self.stopping:
            pass

    def _checkpoint(self) -> None:
        sign_when_due(self._parts)
