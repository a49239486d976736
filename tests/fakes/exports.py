"""Exports in memory, keeping the promises of ``ports.Exports``."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from service.core.errors import Conflict
from service.core.export import Export, Phase
from service.core.journal import Entry
from service.core.upload import Leftover, State, Upload
from tests.fakes.faults import Faults
from tests.fakes.journal import FakeJournal


class FakeExports:
    """The exports, as values."""

    def __init__(self, faults: Faults, journal: FakeJournal, uploads: Callable[[], Sequence[Upload]]) -> None:
        """Write lines to ``journal``; ``uploads`` are those of the same world."""
        self._faults = faults
        self._journal = journal
        self._uploads = uploads
        self._rows: dict[str, Export] = {}
        self._included: dict[str, frozenset[str]] = {}
        self._lock = threading.RLock()

    def ask(self, export: Export, line: Entry) -> Export:
        """Add one that nobody is waiting for already."""
        with self._faults.at("exports.ask"), self._lock:
            for row in self.rows():
                same = (row.account_id, row.person) == (export.account_id, export.person)
                if same and row.phase in {Phase.QUEUED, Phase.BUILDING}:
                    return row
            added = self._rows[export.id] = replace(export, version=1)
            self._journal.record([line])
            return added

    def find(self, export_id: str) -> Export | None:
        """Return one."""
        with self._faults.at("exports.find"):
            return self._rows.get(export_id)

    def claim(self, now: datetime, lease_until: datetime) -> Export | None:
        """Claim the one that is next."""
        with self._faults.at("exports.claim"), self._lock:
            free = [row for row in self.rows() if _free(row, now)]
            if not free:
                return None
            row = min(free, key=lambda one: (one.attempts, one.id))
            building = replace(row, phase=Phase.BUILDING, lease_until=lease_until, done=0)
            return self._save(replace(building, attempts=row.attempts + 1))

    def renew(self, export: Export, lease_until: datetime, done: int, total: int) -> None:
        """Prolong the lease."""
        with self._faults.at("exports.renew"), self._lock:
            row = self._current(export)
            self._rows[row.id] = replace(row, lease_until=lease_until, done=done, total=total)

    def save(self, export: Export, line: Entry | None = None) -> Export:
        """Compare and swap."""
        with self._faults.at("exports.save"), self._lock:
            return self._save(export, line)

    def finish(self, export: Export, upload_ids: Sequence[str], line: Entry) -> Export:
        """Save with the uploads that are in it."""
        with self._faults.at("exports.finish"), self._lock:
            if any(self._states().get(one) is not State.RELEASED for one in upload_ids):
                raise Conflict("a file is not released any more")
            self._included[export.id] = frozenset(upload_ids)
            return self._save(export, line)

    def spoiled(self, limit: int, export_id: str | None = None) -> Sequence[Export]:
        """Return those with a content that is not released any more."""
        with self._faults.at("exports.spoiled"), self._lock:
            states = self._states()
            found = [row for row in self.rows() if row.phase is Phase.READY and export_id in {None, row.id}]
            return [row for row in found if self._is_spoiled(row, states)][:limit]

    def expired(self, now: datetime, limit: int) -> Sequence[Export]:
        """Return those whose time is over."""
        with self._faults.at("exports.expired"):
            ready = [row for row in self.rows() if row.phase is Phase.READY]
            return [row for row in ready if row.expires_at is not None and row.expires_at <= now][:limit]

    def with_leftovers(self, now: datetime, limit: int) -> Sequence[Export]:
        """Return those with objects to delete."""
        with self._faults.at("exports.with_leftovers"):
            over = [row for row in self.rows() if row.phase in {Phase.READY, Phase.EXPIRED}]
            left = [row for row in over if row.leftover is not Leftover.NOTHING]
            return [row for row in left if row.sweep_at is None or row.sweep_at <= now][:limit]

    def of(self, account_id: str, person: str | None = None) -> Sequence[Export]:
        """Return an account's."""
        with self._faults.at("exports.of"):
            theirs = [row for row in self.rows() if row.account_id == account_id]
            return [row for row in theirs if person in {None, row.person}]

    def requests(self, before: str | None, limit: int) -> Sequence[Export]:
        """Return what people asked for."""
        with self._faults.at("exports.requests"):
            found = [row for row in self.rows() if row.person is not None]
            return [row for row in reversed(found) if before is None or row.id < before][:limit]

    def forget(self, expired_before: datetime) -> None:
        """Delete old rows."""
        with self._faults.at("exports.forget"), self._lock:
            for row in self.rows():
                old = row.expires_at is not None and row.expires_at < expired_before
                if row.phase is Phase.EXPIRED and old and row.leftover is Leftover.NOTHING:
                    del self._rows[row.id]

    def rows(self) -> list[Export]:
        """Every row, oldest first, for the tests to look at."""
        with self._lock:
            return [self._rows[key] for key in sorted(self._rows)]

    def _current(self, export: Export) -> Export:
        row = self._rows.get(export.id)
        if row is None or row.version != export.version:
            raise Conflict("changed by another process")
        return row

    def _save(self, export: Export, line: Entry | None = None) -> Export:
        self._current(export)
        saved = self._rows[export.id] = replace(export, version=export.version + 1)
        if line is not None:
            self._journal.record([line])
        return saved

    def _states(self) -> Mapping[str, State]:
        return {upload.id: upload.state for upload in self._uploads()}

    def _is_spoiled(self, row: Export, states: Mapping[str, State]) -> bool:
        return any(states.get(one) is not State.RELEASED for one in self._included.get(row.id, ()))


def _free(row: Export, now: datetime) -> bool:
    stalled = row.lease_until is not None and row.lease_until <= now
    return row.phase is Phase.QUEUED or (row.phase is Phase.BUILDING and stalled)
