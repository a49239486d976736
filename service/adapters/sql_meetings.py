"""``ports.Meetings`` on SQLAlchemy, beside the ledger in one database."""

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import Engine, RowMapping, insert, select, update

from service.adapters.database import Database
from service.adapters.schema import meetings
from service.adapters.sql_journal import write
from service.core.errors import Conflict
from service.core.journal import Entry
from service.core.meeting import Meeting


class SqlMeetings:
    """The meetings in the ledger's database."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``."""
        self._database = Database(engine)

    def find(self, account_id: str, meeting_id: str) -> Meeting | None:
        """Return a meeting."""
        mine = (meetings.c.account_id == account_id, meetings.c.id == meeting_id)
        found = self._database.read(select(meetings).where(*mine))
        return _meeting(found[0]) if found else None

    def page(self, account_id: str, after: str, limit: int) -> Sequence[Meeting]:
        """Return meetings by id."""
        mine = (meetings.c.account_id == account_id, meetings.c.id > after)
        found = self._database.read(select(meetings).where(*mine).order_by(meetings.c.id).limit(limit))
        return [_meeting(row) for row in found]

    def save(self, meeting: Meeting, line: Entry) -> Meeting:
        """Insert it, or compare and swap."""
        saved = replace(meeting, version=meeting.version + 1)
        with self._database.writing() as connection:
            if meeting.version == 0:
                connection.execute(insert(meetings), _row(saved))
            else:
                same = (meetings.c.account_id == meeting.account_id, meetings.c.id == meeting.id)
                known = update(meetings).where(*same, meetings.c.version == meeting.version)
                if connection.execute(known.values(_row(saved))).rowcount != 1:
                    raise Conflict("The meeting was changed by another process.")
            write(connection, [line])
        return saved


def _meeting(row: RowMapping) -> Meeting:
    return Meeting(**{one.name: row[one.name] for one in fields(Meeting)})


def _row(meeting: Meeting) -> dict[str, Any]:
    return asdict(meeting) | {"retention": dict(meeting.retention)}
