"""``ports.Holds`` on SQLAlchemy, beside the ledger in one database.

Who places a hold writes to its account's row, and who is about to erase something in the account shares it:
so one comes after the other, and the second sees what the first did.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Select,
    and_,
    exists,
    insert,
    or_,
    select,
    update,
)

from service.adapters.database import Database
from service.adapters.schema import accounts, uploads
from service.adapters.schema_holds import holds
from service.adapters.sql_journal import write
from service.core.errors import AccountRemoved, Gone, NotFound, UnderHold
from service.core.hold import Hold, erases, lets_bytes_go
from service.core.journal import Entry
from service.core.upload import Leftover, State, Upload


class SqlHolds:
    """Holds in a database that ``python -m service migrate`` prepared."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``. Opens no connection yet."""
        self._database = Database(engine)

    def place(self, hold: Hold, line: Entry) -> None:
        """Keep a hold."""
        with self._database.writing() as connection:
            _hold_still(connection, hold.account_id)
            if hold.upload_id is not None:
                _check_there(connection, hold)
            connection.execute(insert(holds), asdict(hold))
            write(connection, [line])

    def lift(self, hold_id: str, by: str, at: datetime, line: Entry) -> bool:
        """End a hold."""
        live = update(holds).where(holds.c.id == hold_id, holds.c.lifted_at.is_(None))
        with self._database.writing() as connection:
            if connection.execute(live.values(lifted_by=by, lifted_at=at)).rowcount != 1:
                return False
            write(connection, [line])
        return True

    def find(self, hold_id: str) -> Hold | None:
        """Return a hold."""
        found = self._database.read(select(holds).where(holds.c.id == hold_id))
        return _hold(found[0]) if found else None

    def page(self, before: str | None, limit: int, account_id: str | None = None) -> Sequence[Hold]:
        """Return a page of holds."""
        query = select(holds).order_by(holds.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(holds.c.id < before)
        if account_id is not None:
            query = query.where(holds.c.account_id == account_id)
        return [_hold(row) for row in self._database.read(query)]

    def covering(self, account_id: str, meeting_id: str, upload_id: str) -> Sequence[Hold]:
        """Return the holds on an upload."""
        query = select(holds).where(_covers(account_id, meeting_id, upload_id))
        return [_hold(row) for row in self._database.read(query.order_by(holds.c.id))]

    def within(self, account_id: str, meeting_id: str | None = None) -> bool:
        """Tell whether anything must stay."""
        return bool(self._database.read(_within(account_id, meeting_id).limit(1)))


def covered(account: Any, meeting: Any) -> ColumnElement[bool]:  # noqa: ANN401 - columns
    """Return, for queries, whether anything in the meeting that these columns name must stay."""
    in_meeting = or_(holds.c.meeting_id.is_(None), holds.c.meeting_id == meeting)
    return exists().where(holds.c.account_id == account, holds.c.lifted_at.is_(None), in_meeting)


def heed(connection: Connection, upload: Upload) -> bool:
    """Keep, within the transaction that saves ``upload`` and wrote its row, to the holds on it.

    Return whether its bytes stay although it ended: its row has nothing left over then. Raises ``UnderHold``
    where it must not be erased. See ``ports.Ledger.save``.
    """
    if not erases(upload) and not lets_bytes_go(upload):
        return False
    share_account(connection, upload.account_id)
    covers = _covers(upload.account_id, upload.meeting_id, upload.id)
    if connection.scalar(select(holds.c.id).where(covers).limit(1)) is None:
        return False
    if erases(upload):
        raise UnderHold("The file is under legal hold: it cannot be deleted until that is lifted.")
    kept = update(uploads).where(uploads.c.id == upload.id).values(leftover=Leftover.NOTHING.value)
    connection.execute(kept)
    return True


def check_none_within(connection: Connection, account_id: str, meeting_id: str | None = None) -> None:
    """Raise ``UnderHold`` if anything in an account, or in one of its meetings, must stay; and let no hold be
    placed there before the end of the caller's transaction, which wrote before: SQLite has one writer at a
    time.
    """
    share_account(connection, account_id)
    if connection.execute(_within(account_id, meeting_id).limit(1)).first() is not None:
        raise UnderHold("Something in it is under legal hold: it cannot be erased until that is lifted.")


def share_account(connection: Connection, account_id: str) -> None:
    """Let no hold be placed in an account before the end of the caller's transaction."""
    connection.execute(select(accounts.c.id).where(accounts.c.id == account_id).with_for_update(read=True))


def _within(account_id: str, meeting_id: str | None) -> Select[tuple[str]]:
    query = select(holds.c.id).where(holds.c.account_id == account_id, holds.c.lifted_at.is_(None))
    if meeting_id is None:
        return query
    return query.where(or_(holds.c.meeting_id.is_(None), holds.c.meeting_id == meeting_id))


def _covers(account: Any, meeting: Any, upload: Any) -> ColumnElement[bool]:  # noqa: ANN401 - columns or ids
    return and_(
        holds.c.account_id == account,
        holds.c.lifted_at.is_(None),
        or_(holds.c.meeting_id.is_(None), holds.c.meeting_id == meeting),
        or_(holds.c.upload_id.is_(None), holds.c.upload_id == upload),
    )


def _hold_still(connection: Connection, account_id: str) -> None:
    """Let nothing in an account be erased before the end of the caller's transaction."""
    this = update(accounts).where(accounts.c.id == account_id)
    # A write that changes nothing: on SQLite, reading would not yet keep others from writing.
    if connection.execute(this.values(id=account_id)).rowcount != 1:
        raise NotFound("There is no such account.")
    if connection.scalar(select(accounts.c.erased_at).where(accounts.c.id == account_id)) is not None:
        raise AccountRemoved("The account was erased.")


def _check_there(connection: Connection, hold: Hold) -> None:
    this = (
        uploads.c.id == hold.upload_id,
        uploads.c.account_id == hold.account_id,
        uploads.c.meeting_id == hold.meeting_id,
    )
    state = connection.scalar(select(uploads.c.state).where(*this))
    if state is None:
        raise NotFound("There is no such upload.")
    if state == State.ERASED.value:
        raise Gone("The upload was erased.")


def _hold(row: RowMapping) -> Hold:
    return Hold(**row)
