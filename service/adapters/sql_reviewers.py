"""``ports.Reviewers``, ``ports.Sessions`` and ``ports.Attempts`` on SQLAlchemy, beside the ledger."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, select, text, update

from service.adapters import sql_journal
from service.adapters.database import Database, serialize
from service.adapters.schema_reviewers import reviewers, sessions, sign_ins
from service.core.errors import Conflict, Forbidden, NotFound
from service.core.journal import Entry
from service.core.reviewer import Reviewer, Role, Session
from service.ports import Tried

_FIELDS: Final = tuple(field.name for field in fields(Reviewer))


class SqlReviewers:
    """Reviewers in a database that ``python -m service migrate`` prepared."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``. Opens no connection yet."""
        self._database = Database(engine)

    def add(self, reviewer: Reviewer, line: Entry) -> None:
        """Add a reviewer."""
        with self._database.writing() as connection:
            connection.execute(insert(reviewers), _to_row(reviewer))
            sql_journal.write(connection, [line])

    def get(self, reviewer_id: str) -> Reviewer | None:
        """Return a reviewer by id."""
        found = self._database.read(select(reviewers).where(reviewers.c.id == reviewer_id))
        return _to_reviewer(found[0]) if found else None

    def named(self, name: str) -> Reviewer | None:
        """Return a reviewer by name."""
        found = self._database.read(select(reviewers).where(reviewers.c.name == name))
        return _to_reviewer(found[0]) if found else None

    def vouched_for(self, subject: str) -> Reviewer | None:
        """Return a reviewer by subject."""
        found = self._database.read(select(reviewers).where(reviewers.c.subject == subject))
        return _to_reviewer(found[0]) if found else None

    def all(self) -> Sequence[Reviewer]:
        """Return everybody."""
        found = [_to_reviewer(row) for row in self._database.read(select(reviewers))]
        # Not by the database, whose collation may be any.
        return sorted(found, key=lambda one: one.name)

    def change(self, former: Reviewer, changed: Reviewer, line: Entry, by: str | None = None) -> None:
        """Put a reviewer in the place of their former self, signed out."""
        with self._database.writing() as connection:
            # One change at a time: of two administrators who turn on each other one is too late.
            serialize(connection, "reviewers")
            if not connection.scalar(select(func.count()).where(reviewers.c.id == former.id)):
                raise NotFound("There is no such reviewer.")
            _put(connection, former, changed)
            if by is not None:
                # Not before: SQLite's transaction begins with what is written first.
                _check_may_change(connection, by, former.id)
            connection.execute(delete(sessions).where(sessions.c.reviewer_id == former.id))
            sql_journal.write(connection, [line])


class SqlSessions:
    """Sessions in the same database."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``. Opens no connection yet."""
        self._database = Database(engine)

    def begin(self, session: Session, reviewer: Reviewer, began_before: datetime, line: Entry) -> None:
        """Keep a session, forget the old ones."""
        row = {name: getattr(session, name) for name in sessions.c.keys()}  # noqa: SIM118 - no dict
        with self._database.writing() as connection:
            # Their row is taken, so that a change comes before and is seen, or after and ends the session.
            _put(connection, reviewer, reviewer)
            connection.execute(delete(sessions).where(sessions.c.began_at < began_before))
            connection.execute(insert(sessions), row)
            whose = update(reviewers).where(reviewers.c.id == session.reviewer_id)
            connection.execute(whose.values(signed_in_at=session.began_at))
            sql_journal.write(connection, [line])

    def last_begun(self) -> Mapping[str, datetime]:
        """Return when each reviewer signed in last."""
        query = select(reviewers.c.id, reviewers.c.signed_in_at).where(reviewers.c.signed_in_at.is_not(None))
        return {row["id"]: row["signed_in_at"] for row in self._database.read(query)}

    def find(self, token_sha256: str) -> Session | None:
        """Return the session of a token."""
        found = self._database.read(select(sessions).where(sessions.c.token_sha256 == token_sha256))
        return Session(**found[0]) if found else None

    def seen(self, token_sha256: str, at: datetime) -> None:
        """Note that a session was used."""
        earlier = update(sessions).where(sessions.c.token_sha256 == token_sha256, sessions.c.seen_at < at)
        with self._database.writing() as connection:
            connection.execute(earlier.values(seen_at=at))

    def end(self, token_sha256: str, line: Entry) -> bool:
        """Forget a session."""
        with self._database.writing() as connection:
            ended = connection.execute(delete(sessions).where(sessions.c.token_sha256 == token_sha256))
            if ended.rowcount:
                sql_journal.write(connection, [line])
            return ended.rowcount == 1


class SqlAttempts:
    """Tries to sign in, in the same database: one count for all processes."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``. Opens no connection yet."""
        self._database = Database(engine)

    def note(self, names: Sequence[str], at: datetime, since: datetime) -> Tried:
        """Count a try."""
        try_id = secrets.token_hex(16)
        with self._database.writing() as connection:
            if connection.dialect.name == "postgresql":
                # What a power cut may take is a count that nobody needs for long.
                connection.execute(text("SET LOCAL synchronous_commit TO off"))
            serialize(connection, "sign-ins")
            connection.execute(delete(sign_ins).where(sign_ins.c.at < since))
            connection.execute(
                insert(sign_ins), [{"try_id": try_id, "name": name, "at": at} for name in names]
            )
            counted = connection.execute(
                select(sign_ins.c.name, func.count())
                .where(sign_ins.c.name.in_(names))
                .group_by(sign_ins.c.name)
            )
            return Tried(try_id, dict(counted.all()))

    def forgive(self, tried: Tried) -> None:
        """Count a try no longer."""
        with self._database.writing() as connection:
            connection.execute(delete(sign_ins).where(sign_ins.c.try_id == tried.id))


def _check_may_change(connection: Connection, by: str, whom: str) -> None:
    found = connection.execute(select(reviewers).where(reviewers.c.id == by)).mappings().first()
    if by == whom or found is None or not _to_reviewer(found).administers:
        raise Forbidden("Reviewers are changed by administrators, and by nobody for themselves.")


def _put(connection: Connection, former: Reviewer, reviewer: Reviewer) -> None:
    """Put a reviewer in the place of ``former``. Raises ``Conflict`` if that is not who stands there."""
    same = [reviewers.c[name] == value for name, value in _to_row(former).items()]
    if connection.execute(update(reviewers).where(*same).values(_to_row(reviewer))).rowcount != 1:
        raise Conflict("The reviewer was changed by another process.")


def _to_row(reviewer: Reviewer) -> dict[str, Any]:
    return {name: getattr(reviewer, name) for name in _FIELDS} | {"role": reviewer.role.value}


def _to_reviewer(row: RowMapping) -> Reviewer:
    return Reviewer(**{name: row[name] for name in _FIELDS} | {"role": Role(row["role"])})
