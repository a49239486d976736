"""``ports.Backlog`` on the ledger's tables."""

from collections.abc import Sequence

from sqlalchemy import Engine, func, select

from service.adapters.database import Database
from service.adapters.schema import uploads
from service.core.upload import State
from service.ports import Standing


class SqlBacklog:
    """Counts what waits, by the index of states."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``."""
        self._database = Database(engine)

    def waiting(self, states: Sequence[State]) -> Sequence[Standing]:
        """Return what waits (see ``ports.Backlog``)."""
        query = (
            select(
                uploads.c.state, func.count().label("uploads"), func.min(uploads.c.updated_at).label("since")
            )
            .where(uploads.c.state.in_([state.value for state in states]))
            .group_by(uploads.c.state)
        )
        return [
            Standing(State(row["state"]), row["uploads"], row["since"]) for row in self._database.read(query)
        ]
