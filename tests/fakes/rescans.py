"""Rescans in memory, keeping the promises of ``ports.Rescans``."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from service.core.rescan import STILL_ON, Rescan, Taken, Wanted, came_in, line_of
from service.core.upload import State, Upload
from tests.fakes.accounts import FakeAccounts
from tests.fakes.faults import Faults
from tests.fakes.journal import FakeJournal
from tests.fakes.ledger import FakeLedger
from tests.fakes.meetings import FakeMeetings


@dataclass
class _File:
    upload: Upload
    downloads: int
    attempts: int
    due_at: datetime


class FakeRescans:
    """Rescans and their files, by upload and rescan. All changes hold the ledger's lock."""

    def __init__(
        self,
        faults: Faults,
        journal: FakeJournal,
        ledger: FakeLedger,
        accounts: FakeAccounts,
        meetings: FakeMeetings,
    ) -> None:
        self._faults = faults
        self._journal = journal
        self._ledger = ledger
        self._accounts = accounts
        self._meetings = meetings
        self._rescans: dict[int, Rescan] = {}
        self._files: dict[tuple[str, int], _File] = {}
        #: With which signatures each upload was scanned again last.
        self.scanned_with: dict[str, int] = {}

    def begin(self, wanted: Wanted, at: datetime) -> Rescan | None:
        """Put down what is wanted."""
        with self._faults.at("rescans.begin"), self._ledger.lock:
            version = wanted.signature_version
            if version is not None:
                mine = [one for one in self.open() if one.wanted.signature_version is not None]
                if any((one.wanted.signature_version or 0) >= version for one in mine):
                    return None
                for one in mine:
                    self._end(replace(one, ended_at=at, superseded=True))
            files = [row for row in self._ledger.rows() if self._is_wanted(row, wanted)]
            if not files:
                return None
            made = Rescan(max(self._rescans, default=0) + 1, wanted, at, len(files))
            self._rescans[made.id] = made
            for row in files:
                self._files[row.id, made.id] = _File(row, self._ledger.downloads[row.id], 0, at)
            self._journal.record([line_of(made)])
            return made

    def _is_wanted(self, row: Upload, wanted: Wanted) -> bool:
        engine = row.verdict.engine if row.verdict else None
        with_ = [engine.signature_version if engine else None, self.scanned_with.get(row.id)]
        old = wanted.signature_version is None or all(
            one is None or one < wanted.signature_version for one in with_
        )
        return (
            row.state is State.RELEASED
            and not self._accounts.is_removed(row.account_id)
            and old
            and wanted.account_id in {None, row.account_id}
            and wanted.upload_id in {None, row.id}
        )

    def take(self, signature_version: int | None, now: datetime, until: datetime) -> Taken | None:
        """Take the first."""
        with self._faults.at("rescans.take"), self._ledger.lock:
            may = self._doable(signature_version)
            due = [file for key, file in self._files.items() if key[1] in may and file.due_at <= now]
            if not due:
                return None
            due.sort(key=lambda file: (came_in(file.upload.id), file.downloads, file.upload.id), reverse=True)
            upload_id = min(due, key=lambda file: self._start(file, now)).upload.id
            attempts = 0
            for key, file in self._files.items():
                if key[0] == upload_id:
                    file.due_at, file.attempts = until, file.attempts + 1
                    attempts = max(attempts, file.attempts)
            return Taken(upload_id, signature_version, attempts)

    def _start(self, file: _File, now: datetime) -> datetime:
        """Return when a file's meeting starts, the end of time for those of no meeting to come."""
        start = self._meetings.start(file.upload.account_id, file.upload.meeting_id)
        return start if start is not None and start >= now - STILL_ON else datetime.max.replace(tzinfo=UTC)

    def put_off(self, taken: Taken, until: datetime) -> None:
        """Let it wait."""
        with self._faults.at("rescans.put_off"), self._ledger.lock:
            for key, file in self._files.items():
                if key[0] == taken.upload_id:
                    file.due_at = until

    def finish(self, taken: Taken, *, scanned: bool = True) -> None:
        """Count what it has become."""
        with self._faults.at("rescans.finish"), self._ledger.lock:
            may = self._doable(taken.signature_version)
            gone = [key for key in self._files if key[0] == taken.upload_id and key[1] in may]
            (state,) = [row.state for row in self._ledger.rows() if row.id == taken.upload_id]
            for key in gone:
                del self._files[key]
                one = self._rescans[key[1]]
                self._rescans[key[1]] = replace(
                    one,
                    done=one.done + 1,
                    recalled=one.recalled + (state is State.BLOCKED),
                    held=one.held + (state is State.HELD),
                )
            if gone and scanned and state is State.RELEASED and taken.signature_version is not None:
                self.scanned_with[taken.upload_id] = taken.signature_version

    def end(self, at: datetime) -> Sequence[Rescan]:
        """End those without files."""
        with self._faults.at("rescans.end"), self._ledger.lock:
            busy = {key[1] for key in self._files}
            return [self._end(replace(one, ended_at=at)) for one in self.open() if one.id not in busy]

    def _end(self, ended: Rescan) -> Rescan:
        self._files = {key: file for key, file in self._files.items() if key[1] != ended.id}
        self._rescans[ended.id] = ended
        self._journal.record([line_of(ended)])
        return ended

    def find(self, rescan_id: int) -> Rescan | None:
        """Return the one."""
        with self._faults.at("rescans.find"), self._ledger.lock:
            return self._rescans.get(rescan_id)

    def newest(self, limit: int) -> Sequence[Rescan]:
        """Return the newest."""
        with self._faults.at("rescans.newest"), self._ledger.lock:
            return [self._rescans[key] for key in sorted(self._rescans, reverse=True)][:limit]

    def under_way(self) -> Sequence[Rescan]:
        """Return those that are open."""
        with self._faults.at("rescans.under_way"), self._ledger.lock:
            return self.open()

    def open(self) -> list[Rescan]:
        """Return those that have not ended, for the tests to look at."""
        return [one for _, one in sorted(self._rescans.items()) if one.ended_at is None]

    def due(self, now: datetime) -> bool:
        """Tell whether a file may be taken, for the tests to look at."""
        return any(file.due_at <= now for file in self._files.values())

    def _doable(self, signature_version: int | None) -> set[int]:
        return {
            one.id
            for one in self.open()
            if (version := one.wanted.signature_version) is None
            or (signature_version is not None and version <= signature_version)
        }
