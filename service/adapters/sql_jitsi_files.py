"""``ports.JitsiFiles`` on SQLAlchemy, beside the ledger in one database."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, Select, insert, select, update

from service.adapters.database import Database, serialize
from service.adapters.schema import accounts, uploads
from service.adapters.schema_jitsi import jitsi_files
from service.core.upload import State
from service.ports import JitsiFile


class SqlJitsiFiles:
    """Files in a database that ``python -m service migrate`` prepared."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``. Opens no connection yet."""
        self._database = Database(engine)

    def ensure_account(self, account_id: str, at: datetime) -> None:
        """Make the account if it is new."""
        if self._database.read(select(accounts.c.id).where(accounts.c.id == account_id)):
            return
        with self._database.writing() as connection:
            serialize(connection, account_id)
            # A write that changes nothing: on SQLite, reading would not yet keep others from writing.
            known = update(accounts).where(accounts.c.id == account_id).values(id=account_id)
            if connection.execute(known).rowcount == 0:
                connection.execute(insert(accounts), {"id": account_id, "created_at": at})

    def add(self, file: JitsiFile) -> None:
        """Add a file; the primary key decides who was first."""
        with self._database.writing() as connection:
            connection.execute(insert(jitsi_files), dataclasses.asdict(file))

    def find(self, account_id: str, meeting_id: str, file_id: str) -> JitsiFile | None:
        """Return one file."""
        found = self._files(_of(account_id, meeting_id).where(jitsi_files.c.file_id == file_id))
        return found[0] if found else None

    def released(self, account_id: str, meeting_id: str, offset: int, limit: int) -> Sequence[JitsiFile]:
        """Return a stretch of what may be downloaded."""
        query = (
            _of(account_id, meeting_id)
            .join(uploads, uploads.c.id == jitsi_files.c.upload_id)
            .where(uploads.c.state == State.RELEASED.value)
        )
        return self._files(query.offset(offset).limit(limit))

    def sent_by(
        self, account_id: str, meeting_id: str, user_id: str, customer_id: str
    ) -> Sequence[JitsiFile]:
        """Return one sender's files."""
        return self._files(
            _of(account_id, meeting_id).where(
                jitsi_files.c.user_id == user_id, jitsi_files.c.customer_id == customer_id
            )
        )

    def _files(self, query: Select[tuple[object, ...]]) -> Sequence[JitsiFile]:
        return [JitsiFile(**row) for row in self._database.read(query)]


def _of(account_id: str, meeting_id: str) -> Select[tuple[object, ...]]:
    return (
        select(jitsi_files)
        .where(jitsi_files.c.account_id == account_id, jitsi_files.c.meeting_id == meeting_id)
        .order_by(jitsi_files.c.upload_id)
    )
