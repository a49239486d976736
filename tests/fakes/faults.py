"""Faults on purpose: every fake passes each of its operations through one ``Faults``.

A fault strikes one occurrence of one operation, either before its effect is durable or after it, when only
the answer is lost. ``Crash`` is kill -9: from then on nothing answers until ``revive``, so that no
``finally`` of the killed code can do what a killed process could not.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum


class Moment(StrEnum):
    """When a fault strikes."""

    BEFORE = "before persisting"
    AFTER = "persisted, answer lost"


class Crash(BaseException):
    """The process was killed here."""


class Faults:
    """What goes wrong, and a record of every operation: (name, how often so far)."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []
        self._counts: Counter[str] = Counter()
        self._armed: dict[tuple[str, int, Moment], Callable[[], None]] = {}
        self._away: dict[str, Exception] = {}
        self._dead = False
        self._lock = threading.Lock()

    def arm(self, operation: str, occurrence: int, moment: Moment, action: Callable[[], None]) -> None:
        """Run ``action`` once, at that occurrence from now on (1 is the next). It may raise."""
        self._armed[operation, self._counts[operation] + occurrence, moment] = action

    def fail(self, operation: str, occurrence: int, moment: Moment, error: Exception) -> None:
        """Raise ``error`` once, at that occurrence from now on (1 is the next)."""
        self.arm(operation, occurrence, moment, lambda: _throw(error))

    def kill(self, operation: str, occurrence: int, moment: Moment) -> None:
        """End the process at that occurrence from now on (1 is the next)."""
        self.arm(operation, occurrence, moment, self._die)

    def take_away(self, part: str, error: Exception) -> None:
        """Raise ``error`` from every operation whose name begins with ``part``, until ``give_back``."""
        self._away[part] = error

    def give_back(self, part: str) -> None:
        """End what ``take_away`` began."""
        del self._away[part]

    def revive(self) -> None:
        """Let another process go on after a crash."""
        self._dead = False

    def armed(self) -> bool:
        """Tell whether a fault still waits for its occurrence."""
        return bool(self._armed)

    def count(self, operation: str) -> int:
        """Return how often ``operation`` was begun while its part was there."""
        return self._counts[operation]

    @contextmanager
    def at(self, operation: str) -> Iterator[None]:
        """Enclose what ``operation`` makes durable."""
        self._check_alive()
        for part, error in self._away.items():
            if operation.startswith(part):
                raise error
        with self._lock:
            self._counts[operation] += 1
            number = self._counts[operation]
            self.calls.append((operation, number))
        self._strike(operation, number, Moment.BEFORE)
        yield
        self._strike(operation, number, Moment.AFTER)

    def _strike(self, operation: str, number: int, moment: Moment) -> None:
        action = self._armed.pop((operation, number, moment), None)
        if action is not None:
            action()
        self._check_alive()

    def _die(self) -> None:
        self._dead = True

    def _check_alive(self) -> None:
        if self._dead:
            raise Crash


def _throw(error: Exception) -> None:
    raise error
