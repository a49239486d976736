"""Rounds: a thread of the worker that does its steps again and again, whatever becomes of one of them."""

import threading
from collections.abc import Callable, Sequence

from service.core.errors import PartUnavailable
from service.ports import EventLog

#: One step of a round: does what is due and returns. It may be ended at any place and is begun anew.
Step = Callable[[], None]


class Rounds:
    """Does ``steps`` in their order from ``start`` to ``stop``, resting for ``seconds`` after each round."""

    def __init__(self, name: str, seconds: float, steps: Sequence[Step], log: EventLog) -> None:
        """Tell ``log`` of steps that fail, as what ``name`` does."""
        self._seconds = seconds
        self._steps = steps
        self._log = log
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._troubles: dict[Step, str] = {}

    @property
    def stopping(self) -> bool:
        """Whether a step with more to do shall leave it."""
        return self._stop.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, patience: float | None = None) -> None:
        """End after the step that is under way; wait for that, at most ``patience`` seconds."""
        self._stop.set()
        self._thread.join(patience)

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
            self._stop.wait(self._seconds)

    def _tell(self, step: Step, error: Exception) -> None:
        code = error.code if isinstance(error, PartUnavailable) else repr(error)
        if self._troubles.get(step) != code:
            self._log.failure("bookkeeping_failed", error, {"step": step.__name__.lstrip("_")})
        self._troubles[step] = code
