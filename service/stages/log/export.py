"""Export: the whole log as it was hashed, and every checkpoint over it, for whoever checks it elsewhere."""

from collections.abc import Iterator
from typing import Final

from service.core.journal import SignedCheckpoint
from service.stages.parts import Parts

_BATCH: Final = 1000


def lines(parts: Parts, first: int = 0) -> Iterator[str]:
    """Return the texts of all lines from position ``first`` on, in order. Raises ``LedgerUnavailable``."""
    while batch := parts.journal.lines(first, _BATCH):
        yield from (line.text for line in batch)
        first = batch[-1].position + 1


def checkpoints(parts: Parts, size: int = 0) -> Iterator[SignedCheckpoint]:
    """Return all checkpoints over more than ``size`` lines, smallest first. Raises ``LedgerUnavailable``."""
    while batch := parts.checkpoints.after(size, _BATCH):
        yield from batch
        size = batch[-1].size
