"""How many of a process's threads slow clients may hold: the rest stays free for quick questions."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from service.core.errors import Overloaded


class Slots:
    """Places for uploads, for waiting for a verdict and for downloads."""

    def __init__(self, *, uploads: int, waits: int, downloads: int) -> None:
        """Give each its number of places. An upload needs up to 30 MiB of memory while it arrives."""
        self._uploads = threading.BoundedSemaphore(uploads)
        self._waits = threading.BoundedSemaphore(waits)
        self._downloads = threading.BoundedSemaphore(downloads)

    @contextmanager
    def upload(self) -> Iterator[None]:
        """Hold a place while a file is taken in. Raises ``Overloaded`` if there is none."""
        with _place(self._uploads, "uploads"):
            yield

    @contextmanager
    def download(self) -> Iterator[None]:
        """Hold a place while a content is given out. Raises ``Overloaded`` if there is none."""
        with _place(self._downloads, "downloads"):
            yield

    @contextmanager
    def wait(self) -> Iterator[bool]:
        """Hold a place while somebody waits for a verdict; false if there is none, and no wait then."""
        free = self._waits.acquire(blocking=False)
        try:
            yield free
        finally:
            if free:
                self._waits.release()


@contextmanager
def _place(places: threading.BoundedSemaphore, what: str) -> Iterator[None]:
    if not places.acquire(blocking=False):
        raise Overloaded(f"Too many {what} are under way. Try again in a few seconds.")
    try:
        yield
    finally:
        places.release()
