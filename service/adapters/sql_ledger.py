"""``ports.Ledger`` on SQLAlchemy, for SQLite (WAL) and PostgreSQL.

Writers on SQLite begin IMMEDIATE, so a lost race is a clean wait and never a deadlock; a crash at any
place leaves either the whole save or nothing of it.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import (
    Connection,
    Engine,
    Executable,
    RowMapping,
    create_engine,
    event,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from service.adapters import rows
from service.adapters.schema import accounts, api_keys, log, segments, uploads
from service.core.errors import BadRequest, Conflict, LedgerUnavailable
from service.core.upload import Leftover, LogLine, Segment, State, Upload
from service.ports import ApiKey

_BUSY_WAIT: Final = 15.0

#: Queues a job for one upload within the caller's transaction.
Enqueue = Callable[[Connection, Upload], None]


def open_engine(url: str) -> Engine:
    """Return an engine for ``url``. Opens no connection yet."""
    if not url.startswith("sqlite"):
        return create_engine(
            url,
            pool_size=10,
            max_overflow=10,
            pool_timeout=_BUSY_WAIT,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    engine = create_engine(
        url, connect_args={"timeout": _BUSY_WAIT}, pool_size=10, max_overflow=10, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def settle(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


class SqlLedger:
    """The ledger in a database that ``python -m service migrate`` prepared."""

    def __init__(self, engine: Engine, enqueue: Enqueue) -> None:
        """Use ``engine``; ``enqueue`` puts a job for an upload into the same transaction."""
        self._engine = engine
        self._enqueue = enqueue

    def save(self, upload: Upload, *, wake: bool = False) -> Upload:
        """Save in one transaction (see ``ports.Ledger``)."""
        saved = _saved(upload)
        with self._writing() as connection:
            if upload.version == 0:
                self._insert(connection, saved)
            else:
                self._update(connection, saved, upload.version)
            if upload.unsaved:
                lines = [rows.line_to_row(saved, line) for line in upload.unsaved]
                connection.execute(insert(log), lines)
            if wake:
                self._enqueue(connection, saved)
        return saved

    def _insert(self, connection: Connection, upload: Upload) -> None:
        connection.execute(insert(uploads), rows.upload_to_row(upload))
        self._add_segments(connection, upload, 0)

    def _update(self, connection: Connection, upload: Upload, version: int) -> None:
        done = connection.execute(
            update(uploads)
            .where(uploads.c.id == upload.id, uploads.c.version == version)
            .values(rows.upload_to_row(upload))
        )
        if done.rowcount != 1:
            raise Conflict("The upload was changed by another process.")
        known = connection.scalar(select(func.count()).where(segments.c.upload_id == upload.id)) or 0
        self._add_segments(connection, upload, known)

    def _add_segments(self, connection: Connection, upload: Upload, known: int) -> None:
        fresh = [rows.segment_to_row(upload, segment) for segment in upload.segments[known:]]
        if fresh:
            connection.execute(insert(segments), fresh)

    def renew(self, upload: Upload, lease_until: datetime) -> None:
        """Prolong the lease."""
        with self._writing() as connection:
            done = connection.execute(
                update(uploads)
                .where(uploads.c.id == upload.id, uploads.c.version == upload.version)
                .values(lease_until=lease_until)
            )
            if done.rowcount != 1:
                raise Conflict("The upload was changed by another process.")

    def find(self, upload_id: str) -> Upload | None:
        """Return one upload."""
        found = self._uploads(select(uploads).where(uploads.c.id == upload_id))
        return found[0] if found else None

    def history(self, upload_id: str) -> Sequence[LogLine]:
        """Return the log lines of one upload."""
        found = self._read(select(log).where(log.c.upload_id == upload_id).order_by(log.c.id))
        return [rows.row_to_line(row) for row in found]

    def page(self, account_id: str, meeting_id: str, before: str | None, limit: int) -> Sequence[Upload]:
        """Return a page of one meeting's uploads."""
        query = select(uploads).where(uploads.c.account_id == account_id, uploads.c.meeting_id == meeting_id)
        if before is not None:
            query = query.where(uploads.c.id < before)
        return self._uploads(query.order_by(uploads.c.id.desc()).limit(limit))

    def unattended(self, now: datetime, states: Sequence[State], limit: int) -> Sequence[Upload]:
        """Return uploads that nobody is at work on."""
        return self._uploads(
            select(uploads)
            .where(uploads.c.state.in_([state.value for state in states]))
            .where(or_(uploads.c.lease_until.is_(None), uploads.c.lease_until <= now))
            .where(or_(uploads.c.due_at.is_(None), uploads.c.due_at <= now))
            .order_by(uploads.c.id)
            .limit(limit)
        )

    def with_leftovers(self, now: datetime, limit: int) -> Sequence[Upload]:
        """Return uploads with objects to delete."""
        return self._uploads(
            select(uploads)
            .where(uploads.c.leftover != Leftover.NOTHING.value)
            .where(or_(uploads.c.due_at.is_(None), uploads.c.due_at <= now))
            .order_by(uploads.c.id)
            .limit(limit)
        )

    def swept(self, uploads_: Sequence[Upload]) -> None:
        """Note what was deleted."""
        with self._writing() as connection:
            for upload in uploads_:
                connection.execute(
                    update(uploads)
                    .where(uploads.c.id == upload.id, uploads.c.version == upload.version)
                    .values(leftover=Leftover.NOTHING.value)
                )

    def add_key(self, key: ApiKey, live_at: datetime, most_live: int) -> None:
        """Add a key within the limit of live ones."""
        with self._writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(hashtext(:account))"), {"account": key.account_id}
                )
            known = update(accounts).where(accounts.c.id == key.account_id).values(id=key.account_id)
            if connection.execute(known).rowcount == 0:
                connection.execute(insert(accounts), {"id": key.account_id, "created_at": key.created_at})
            live = select(func.count()).where(
                api_keys.c.account_id == key.account_id,
                api_keys.c.revoked_at.is_(None),
                or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > live_at),
            )
            if (connection.scalar(live) or 0) >= most_live:
                raise BadRequest(f"The account has {most_live} live keys already. Revoke one first.")
            connection.execute(insert(api_keys), rows.key_to_row(key))

    def key(self, prefix: str) -> ApiKey | None:
        """Return a key by its prefix."""
        found = self._read(select(api_keys).where(api_keys.c.prefix == prefix))
        return rows.row_to_key(found[0]) if found else None

    def keys(self, account_id: str | None = None) -> Sequence[ApiKey]:
        """Return keys, oldest first."""
        query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.prefix)
        if account_id is not None:
            query = query.where(api_keys.c.account_id == account_id)
        return [rows.row_to_key(row) for row in self._read(query)]

    def revoke_key(self, prefix: str, at: datetime) -> bool:
        """Revoke a live key."""
        live = update(api_keys).where(api_keys.c.prefix == prefix, api_keys.c.revoked_at.is_(None))
        with self._writing() as connection:
            return connection.execute(live.values(revoked_at=at)).rowcount == 1

    def ping(self) -> None:
        """Raise ``LedgerUnavailable`` unless the tables can be read."""
        self._read(select(uploads.c.version).limit(1))

    def _uploads(self, query: Executable) -> list[Upload]:
        with self._reading() as connection:
            found = connection.execute(query).mappings().all()
            of_uploads: dict[str, list[Segment]] = {row["id"]: [] for row in found}
            if found:
                stored = select(segments).where(segments.c.upload_id.in_(list(of_uploads)))
                for row in connection.execute(stored.order_by(segments.c.number)).mappings():
                    of_uploads[row["upload_id"]].append(rows.row_to_segment(row))
        return [rows.row_to_upload(row, of_uploads[row["id"]]) for row in found]

    def _read(self, query: Executable) -> Sequence[RowMapping]:
        with self._reading() as connection:
            return connection.execute(query).mappings().all()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _translated(), self._engine.begin() as connection:
            yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Conflict("Another process wrote the same first.") from error
    except (DBAPIError, PoolTimeoutError) as error:
        raise LedgerUnavailable("The ledger's database does not answer.") from error


def _saved(upload: Upload) -> Upload:
    return replace(upload, version=upload.version + 1, unsaved=())
