"""A clock whose hands move only when told."""

import threading
from datetime import UTC, datetime, timedelta


class FakeClock:
    """``ports.Clock``: ``sleep`` and ``advance`` move it, ``jump`` sets the time of day alone."""

    def __init__(self, start: datetime = datetime(2026, 11, 22, 9, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 1000.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the time of day in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        """Move both hands by ``seconds``."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move both hands by ``seconds``, never backwards."""
        with self._lock:
            self._now += timedelta(seconds=max(0.0, seconds))
            self._monotonic += max(0.0, seconds)

    def jump(self, by: timedelta) -> None:
        """Set the time of day, as an operator or NTP would."""
        self._now += by
