"""Rounds: a thread of the worker that does the same small steps over and over."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from service.core.errors import PartUnavailable
from service.ports import Clock, EventLog

#: Seconds between rounds of what others wait for.
_OFTEN: Final = 0.5
#: Seconds between rounds of what has time: each asks the database whether there is anything to do.
SELDOM: Final = 2.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a round: ``do`` does what is due and returns. It may be ended at any place and is begun
    anew; after a failure not before ``pause`` seconds have gone by.
    """

    name: str
    do: Callable[[], None]
    pause: float = 0.0


class Rounds:
    """Works from ``start`` to ``stop``."""

    def __init__(
        self, name: str, steps: Sequence[Step], clock: Clock, log: EventLog, every: float = _OFTEN
    ) -> None:
        """Do ``steps`` in their order, in a thread of that ``name``, with ``every`` seconds in between."""
        self._steps = steps
        self._clock = clock
        self._log = log
        self._pause = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._troubles: dict[str, str] = {}
        self._not_before: dict[str, float] = {}

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, patience: float | None = None) -> None:
        """End after the step that is under way; wait for that, at most ``patience`` seconds."""
        self._stop.set()
        self._thread.join(patience)

    @property
    def stopping(self) -> bool:
        """Whether a step that takes long should end."""
        return self._stop.is_set()

    def round(self) -> None:
        """Do each step once. What fails is logged, once for each outage, and done in a later round."""
        for step in self._steps:
            if self._clock.monotonic() < self._not_before.get(step.name, 0.0):
                continue
            try:
                step.do()
            except Exception as error:  # noqa: BLE001 - a step that failed must not end the others
                self._tell(step, error)
            else:
                self._troubles.pop(step.name, None)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.round()
            self._stop.wait(self._pause)

    def _tell(self, step: Step, error: Exception) -> None:
        code = error.code if isinstance(error, PartUnavailable) else repr(error)
        if self._troubles.get(step.name) != code:
            self._log.failure("bookkeeping_failed", error, {"step": step.name})
        self._troubles[step.name] = code
        self._not_before[step.name] = self._clock.monotonic() + step.pause
