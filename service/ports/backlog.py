"""How much work lies about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.core.upload import State


@dataclass(frozen=True, slots=True)
class Standing:
    """How many uploads are in ``state``, and since when the one that came there first is."""

    state: State
    uploads: int
    since: datetime


class Backlog(Protocol):
    """Looks at what waits, in all processes together. Safe for many threads."""

    def waiting(self, states: Sequence[State]) -> Sequence[Standing]:
        """Return what waits in each of ``states`` in which anything does. Raises ``LedgerUnavailable``.

        Costs as much as there is waiting, not as much as the ledger holds.
        """
