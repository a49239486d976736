"""The ledger's database: SQLite (WAL) or PostgreSQL, opened and asked the same way by all who use it.

Writers on SQLite begin IMMEDIATE, so a lost race is a clean wait and never a deadlock.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine, Executable, RowMapping, create_engine, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from service.core.errors import Conflict, LedgerUnavailable

#: Seconds.
BUSY_WAIT: Final = 15.0


def open_engine(url: str) -> Engine:
    """Return an engine for ``url``. Opens no connection yet."""
    if not url.startswith("sqlite"):
        return create_engine(
            url,
            pool_size=10,
            max_overflow=10,
            pool_timeout=BUSY_WAIT,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    engine = create_engine(
        url, connect_args={"timeout": BUSY_WAIT}, pool_size=10, max_overflow=10, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def settle(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        # What is deleted or overwritten is gone from the file, and not only from the tables.
        connection.execute("PRAGMA secure_delete=ON")

    return engine


class Database:
    """Connections to the database. Errors come out as ``LedgerUnavailable`` and ``Conflict``."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``. Opens no connection yet."""
        self.engine = engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection to read with."""
        with translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Lend a connection within one transaction, which is committed at the end of the block."""
        with translated(), self.engine.begin() as connection:
            yield connection

    def read(self, query: Executable) -> Sequence[RowMapping]:
        """Return all rows of ``query``."""
        with self.reading() as connection:
            return connection.execute(query).mappings().all()


def serialize(connection: Connection, name: str) -> None:
    """Let one transaction at a time have ``name``. SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})


@contextmanager
def translated() -> Iterator[None]:
    """Turn the errors of databases into the core's."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict("Another process wrote the same first.") from error
    except (DBAPIError, PoolTimeoutError) as error:
        raise LedgerUnavailable("The ledger's database does not answer.") from error
