"""The search in memory, keeping the promises of ``ports.Archive``."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from itertools import pairwise

from service.core.search import Cursor, Filters, Record, Way, first_id, folded, searchable
from service.core.upload import State, Upload
from service.core.verdict import Kind
from service.ports import Standing
from tests.fakes.faults import Faults


class FakeArchive:
    """Looks through the rows of a fake ledger."""

    def __init__(self, faults: Faults, rows: Callable[[], Sequence[Upload]]) -> None:
        """Search what ``rows`` gives; fail as ``faults`` say."""
        self._faults = faults
        self._rows = rows

    def page(self, filters: Filters, cursor: Cursor | None, limit: int) -> Sequence[Record]:
        """Return found uploads, newest first."""
        with self._faults.at("archive.page"):
            found = sorted((row for row in self._rows() if _fits(filters, row)), key=lambda row: row.id)
            if cursor is None:
                found = found[-limit:]
            elif cursor.way is Way.OLDER:
                found = [row for row in found if row.id < cursor.upload_id][-limit:]
            else:
                found = [row for row in found if row.id > cursor.upload_id][:limit]
            return [_record(row) for row in reversed(found)]

    def activity(self, edges: Sequence[datetime]) -> Sequence[Mapping[Kind | None, int]]:
        """Count uploads by stretch of time and verdict."""
        with self._faults.at("archive.activity"):
            return [
                dict(
                    Counter(
                        row.verdict.kind if row.verdict else None
                        for row in self._rows()
                        if first_id(begin) <= row.id < first_id(end)
                    )
                )
                for begin, end in pairwise(edges)
            ]

    def standings(self, states: Sequence[State]) -> Mapping[State, Standing]:
        """Count uploads by state."""
        with self._faults.at("archive.standings"):
            found = {state: [row for row in self._rows() if row.state is state] for state in states}
            return {
                state: Standing(
                    len(rows),
                    min(row.waiting_since or row.created_at for row in rows),
                    min(row.updated_at for row in rows),
                )
                for state, rows in found.items()
                if rows
            }

    def moved_before(self, state: State, edges: Sequence[datetime]) -> Sequence[int]:
        """Count uploads of one state by their age in it."""
        with self._faults.at("archive.moved_before"):
            moved = [row.updated_at for row in self._rows() if row.state is state]
            return [sum(at < edge for at in moved) for edge in edges]


def _record(upload: Upload) -> Record:
    return Record(**{field.name: getattr(upload, field.name) for field in fields(Record)})


def _fits(filters: Filters, row: Upload) -> bool:
    since, until = filters.ids()
    signature = (row.verdict.signature if row.verdict else None) or ""
    return (
        filters.upload_id in {None, row.id}
        and filters.sha256 in {None, row.sha256}
        and (filters.name is None or folded(filters.name) in searchable(row.name))
        and filters.account_id in {None, row.account_id}
        and filters.meeting_id in {None, row.meeting_id}
        and (filters.signature is None or filters.signature.lower() in signature.lower())
        and filters.kind in {None, row.verdict.kind if row.verdict else None}
        and filters.state in {None, row.state}
        and (since is None or row.id >= since)
        and (until is None or row.id < until)
    )
