"""How many of a process's threads slow clients may hold: the rest stays free for quick questions."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from service.core.errors import Overloaded


class Slots:
    """Places for uploads, for waiting for a verdict and for downloads.

    One account has at most half of the places for uploads, and of those for downloads: however slowly it
    sends, the others are served.
    """

    def __init__(self, *, uploads: int, waits: int, downloads: int) -> None:
        """Give each its number of places. An upload needs up to 30 MiB of memory while it arrives."""
        self._uploads = _Places("uploads", uploads)
        self._waits = threading.BoundedSemaphore(waits)
        self._downloads = _Places("downloads", downloads)

    def upload(self, account_id: str) -> AbstractContextManager[None]:
        """Hold a place while a file is taken in. Raises ``Overloaded`` if there is none for the account."""
        return self._uploads.hold(account_id)

    def download(self, account_id: str) -> AbstractContextManager[None]:
        """Hold a place while a content is given out. Raises ``Overloaded`` likewise."""
        return self._downloads.hold(account_id)

    @contextmanager
    def wait(self) -> Iterator[bool]:
        """Hold a place while somebody waits; false if there is none, and no wait then."""
        free = self._waits.acquire(blocking=False)
        try:
            yield free
        finally:
            if free:
                self._waits.release()


class _Places:
    def __init__(self, what: str, most: int) -> None:
        self._what = what
        self._most = most
        self._most_each = max(1, most // 2)
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, account_id: str) -> Iterator[None]:
        self._take(account_id)
        try:
            yield
        finally:
            with self._lock:
                self._held[account_id] -= 1
                # Accounts come and go; only those that hold something are kept.
                self._held += Counter()

    def _take(self, account_id: str) -> None:
        with self._lock:
            if self._held.total() >= self._most:
                raise Overloaded(f"Too many {self._what} are under way. Try again in a few seconds.")
            if self._held[account_id] >= self._most_each:
                raise Overloaded(
                    f"Your account has {self._most_each} {self._what} under way, as many as one account may. "
                    "Try again when one of them has ended."
                )
            self._held[account_id] += 1
