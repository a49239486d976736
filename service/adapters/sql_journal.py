"""``ports.Journal`` on SQLAlchemy."""

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, insert

from service.adapters.database import Database
from service.adapters.rows import entry_to_row
from service.adapters.schema import log
from service.core.journal import Entry


class SqlJournal:
    """The log in the ledger's database."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``."""
        self._database = Database(engine)

    def append(self, entries: Sequence[Entry]) -> None:
        """Write lines in one transaction."""
        with self._database.writing() as connection:
            write(connection, entries)


def write(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write lines within the caller's transaction."""
    if entries:
        connection.execute(insert(log), [entry_to_row(entry) for entry in entries])
