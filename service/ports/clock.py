"""Time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, as an argument."""

    def now(self) -> datetime:
        """Return the time of day in UTC. May jump."""

    def monotonic(self) -> float:
        """Return seconds since some moment. Never runs backwards."""

    def sleep(self, seconds: float) -> None:
        """Wait. A test's clock only moves its hands."""
