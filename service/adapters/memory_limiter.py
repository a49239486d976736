"""``ports.RateLimiter`` on limits, in this process's memory: every process counts for itself."""

import threading
import time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from service.ports import Allowance


class MemoryLimiter:
    """A moving window for each name."""

    def __init__(self, limit: int, window: int) -> None:
        """Grant ``limit`` creations in any ``window`` seconds."""
        self._item = RateLimitItemPerSecond(limit, window)
        self._storage = MemoryStorage()
        self._windows = MovingWindowRateLimiter(self._storage)
        # The storage makes its own locks without a lock: two threads could get one each for a new name.
        self._lock = threading.Lock()
        self._next_sweep = 0.0

    def hit(self, account_id: str, name: str) -> Allowance:
        """Count one more."""
        with self._lock:
            granted = self._windows.hit(self._item, account_id, name)
            until, remaining = self._windows.get_window_stats(self._item, account_id, name)
            # Not at every hit: it walks all names.
            if time.monotonic() >= self._next_sweep:
                self._forget_idle()
                self._next_sweep = time.monotonic() + 1.0
        reset = max(0.0, until - time.time())
        return Allowance(granted, self._item.amount, self._item.multiples, max(0, remaining), reset)

    def purge(self) -> None:
        """Forget what counts no more."""
        with self._lock:
            self._forget_idle()

    def _forget_idle(self) -> None:
        """Forget names without any hit that counts: the storage empties their lists and keeps those."""
        for name in [name for name, hits in list(self._storage.events.items()) if not hits]:
            self._storage.clear(name)
