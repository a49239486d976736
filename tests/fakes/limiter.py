"""A rate limiter in memory that goes by a clock of the tests'."""

import threading
from datetime import datetime, timedelta

from service.ports import Allowance, Clock


class FakeLimiter:
    """``ports.RateLimiter``."""

    def __init__(self, clock: Clock, limit: int, window: int) -> None:
        self._clock = clock
        self._limit = limit
        self._window = window
        self._hits: dict[tuple[str, str], list[datetime]] = {}
        self._lock = threading.Lock()

    def hit(self, account_id: str, name: str) -> Allowance:
        """Count one more."""
        with self._lock:
            now = self._clock.now()
            window = timedelta(seconds=self._window)
            hits = [at for at in self._hits.get((account_id, name), []) if at > now - window]
            granted = len(hits) < self._limit
            if granted:
                hits.append(now)
            self._hits[account_id, name] = hits
            reset = (hits[0] + window - now).total_seconds()
            return Allowance(granted, self._limit, self._window, self._limit - len(hits), reset)

    def purge(self) -> None:
        """Forget nothing: what is old is passed over."""
