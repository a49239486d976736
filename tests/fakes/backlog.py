"""The backlog of a ledger in memory."""

from collections.abc import Sequence

from service.core.upload import State
from service.ports import Standing
from tests.fakes.ledger import FakeLedger


class FakeBacklog:
    """``ports.Backlog`` over the rows of a fake ledger."""

    def __init__(self, ledger: FakeLedger) -> None:
        self._ledger = ledger

    def waiting(self, states: Sequence[State]) -> Sequence[Standing]:
        """Count the rows."""
        found: dict[State, Standing] = {}
        for row in self._ledger.rows():
            if row.state in states:
                before = found.get(row.state)
                since = min(before.since, row.updated_at) if before else row.updated_at
                found[row.state] = Standing(row.state, before.uploads + 1 if before else 1, since)
        return list(found.values())
