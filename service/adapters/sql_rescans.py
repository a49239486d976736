"""``ports.Rescans`` on SQLAlchemy, beside the ledger in one database.

Every change takes its turn (``serialize``): a scan takes longer than all of them, and rows that several
rescans have of one file cannot be locked in two orders.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from service.adapters.database import Database, serialize
from service.adapters.schema import Instant, accounts, meetings, uploads
from service.adapters.schema_rescans import rescan_files, rescans
from service.adapters.sql_journal import write
from service.core.rescan import CAME_IN, STILL_ON, Rescan, Taken, Wanted, line_of
from service.core.upload import State

_WANTED: Final = ("signature_version", "account_id", "upload_id", "asked_by")
_COUNTS: Final = ("id", "begun_at", "total", "done", "recalled", "held", "ended_at", "superseded")
_FILE: Final = rescan_files.c
_OPEN: Final = rescans.c.ended_at.is_(None)
#: Behind those of meetings: the newest, then the most downloaded.
_ORDER: Final = (_FILE.came_in.desc(), _FILE.downloads.desc(), _FILE.upload_id.desc())


class SqlRescans:
    """Rescans in a database that ``python -m service migrate`` prepared."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``. Opens no connection yet."""
        self._database = Database(engine)

    def begin(self, wanted: Wanted, at: datetime) -> Rescan | None:
        """Put down the files in one statement, in the transaction that begins it."""
        with self._changing() as connection:
            if wanted.signature_version is not None:
                if connection.scalar(select(_under_way_for(wanted.signature_version))):
                    return None
                _supersede(connection, at)
            row = asdict(wanted) | {"begun_at": at, "superseded": False}
            row |= dict.fromkeys(("total", "done", "recalled", "held"), 0)
            made = connection.execute(insert(rescans).returning(rescans.c.id), row).scalar_one()
            begun = Rescan(made, wanted, at, _put_down(connection, made, wanted, at))
            this = rescans.c.id == made
            if begun.total == 0:
                connection.execute(delete(rescans).where(this))
                return None
            connection.execute(update(rescans).where(this).values(total=begun.total))
            write(connection, [line_of(begun)])
        return begun

    def take(self, signature_version: int | None, now: datetime, until: datetime) -> Taken | None:
        """Take one by compare-and-swap. Where nothing is to be scanned again, nobody is kept from writing."""
        if not self._database.read(select(_FILE.upload_id).limit(1)):
            return None
        with self._changing() as connection:
            due = and_(_FILE.due_at <= now, _doable(signature_version))
            of_meetings = _files_of_meetings(now).where(due).limit(1)
            others = select(_FILE.upload_id).where(due).order_by(*_ORDER).limit(1)
            found = connection.scalar(of_meetings) or connection.scalar(others)
            if found is None:
                return None
            mine = update(rescan_files).where(_FILE.upload_id == found)
            mine = mine.values(due_at=until, attempts=_FILE.attempts + 1)
            attempts = connection.scalars(mine.returning(_FILE.attempts)).all()
        return Taken(found, signature_version, max(attempts))

    def put_off(self, taken: Taken, until: datetime) -> None:
        """Move it back."""
        with self._changing() as connection:
            this = update(rescan_files).where(_FILE.upload_id == taken.upload_id)
            connection.execute(this.values(due_at=until))

    def finish(self, taken: Taken, *, scanned: bool = True) -> None:
        """Delete its rows and count what the upload has become, in one transaction."""
        with self._changing() as connection:
            rows = delete(rescan_files).where(_FILE.upload_id == taken.upload_id)
            gone = connection.scalars(
                rows.where(_doable(taken.signature_version)).returning(_FILE.rescan_id)
            ).all()
            if not gone:
                return
            this = uploads.c.id == taken.upload_id
            state = State(connection.scalars(select(uploads.c.state).where(this)).one())
            counted = update(rescans).where(rescans.c.id.in_(gone))
            connection.execute(
                counted.values(
                    done=rescans.c.done + 1,
                    recalled=rescans.c.recalled + int(state is State.BLOCKED),
                    held=rescans.c.held + int(state is State.HELD),
                )
            )
            if scanned and state is State.RELEASED and taken.signature_version is not None:
                connection.execute(update(uploads).where(this).values(rescanned_with=taken.signature_version))

    def end(self, at: datetime) -> Sequence[Rescan]:
        """End those without files."""
        if not self._database.read(select(rescans.c.id).where(_OPEN, ~_has_files())):
            return []
        with self._changing() as connection:
            return _ended(connection, at, ~_has_files(), superseded=False)

    def find(self, rescan_id: int) -> Rescan | None:
        """Return the one."""
        found = self._database.read(select(rescans).where(rescans.c.id == rescan_id))
        return _rescan(found[0]) if found else None

    def newest(self, limit: int) -> Sequence[Rescan]:
        """Return the newest."""
        return [
            _rescan(row)
            for row in self._database.read(select(rescans).order_by(rescans.c.id.desc()).limit(limit))
        ]

    def under_way(self) -> Sequence[Rescan]:
        """Return those that are open."""
        found = self._database.read(select(rescans).where(_OPEN).order_by(rescans.c.id))
        return [_rescan(row) for row in found]

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        with self._database.writing() as connection:
            serialize(connection, "rescans")
            # A write that changes nothing: on SQLite, reading would not yet keep others from writing.
            connection.execute(update(rescans).where(rescans.c.id < 0).values(total=0))
            yield connection


def _doable(signature_version: int | None) -> ColumnElement[bool]:
    """Return what holds for the files that a scanner with these signatures may do."""
    unasked = rescans.c.signature_version.is_(None)
    may = (
        unasked
        if signature_version is None
        else or_(unasked, rescans.c.signature_version <= signature_version)
    )
    return _FILE.rescan_id.in_(select(rescans.c.id).where(_OPEN, may))


def _files_of_meetings(now: datetime) -> Select[str]:
    same = and_(meetings.c.account_id == _FILE.account_id, meetings.c.id == _FILE.meeting_id)
    found = select(_FILE.upload_id).select_from(rescan_files.join(meetings, same))
    return found.where(meetings.c.starts_at >= now - STILL_ON).order_by(meetings.c.starts_at, *_ORDER)


def _under_way_for(signature_version: int) -> ColumnElement[bool]:
    return exists().where(_OPEN, rescans.c.signature_version >= signature_version)


def _has_files() -> ColumnElement[bool]:
    return exists().where(_FILE.rescan_id == rescans.c.id)


def _supersede(connection: Connection, at: datetime) -> None:
    """End every rescan for signatures; the one that begins now takes on what is left of them."""
    for ended in _ended(connection, at, rescans.c.signature_version.is_not(None), superseded=True):
        connection.execute(delete(rescan_files).where(_FILE.rescan_id == ended.id))


def _ended(
    connection: Connection, at: datetime, which: ColumnElement[bool], *, superseded: bool
) -> Sequence[Rescan]:
    rows = connection.execute(select(rescans).where(_OPEN, which).order_by(rescans.c.id)).mappings().all()
    ended = [replace(_rescan(row), ended_at=at, superseded=superseded) for row in rows]
    for one in ended:
        this = update(rescans).where(rescans.c.id == one.id)
        connection.execute(this.values(ended_at=at, superseded=superseded))
    write(connection, [line_of(one) for one in ended])
    return ended


def _put_down(connection: Connection, rescan_id: int, wanted: Wanted, at: datetime) -> int:
    """Write a row for each file that is wanted; return how many."""
    row, version = uploads.c, wanted.signature_version
    there = uploads.join(accounts, accounts.c.id == row.account_id)
    which = [row.state == State.RELEASED.value, accounts.c.removed_at.is_(None)]
    if version is not None:
        seen = (row.verdict_signature_version, row.rescanned_with)
        which += [or_(with_.is_(None), with_ < version) for with_ in seen]
    if wanted.account_id is not None:
        which.append(row.account_id == wanted.account_id)
    if wanted.upload_id is not None:
        which.append(row.id == wanted.upload_id)
    files = select(
        row.id,
        literal(rescan_id),
        row.account_id,
        row.meeting_id,
        func.substr(row.id, CAME_IN.start + 1, CAME_IN.stop - CAME_IN.start),
        row.downloads,
        literal(0),
        literal(at, Instant),
    )
    into = [
        "upload_id",
        "rescan_id",
        "account_id",
        "meeting_id",
        "came_in",
        "downloads",
        "attempts",
        "due_at",
    ]
    put = insert(rescan_files).from_select(into, files.select_from(there).where(*which))
    connection.execute(put)
    # Not every driver tells how many rows a statement wrote.
    counted = select(func.count()).select_from(rescan_files).where(_FILE.rescan_id == rescan_id)
    return connection.scalar(counted) or 0


def _rescan(row: RowMapping) -> Rescan:
    counts: dict[str, Any] = {name: row[name] for name in _COUNTS}
    return Rescan(wanted=Wanted(**{name: row[name] for name in _WANTED}), **counts)
