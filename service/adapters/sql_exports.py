"""``ports.Exports`` on SQLAlchemy."""

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from service.adapters.database import Database, serialize
from service.adapters.schema import uploads
from service.adapters.schema_exports import export_uploads, exports
from service.adapters.sql_journal import write
from service.core.errors import Conflict
from service.core.export import Export, Phase
from service.core.journal import Entry
from service.core.upload import Leftover, Segment, State

#: How many rows go in one statement.
_BATCH: Final = 1000


class SqlExports:
    """The exports in the ledger's database."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``."""
        self._database = Database(engine)

    def ask(self, export: Export, line: Entry) -> Export:
        """Add one that nobody is waiting for already."""
        added = replace(export, version=1)
        with self._database.writing() as connection:
            serialize(connection, f"exports of {export.account_id}")
            # A write that changes nothing: on SQLite, reading would not yet keep others from writing.
            connection.execute(update(exports).where(exports.c.id == export.id).values(version=0))
            same = and_(
                exports.c.account_id == export.account_id,
                exports.c.person.is_not_distinct_from(export.person),
            )
            waiting = exports.c.phase.in_([Phase.QUEUED.value, Phase.BUILDING.value])
            known = connection.execute(select(exports).where(same, waiting)).mappings().first()
            if known is not None:
                return _export(known)
            connection.execute(insert(exports), _row(added))
            write(connection, [line])
        return added

    def find(self, export_id: str) -> Export | None:
        """Return one."""
        found = self._some(exports.c.id == export_id, limit=1)
        return found[0] if found else None

    def claim(self, now: datetime, lease_until: datetime) -> Export | None:
        """Claim by compare-and-swap."""
        free = or_(
            exports.c.phase == Phase.QUEUED.value,
            and_(exports.c.phase == Phase.BUILDING.value, exports.c.lease_until <= now),
        )
        query = select(exports).where(free).order_by(exports.c.attempts, exports.c.id).limit(1)
        found = self._database.read(query)
        if not found:
            return None
        export = _export(found[0])
        claimed = replace(
            export, phase=Phase.BUILDING, lease_until=lease_until, attempts=export.attempts + 1, done=0
        )
        try:
            return self.save(claimed)
        except Conflict:
            return None

    def renew(self, export: Export, lease_until: datetime, done: int, total: int) -> None:
        """Prolong the lease."""
        with self._database.writing() as connection:
            values = {"lease_until": lease_until, "done": done, "total": total}
            if connection.execute(_this(export).values(values)).rowcount != 1:
                raise Conflict("The export was changed by another process.")

    def save(self, export: Export, line: Entry | None = None) -> Export:
        """Compare and swap."""
        with self._database.writing() as connection:
            return _saved(connection, export, line)

    def finish(self, export: Export, upload_ids: Sequence[str], line: Entry) -> Export:
        """Save with the uploads that are in it."""
        with self._database.writing() as connection:
            saved = _saved(connection, export, line)
            connection.execute(delete(export_uploads).where(export_uploads.c.export_id == export.id))
            rows = [{"export_id": export.id, "upload_id": one} for one in upload_ids]
            for first in range(0, len(rows), _BATCH):
                connection.execute(insert(export_uploads), rows[first : first + _BATCH])
            if connection.scalar(select(func.count()).select_from(exports).where(_spoiled(export.id))):
                raise Conflict("A file that is in the export is not released any more.")
        return saved

    def spoiled(self, limit: int, export_id: str | None = None) -> Sequence[Export]:
        """Return those with a content that is not released any more."""
        return self._some(_spoiled(export_id), limit=limit)

    def expired(self, now: datetime, limit: int) -> Sequence[Export]:
        """Return those whose time is over."""
        return self._some(exports.c.phase == Phase.READY.value, exports.c.expires_at <= now, limit=limit)

    def with_leftovers(self, now: datetime, limit: int) -> Sequence[Export]:
        """Return those with objects to delete."""
        due = or_(exports.c.sweep_at.is_(None), exports.c.sweep_at <= now)
        over = exports.c.phase.in_([Phase.READY.value, Phase.EXPIRED.value])
        return self._some(over, exports.c.leftover != Leftover.NOTHING.value, due, limit=limit)

    def of(self, account_id: str, person: str | None = None) -> Sequence[Export]:
        """Return an account's."""
        theirs = [exports.c.account_id == account_id]
        return self._some(*theirs, *([] if person is None else [exports.c.person == person]))

    def requests(self, before: str | None, limit: int) -> Sequence[Export]:
        """Return what people asked for."""
        query = select(exports).where(exports.c.person.is_not(None))
        if before is not None:
            query = query.where(exports.c.id < before)
        return [_export(row) for row in self._database.read(query.order_by(exports.c.id.desc()).limit(limit))]

    def forget(self, expired_before: datetime) -> None:
        """Delete old rows."""
        over = (exports.c.phase == Phase.EXPIRED.value, exports.c.expires_at < expired_before)
        with self._database.writing() as connection:
            connection.execute(delete(exports).where(*over, exports.c.leftover == Leftover.NOTHING.value))

    def _some(self, *conditions: ColumnElement[bool], limit: int | None = None) -> Sequence[Export]:
        query = select(exports).where(*conditions).order_by(exports.c.id).limit(limit)
        return [_export(row) for row in self._database.read(query)]


def _this(export: Export) -> Any:  # noqa: ANN401 - SQLAlchemy's Update
    return update(exports).where(exports.c.id == export.id, exports.c.version == export.version)


def _saved(connection: Connection, export: Export, line: Entry | None) -> Export:
    saved = replace(export, version=export.version + 1)
    if connection.execute(_this(export).values(_row(saved))).rowcount != 1:
        raise Conflict("The export was changed by another process.")
    if line is not None:
        write(connection, [line])
    return saved


def _spoiled(export_id: str | None) -> ColumnElement[bool]:
    its = export_uploads.c.export_id == exports.c.id
    gone = and_(uploads.c.id == export_uploads.c.upload_id, uploads.c.state != State.RELEASED.value)
    bad = and_(exports.c.phase == Phase.READY.value, exists().where(its, gone))
    return bad if export_id is None else and_(exports.c.id == export_id, bad)


def _row(export: Export) -> dict[str, Any]:
    row = {one.name: getattr(export, one.name) for one in fields(Export)}
    return row | {
        "phase": export.phase.value,
        "leftover": export.leftover.value,
        "segments": [asdict(segment) for segment in export.segments],
    }


def _export(row: RowMapping) -> Export:
    plain = {one.name: row[one.name] for one in fields(Export)}
    return Export(
        **plain
        | {
            "phase": Phase(row["phase"]),
            "leftover": Leftover(row["leftover"]),
            "segments": tuple(Segment(**segment) for segment in row["segments"]),
        }
    )
