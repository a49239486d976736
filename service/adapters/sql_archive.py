"""``ports.Archive`` on SQLAlchemy. Which index serves which search stands in migration 0009."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, func, literal, select, text, union_all

from service.adapters.database import Database
from service.adapters.rows import row_to_record
from service.adapters.schema import uploads
from service.core.search import Cursor, Filters, Record, Way, first_id, folded
from service.core.upload import State
from service.core.verdict import Kind
from service.ports import Standing

_COLUMNS: Final = [
    uploads.c[name]
    for name in (
        *("id", "account_id", "meeting_id", "name", "declared_type", "detected_type", "state"),
        *("created_at", "updated_at", "size", "sha256", "reason", "attempts", "grant_id"),
        *("verdict_kind", "verdict_code", "verdict_signature", "verdict_sha256", "verdict_size"),
        *("verdict_engine", "verdict_signature_version", "verdict_signatures_made_at"),
        *("verdict_protection", "verdict_policy", "verdict_duration", "verdict_at"),
    )
]
_TRIGRAM: Final = 3
# A plan that suits the account with a million uploads does not suit the one with ten: each search gets its
# own.
_FOR_THIS_SEARCH: Final = text("SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL jit = off")


class SqlArchive:
    """Searches the ledger's tables."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``."""
        self._database = Database(engine)

    def page(self, filters: Filters, cursor: Cursor | None, limit: int) -> Sequence[Record]:
        """Return found uploads, newest first."""
        newer = cursor is not None and cursor.way is Way.NEWER
        with self._searching() as connection:
            # The ids first, from the indexes alone where they can tell: rows are wide, and a page has few.
            fitting = select(uploads.c.id).where(*_conditions(filters, connection.dialect.name)).limit(limit)
            if cursor is not None:
                beyond = uploads.c.id > cursor.upload_id if newer else uploads.c.id < cursor.upload_id
                fitting = fitting.where(beyond)
            found = fitting.order_by(uploads.c.id.asc() if newer else uploads.c.id.desc()).subquery()
            query = select(*_COLUMNS).join(found, uploads.c.id == found.c.id)
            rows = connection.execute(query.order_by(uploads.c.id.desc())).mappings().all()
        return [row_to_record(row) for row in rows]

    def activity(self, edges: Sequence[datetime]) -> Sequence[Mapping[Kind | None, int]]:
        """Count uploads by stretch of time and verdict."""
        stretches = [
            select(literal(number).label("number"), uploads.c.verdict_kind, func.count().label("uploads"))
            .where(uploads.c.id >= first_id(begin), uploads.c.id < first_id(end))
            .group_by(uploads.c.verdict_kind)
            for number, (begin, end) in enumerate(pairwise(edges))
        ]
        counts: list[dict[Kind | None, int]] = [{} for _ in stretches]
        with self._searching() as connection:
            for row in connection.execute(union_all(*stretches)).mappings():
                kind = None if row["verdict_kind"] is None else Kind(row["verdict_kind"])
                counts[row["number"]][kind] = row["uploads"]
        return counts

    def standings(self, states: Sequence[State]) -> Mapping[State, Standing]:
        """Count uploads by state."""
        query = (
            select(
                uploads.c.state,
                func.count().label("number"),
                func.min(func.coalesce(uploads.c.waiting_since, uploads.c.created_at)).label("waiting_since"),
                func.min(uploads.c.updated_at).label("moved_at"),
            )
            .where(uploads.c.state.in_([state.value for state in states]))
            .group_by(uploads.c.state)
        )
        with self._searching() as connection:
            found = connection.execute(query).mappings().all()
        return {
            State(row["state"]): Standing(row["number"], row["waiting_since"], row["moved_at"])
            for row in found
        }

    def moved_before(self, state: State, edges: Sequence[datetime]) -> Sequence[int]:
        """Count uploads of one state by their age in it."""
        counts = [func.count().filter(uploads.c.updated_at < edge) for edge in edges]
        with self._searching() as connection:
            row = connection.execute(select(*counts).where(uploads.c.state == state.value)).one()
        return list(row)

    @contextmanager
    def _searching(self) -> Iterator[Connection]:
        with self._database.reading() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(_FOR_THIS_SEARCH)
            yield connection


def _conditions(filters: Filters, dialect: str) -> list[ColumnElement[bool]]:
    row = uploads.c
    exact: list[tuple[ColumnElement[Any], object]] = [
        (row.id, filters.upload_id),
        (row.sha256, filters.sha256),
        (row.account_id, filters.account_id),
        (row.meeting_id, filters.meeting_id),
        (row.verdict_kind, filters.kind and filters.kind.value),
        (row.state, filters.state and filters.state.value),
    ]
    conditions = [column == value for column, value in exact if value is not None]
    if filters.name is not None:
        conditions.append(_in_name(folded(filters.name), dialect))
    if filters.signature is not None:
        # The index is over the few uploads that have one.
        conditions.append(row.verdict_signature.is_not(None))
        conditions.append(row.verdict_signature.ilike(_containing(filters.signature), escape="\\"))
    since, until = filters.ids()
    if since is not None:
        conditions.append(row.id >= since)
    if until is not None:
        conditions.append(row.id < until)
    return conditions


def _in_name(part: str, dialect: str) -> ColumnElement[bool]:
    if dialect == "postgresql" and len(part) < _TRIGRAM:
        # The index of trigrams has nothing for it, but would be read as a whole if it were asked by LIKE.
        return func.strpos(uploads.c.name_folded, part) > 0
    return uploads.c.name_folded.like(_containing(part), escape="\\")


def _containing(part: str) -> str:
    """Return the LIKE pattern of texts that contain ``part`` as it is."""
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
