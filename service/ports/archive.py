"""The uploads of all accounts, to search and to count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.core.search import Cursor, Filters, Record
from service.core.upload import State
from service.core.verdict import Kind


@dataclass(frozen=True, slots=True)
class Standing:
    """The uploads in one state: how many, since when the service owes one of them a step, and since when the
    one that was moved last the longest ago is as it is.
    """

    number: int
    waiting_since: datetime
    moved_at: datetime


class Archive(Protocol):
    """What is known of uploads, whoever owns them, for those who watch over all. It changes nothing.

    An answer is the truth of one moment during the call. Memory is that of what is returned. Safe for many
    threads and processes at once. All raise ``LedgerUnavailable``.
    """

    def page(self, filters: Filters, cursor: Cursor | None, limit: int) -> Sequence[Record]:
        """Return at most ``limit`` uploads that ``filters`` let through, newest first: the newest of all
        without a cursor, else those nearest to the cursor's id on its side, which may be no upload's.
        """

    def activity(self, edges: Sequence[datetime]) -> Sequence[Mapping[Kind | None, int]]:
        """Return, for each stretch of time between two neighbouring ``edges`` (ascending, at least two; the
        first included, the second not), how many uploads begun in it have which verdict by now; ``None``
        for those without one. What is missing is none.
        """

    def standings(self, states: Sequence[State]) -> Mapping[State, Standing]:
        """Return how uploads stand in ``states``, without the states that hold none."""

    def moved_before(self, state: State, edges: Sequence[datetime]) -> Sequence[int]:
        """Return, for each of ``edges``, how many uploads in ``state`` were moved last before it."""
