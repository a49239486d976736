"""The bookkeeper: a thread of the worker that keeps the log in order, apart from the work on files.

A file that hangs in the scanner must not keep its predecessors' lines out of the tree, nor the other way.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from service.core.errors import PartUnavailable
from service.stages.log.checkpoint import sign_when_due
from service.stages.log.place import place
from service.stages.parts import Parts

_ROUND: Final = 0.5

#: One step of a round: does what is due and returns. It may be ended at any place and is begun anew.
Step = Callable[[], None]


class Bookkeeper:
    """Works from ``start`` to ``stop``, every half second."""

    def __init__(self, parts: Parts) -> None:
        """Keep the log of ``parts``."""
        self._parts = parts
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bookkeeper", daemon=True)
        self._steps: Sequence[Step] = (self._place, self._checkpoint)
        self._troubles: dict[Step, str] = {}

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step that is under way."""
        self._stop.set()
        self._thread.join()

    def round(self) -> None:
        """Do each step once. What fails is logged, once for each outage, and done in a later round."""
        for step in self._steps:
            try:
                step()
            except Exception as error:  # noqa: BLE001 - a step that failed must not end the others
                self._tell(step, error)
            else:
                self._troubles.pop(step, None)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.round()
            self._stop.wait(_ROUND)

    def _place(self) -> None:
        while place(self._parts) and not self._stop.is_set():
            pass

    def _checkpoint(self) -> None:
        sign_when_due(self._parts)

    def _tell(self, step: Step, error: Exception) -> None:
        code = error.code if isinstance(error, PartUnavailable) else repr(error)
        if self._troubles.get(step) != code:
            self._parts.log.failure("bookkeeping_failed", error, {"step": step.__name__.lstrip("_")})
        self._troubles[step] = code
