"""``ports.Ledger`` on SQLAlchemy, for SQLite (WAL) and PostgreSQL.

A crash at any place leaves either the whole save or nothing of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Executable,
    Update,
    func,
    insert,
    or_,
    select,
    update,
)

from service.adapters import quota, rows, sql_decisions, sql_holds
from service.adapters.database import Database
from service.adapters.schema import log, segments, uploads
from service.adapters.sql_accounts import check_there
from service.adapters.sql_answers import take_key
from service.adapters.sql_journal import downloads, write
from service.adapters.sql_retention import at_rest
from service.core.account import Plan
from service.core.decision import Warrant
from service.core.errors import Conflict, NotReleased
from service.core.journal import Entry, of_move
from service.core.retention import Periods
from service.core.upload import Event, Leftover, LogLine, Segment, State, Upload
from service.core.webhook import MOST_DOWNLOADS, EventType, Notice, with_downloads
from service.ports import Claim, Job, advancing

#: Queues a job within the caller's transaction.
Enqueue = Callable[[Connection, Job], None]
#: Writes what is to be told of an upload's moves within the caller's transaction.
Announce = Callable[[Connection, Upload, Sequence[Notice]], None]


class SqlLedger:
    """The ledger in a database that ``python -m service migrate`` prepared."""

    def __init__(self, engine: Engine, enqueue: Enqueue, announce: Announce) -> None:
        """Use ``engine``; ``enqueue`` puts a job and ``announce`` notices into the same transaction."""
        self._database = Database(engine)
        self._enqueue = enqueue
        self._announce = announce

    def save(
        self,
        upload: Upload,
        *,
        wake: bool = False,
        claim: Claim | None = None,
        notices: Sequence[Notice] = (),
        warrant: Warrant | None = None,
    ) -> Upload:
        """Save in one transaction (see ``ports.Ledger``)."""
        saved = _saved(upload)
        with self._database.writing() as connection:
            if claim is not None:
                take_key(connection, claim, upload.id)
            if upload.version == 0:
                self._insert(connection, saved)
            else:
                self._update(connection, saved, upload.version)
            if sql_holds.heed(connection, upload):
                saved = replace(saved, leftover=Leftover.NOTHING)
            if any(line.event is Event.RETENTION_ENDED for line in upload.unsaved):
                check_there(connection, upload.account_id)
            sql_decisions.use(connection, upload, warrant)
            write(connection, [of_move(saved, line) for line in upload.unsaved])
            self._announce(connection, saved, [_complete(connection, one) for one in notices])
            if wake:
                self._enqueue(connection, advancing(saved))
        return saved

    def _insert(self, connection: Connection, upload: Upload) -> None:
        if upload.grant_id is not None and upload.state is State.RECEIVING:
            quota.reserve(connection, upload)
        connection.execute(insert(uploads), rows.upload_to_row(upload))
        check_there(connection, upload.account_id)
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
        with self._database.writing() as connection:
            done = connection.execute(_as_of(upload).values(lease_until=lease_until))
            if done.rowcount != 1:
                raise Conflict("The upload was changed by another process.")

    def find(self, upload_id: str) -> Upload | None:
        """Return one upload."""
        found = self._uploads(select(uploads).where(uploads.c.id == upload_id))
        return found[0] if found else None

    def history(self, upload_id: str) -> Sequence[LogLine]:
        """Return the moves of one upload."""
        moves = select(log).where(log.c.upload_id == upload_id, log.c.after.is_not(None))
        found = self._database.read(moves.order_by(log.c.id))
        return [rows.row_to_line(row) for row in found]

    def page(
        self,
        account_id: str,
        meeting_id: str,
        before: str | None,
        limit: int,
        state: State | None = None,
    ) -> Sequence[Upload]:
        """Return a page of one meeting's uploads."""
        query = select(uploads).where(uploads.c.account_id == account_id, uploads.c.meeting_id == meeting_id)
        if state is not None:
            query = query.where(uploads.c.state == state.value)
        if before is not None:
            query = query.where(uploads.c.id < before)
        return self._uploads(query.order_by(uploads.c.id.desc()).limit(limit))

    def belonging(self, account_id: str, person: str | None, after: str, limit: int) -> Sequence[Upload]:
        """Return the uploads of an account or of one of its people."""
        query = select(uploads).where(*_belonging(account_id, person), uploads.c.id > after)
        return self._uploads(query.order_by(uploads.c.id).limit(limit))

    def count(self, account_id: str, person: str | None) -> int:
        """Count them."""
        query = select(func.count().label("uploads")).where(*_belonging(account_id, person))
        return int(self._database.read(query)[0]["uploads"])

    def at_rest(self, periods: Mapping[Plan, Periods], at: datetime, after: str, limit: int) -> Sequence[str]:
        """Return uploads whose time may be over."""
        return [row["id"] for row in self._database.read(at_rest(periods, at, after).limit(limit))]

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

    def swept(self, uploads_: Sequence[Upload], at: datetime) -> None:
        """Note what was deleted."""
        with self._database.writing() as connection:
            for upload in uploads_:
                connection.execute(_as_of(upload).values(leftover=Leftover.NOTHING.value, due_at=at))

    def returned(self, upload: Upload) -> Upload:
        """Note where a content is again."""
        saved = _saved(upload)
        with self._database.writing() as connection:
            back = _as_of(upload).values(leftover=upload.leftover.value, version=saved.version)
            if connection.execute(back).rowcount != 1:
                raise Conflict("The upload was changed by another process.")
            for segment in upload.segments:
                this = (segments.c.upload_id == upload.id, segments.c.number == segment.number)
                connection.execute(update(segments).where(*this).values(etag=segment.etag))
        return saved

    def downloaded(self, line: Entry) -> None:
        """Count first: whoever recalls the upload waits for this row, or is waited for."""
        released = (uploads.c.id == line.upload_id, uploads.c.state == State.RELEASED.value)
        counted = update(uploads).where(*released).values(downloads=uploads.c.downloads + 1)
        with self._database.writing() as connection:
            if connection.execute(counted).rowcount != 1:
                raise NotReleased("The file is not released any more.")
            write(connection, [line])

    def ping(self) -> None:
        """Raise ``LedgerUnavailable`` unless the tables can be read."""
        self._database.read(select(uploads.c.version).limit(1))

    def _uploads(self, query: Executable) -> list[Upload]:
        with self._database.reading() as connection:
            found = connection.execute(query).mappings().all()
            of_uploads: dict[str, list[Segment]] = {row["id"]: [] for row in found}
            if found:
                stored = select(segments).where(segments.c.upload_id.in_(list(of_uploads)))
                for row in connection.execute(stored.order_by(segments.c.number)).mappings():
                    of_uploads[row["upload_id"]].append(rows.row_to_segment(row))
        return [rows.row_to_upload(row, of_uploads[row["id"]]) for row in found]


def _belonging(account_id: str, person: str | None) -> list[ColumnElement[bool]]:
    conditions = [uploads.c.account_id == account_id]
    return conditions if person is None else [*conditions, uploads.c.person == person]


def _as_of(upload: Upload) -> Update:
    """Return the update of an upload's row, if it is still of that version."""
    return update(uploads).where(uploads.c.id == upload.id, uploads.c.version == upload.version)


def _complete(connection: Connection, notice: Notice) -> Notice:
    """Return what is told of a recall with the downloads before it. The upload's row is locked by now."""
    if notice.type != EventType.RECALLED:
        return notice
    total, newest = downloads(connection, notice.upload_id or "", MOST_DOWNLOADS)
    return with_downloads(notice, total, newest)


def _saved(upload: Upload) -> Upload:
    return replace(upload, version=upload.version + 1, unsaved=())
