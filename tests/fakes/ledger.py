"""The ledger in memory, keeping the promises of ``ports.Ledger``."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from service.core.account import Plan
from service.core.decision import Warrant
from service.core.errors import Conflict, NotReleased, QuotaExceeded, Unauthenticated
from service.core.journal import Act, Entry, of_move
from service.core.retention import RETAINED, Periods
from service.core.upload import Event, Leftover, LogLine, State, Upload
from service.core.webhook import MOST_DOWNLOADS, EventType, Notice, with_downloads
from service.ports import Claim, Job, advancing
from tests.fakes.answers import FakeAnswers
from tests.fakes.credentials import FakeCredentials
from tests.fakes.decisions import FakeDecisions
from tests.fakes.faults import Faults
from tests.fakes.holds import FakeHolds
from tests.fakes.journal import FakeJournal


class FakeLedger:
    """Rows are values, so nobody holds a row by reference; a save is checked whole before it begins."""

    def __init__(
        self,
        faults: Faults,
        enqueue: Callable[[Job], None],
        credentials: FakeCredentials,
        answers: FakeAnswers | None = None,
        announce: Callable[[Upload, Sequence[Notice]], None] = lambda *_: None,
        journal: FakeJournal | None = None,
        decisions: FakeDecisions | None = None,
        holds: FakeHolds | None = None,
    ) -> None:
        """Queue jobs by ``enqueue``, take keys in ``answers`` and keep notices by ``announce``, as parts of
        the save: if one raises, nothing is saved. The grants that uploads come under are in ``credentials``,
        what people say over the scanner in ``decisions``, what must stay in ``holds``; moves are lines of
        ``journal``.
        """
        self._faults = faults
        self._journal = journal or FakeJournal(faults)
        self._answers = answers or FakeAnswers(faults)
        self._enqueue = enqueue
        self._announce = announce
        self._rows: dict[str, Upload] = {}
        self._lines: dict[str, list[LogLine]] = {}
        #: How often each upload was downloaded.
        self.downloads: Counter[str] = Counter()
        self.lock = threading.RLock()
        self._credentials = credentials
        credentials.uploads = self.rows
        self._decisions = decisions or FakeDecisions(faults)
        self._decisions.share(self.lock, self._rows)
        self._holds = holds or FakeHolds(faults, self._journal, credentials.accounts)
        self._holds.share(self.lock, self._rows)
        credentials.holds = self._holds.within_now

    def save(
        self,
        upload: Upload,
        *,
        wake: bool = False,
        claim: Claim | None = None,
        notices: Sequence[Notice] = (),
        warrant: Warrant | None = None,
    ) -> Upload:
        """Save in one transaction."""
        with self._faults.at("ledger.save"), self.lock:
            row = self._rows.get(upload.id)
            if (row.version if row else 0) != upload.version:
                raise Conflict("changed by another process")
            if row is None:
                self._credentials.accounts.check_there(upload.account_id)
            if any(line.event is Event.RETENTION_ENDED for line in upload.unsaved):
                self._credentials.accounts.check_there(upload.account_id)
            self._decisions.check(upload, warrant)
            if claim is not None:
                self._answers.check_free(claim)
            if row is None and upload.state is State.RECEIVING and upload.grant_id is not None:
                self._reserve(upload, upload.grant_id)
            known = row.segments if row else ()
            assert upload.segments[: len(known)] == known, "a stored segment never changes"
            lines = [replace(line, detail=json.loads(json.dumps(line.detail))) for line in upload.unsaved]
            saved = replace(upload, version=upload.version + 1, unsaved=())
            if self._holds.heed(upload):
                saved = replace(saved, leftover=Leftover.NOTHING)
            if wake:
                self._enqueue(advancing(saved))
            if claim is not None:
                self._answers.take_key(claim, upload.id)
            self._announce(saved, [self._complete(one) for one in notices])
            self._decisions.use(warrant)
            self._rows[upload.id] = saved
            self._lines.setdefault(upload.id, []).extend(lines)
            self._journal.record([of_move(saved, line) for line in lines])
            return saved

    def _reserve(self, upload: Upload, grant_id: str) -> None:
        known = self._credentials.stored(upload.account_id, grant_id)
        if known is None:
            raise Conflict("the grant is not known")
        if known.revoked_at is not None:
            raise Unauthenticated("the grant was revoked")
        if known.files >= (known.grant.max_files or 0):
            raise QuotaExceeded("the files are used up")
        if known.bytes + (upload.reserved or 0) > (known.grant.max_bytes or 0):
            raise QuotaExceeded("the bytes are used up")

    def renew(self, upload: Upload, lease_until: datetime) -> None:
        """Prolong the lease."""
        with self._faults.at("ledger.renew"), self.lock:
            row = self._rows.get(upload.id)
            if row is None or row.version != upload.version:
                raise Conflict("changed by another process")
            self._rows[upload.id] = replace(row, lease_until=lease_until)

    def find(self, upload_id: str) -> Upload | None:
        """Return one upload."""
        with self._faults.at("ledger.find"):
            return self._rows.get(upload_id)

    def history(self, upload_id: str) -> Sequence[LogLine]:
        """Return one upload's lines."""
        with self._faults.at("ledger.history"), self.lock:
            return list(self._lines.get(upload_id, ()))

    def page(
        self,
        account_id: str,
        meeting_id: str,
        before: str | None,
        limit: int,
        state: State | None = None,
    ) -> Sequence[Upload]:
        """Return a page of one meeting."""
        with self._faults.at("ledger.page"):
            found = [
                row
                for row in self.rows()
                if row.account_id == account_id
                and row.meeting_id == meeting_id
                and (before is None or row.id < before)
                and (state is None or row.state is state)
            ]
            return found[::-1][:limit]

    def belonging(self, account_id: str, person: str | None, after: str, limit: int) -> Sequence[Upload]:
        """Return the uploads of an account or of one of its people."""
        with self._faults.at("ledger.belonging"):
            return [row for row in self._belonging(account_id, person) if row.id > after][:limit]

    def count(self, account_id: str, person: str | None) -> int:
        """Count them."""
        with self._faults.at("ledger.count"):
            return len(self._belonging(account_id, person))

    def _belonging(self, account_id: str, person: str | None) -> list[Upload]:
        theirs = [row for row in self.rows() if row.account_id == account_id]
        return [row for row in theirs if person in {None, row.person}]

    def at_rest(self, periods: Mapping[Plan, Periods], at: datetime, after: str, limit: int) -> Sequence[str]:
        """Return what waits for its end, over or not."""
        with self._faults.at("ledger.at_rest"):
            assert set(periods) == set(Plan)
            found = [row for row in self.rows() if row.state in RETAINED and row.updated_at <= at]
            accounts = self._credentials.accounts
            here = [row.id for row in found if not accounts.is_removed(row.account_id)]
            return [one for one in here if one > after][:limit]

    def unattended(self, now: datetime, states: Sequence[State], limit: int) -> Sequence[Upload]:
        """Return what nobody is at work on."""
        with self._faults.at("ledger.unattended"):
            found = [
                row
                for row in self.rows()
                if row.state in states
                and (row.lease_until is None or row.lease_until <= now)
                and (row.due_at is None or row.due_at <= now)
            ]
            return found[:limit]

    def with_leftovers(self, now: datetime, limit: int) -> Sequence[Upload]:
        """Return what has objects to delete and is due."""
        with self._faults.at("ledger.with_leftovers"):
            found = [row for row in self.rows() if row.leftover is not Leftover.NOTHING]
            return [row for row in found if row.due_at is None or row.due_at <= now][:limit]

    def swept(self, uploads: Sequence[Upload], at: datetime) -> None:
        """Note what was deleted, unless it changed."""
        with self._faults.at("ledger.swept"), self.lock:
            for upload in uploads:
                row = self._rows[upload.id]
                if row.version == upload.version:
                    self._rows[upload.id] = replace(row, leftover=Leftover.NOTHING, due_at=at)

    def returned(self, upload: Upload) -> Upload:
        """Note where a content is again."""
        with self._faults.at("ledger.returned"), self.lock:
            row = self._rows[upload.id]
            if row.version != upload.version:
                raise Conflict("changed by another process")
            back = replace(row, leftover=upload.leftover, segments=upload.segments, version=row.version + 1)
            self._rows[upload.id] = back
            return back

    def downloaded(self, line: Entry) -> None:
        """Count and log."""
        with self._faults.at("ledger.downloaded"), self.lock:
            row = self._rows.get(line.upload_id or "")
            if row is None or row.state is not State.RELEASED:
                raise NotReleased("not released any more")
            self.downloads[row.id] += 1
            self._journal.record([line])

    def _complete(self, notice: Notice) -> Notice:
        if notice.type != EventType.RECALLED:
            return notice
        its = [
            entry
            for entry in self._journal.entries
            if entry.upload_id == notice.upload_id and entry.event == Act.DOWNLOADED
        ]
        return with_downloads(notice, len(its), its[::-1][:MOST_DOWNLOADS])

    def ping(self) -> None:
        """Answer."""
        with self._faults.at("ledger.ping"):
            return

    def rows(self) -> list[Upload]:
        """Return every row, oldest first, for the tests to look at."""
        with self.lock:
            return [self._rows[key] for key in sorted(self._rows)]

    def put(self, row: Upload) -> None:
        """Put a row in the place of the one of its id, as a part of somebody's transaction."""
        with self.lock:
            self._rows[row.id] = row

    def lines(self, upload_id: str) -> list[LogLine]:
        """Return one upload's lines, for the tests to look at."""
        return list(self._lines.get(upload_id, ()))
