"""The log's lines."""

from collections.abc import Sequence
from typing import Protocol

from service.core.journal import Entry


class Journal(Protocol):
    """Where lines are written that are not moves of an upload; those the ledger writes with the move.

    Safe for many threads and processes at once. All raise ``LedgerUnavailable``.
    """

    def append(self, entries: Sequence[Entry]) -> None:
        """Write lines, all or none; they are durable when the call returned."""
