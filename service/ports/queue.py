"""Background work."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from service.core.upload import Upload


class Queue(Protocol):
    """Where the reconciler puts uploads that nobody is at work on. Safe for many threads."""

    def push(self, upload: Upload, now: datetime) -> None:
        """Queue a job to advance ``upload``. Pushing often is no harm."""

    def purge(self, older_than: timedelta) -> None:
        """Forget jobs that ended, or whose worker did, longer than that ago."""


class QueueWorker(Protocol):
    """What takes jobs from the queue."""

    def start(self, handle: Callable[[str], None], executor: str) -> None:
        """Begin to hand upload ids to ``handle``, several at once. ``executor`` names this process."""

    def stop(self) -> None:
        """Stop; let jobs under way end."""
