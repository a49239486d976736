"""``ports.RateLimiter`` in the ledger's database: one count for all processes and machines."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, func, insert, select, text

from service.adapters.database import Database, serialize
from service.adapters.schema_answers import creations
from service.ports import Allowance, Clock


class SqlLimiter:
    """A row for each creation that still counts, in a database that ``migrate`` prepared."""

    def __init__(self, engine: Engine, clock: Clock, limit: int, window: int) -> None:
        """Grant ``limit`` creations in any ``window`` seconds by ``clock``. Opens no connection yet."""
        self._database = Database(engine)
        self._clock = clock
        self._limit = limit
        self._window = window

    def hit(self, account_id: str, name: str) -> Allowance:
        """Count one more."""
        now = self._clock.now()
        mine = (creations.c.account_id == account_id, creations.c.name == name)
        with self._database.writing() as connection:
            if connection.dialect.name == "postgresql":
                # What a power cut may take is a count that nobody needs a minute later.
                connection.execute(text("SET LOCAL synchronous_commit TO off"))
            serialize(connection, f"creations {account_id} {name}")
            connection.execute(delete(creations).where(*mine, creations.c.at <= self._start(now)))
            counted, oldest = connection.execute(
                select(func.count(), func.min(creations.c.at)).where(*mine)
            ).one()
            granted = counted < self._limit
            if granted:
                connection.execute(insert(creations), {"account_id": account_id, "name": name, "at": now})
        remaining = max(0, self._limit - counted - granted)
        reset = (oldest or now) + timedelta(seconds=self._window) - now
        return Allowance(granted, self._limit, self._window, remaining, reset.total_seconds())

    def purge(self) -> None:
        """Forget what counts no more."""
        with self._database.writing() as connection:
            connection.execute(delete(creations).where(creations.c.at <= self._start(self._clock.now())))

    def _start(self, now: datetime) -> datetime:
        return now - timedelta(seconds=self._window)
