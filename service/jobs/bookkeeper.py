"""The bookkeeper: gives the log's lines their places, apart from the work on files.

A file that hangs in the scanner must not keep its predecessors' lines out of the tree, nor the other way.
"""

from service.jobs.rounds import Rounds, Step
from service.stages.log.place import place
from service.stages.parts import Parts


class Bookkeeper(Rounds):
    """Keeps the log in order."""

    def __init__(self, parts: Parts) -> None:
        """Keep the log of ``parts``."""
        self._parts = parts
        super().__init__("bookkeeper", [Step("place", self._place)], parts.clock, parts.log)

    def _place(self) -> None:
        while place(self._parts) and not self.stopping:
            pass
