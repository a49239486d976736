"""Erasures in memory, keeping the promises of ``ports.Erasures``."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from service.core.erasure import Erasure, Reach
from service.core.errors import Conflict, UnderHold
from service.core.journal import Entry
from service.core.line import OURS, UNPUBLISHED
from service.core.upload import State, Upload
from tests.fakes.accounts import FakeAccounts
from tests.fakes.checkpoints import FakeCheckpoints
from tests.fakes.credentials import FakeCredentials
from tests.fakes.faults import Faults
from tests.fakes.holds import FakeHolds
from tests.fakes.journal import FakeJournal
from tests.fakes.ledger import FakeLedger


class FakeErasures:
    """Erasures as values; what they forget is forgotten in the other fakes of the same world."""

    def __init__(
        self,
        faults: Faults,
        ledger: FakeLedger,
        journal: FakeJournal,
        accounts: FakeAccounts,
        credentials: FakeCredentials,
        checkpoints: FakeCheckpoints,
        holds: FakeHolds,
    ) -> None:
        self._faults = faults
        self._ledger = ledger
        self._journal = journal
        self._accounts = accounts
        self._credentials = credentials
        self._checkpoints = checkpoints
        self._holds = holds
        self._lock = threading.RLock()
        self._erasures: dict[str, Erasure] = {}
        self.forgotten: dict[str, str] = {}
        self.compacted = 0

    def ask(self, erasure: Erasure, line: Entry) -> Erasure:
        """Add one, or return the one that is under way."""
        with self._faults.at("erasures.ask"), self._lock:
            same = (erasure.account_id, erasure.reach, erasure.mark)
            for known in self._erasures.values():
                if (known.account_id, known.reach, known.mark) == same and known.done_at is None:
                    return known
            self._check_holds(erasure)
            self._erasures[erasure.id] = erasure
            self._journal.record([line])
            return erasure

    def find(self, erasure_id: str) -> Erasure | None:
        """Return one."""
        with self._faults.at("erasures.find"):
            return self._erasures.get(erasure_id)

    def of_upload(self, upload_id: str) -> Erasure | None:
        """Return the one that has forgotten an upload."""
        with self._faults.at("erasures.of_upload"), self._lock:
            return self._erasures.get(self.forgotten.get(upload_id, ""))

    def undone(self, limit: int, *, let_go: bool, after: str = "") -> Sequence[Erasure]:
        """Return those to work on."""
        with self._faults.at("erasures.undone"), self._lock:
            undone = [one for one in self.all() if one.done_at is None and (one.subject is None) is let_go]
            return [one for one in undone if one.id > after][:limit]

    def all(self) -> list[Erasure]:
        """Return every one, oldest first, for the tests to look at."""
        return [self._erasures[key] for key in sorted(self._erasures)]

    def unasked(self, limit: int) -> Sequence[str]:
        """Return what was erased alone."""
        with self._faults.at("erasures.unasked"):
            erased = [row.id for row in self._ledger.rows() if row.state is State.ERASED]
            return [upload_id for upload_id in erased if upload_id not in self.forgotten][:limit]

    def uploads(self, erasure: Erasure, after: str, limit: int) -> Sequence[str]:
        """Return the ids of what is not forgotten."""
        with self._faults.at("erasures.uploads"):
            found = [row.id for row in self._ledger.rows() if row.id > after and self._carries(row, erasure)]
            return found[:limit]

    def _carries(self, row: Upload, erasure: Erasure) -> bool:
        its = row.account_id == erasure.account_id
        match erasure.reach:
            case Reach.UPLOAD:
                return row.id == erasure.subject and row.id not in self.forgotten
            case Reach.MEETING:
                return its and row.created_at <= erasure.asked_at and row.meeting_id == erasure.subject
            case Reach.PERSON:
                return its and row.created_at <= erasure.asked_at and row.person == erasure.subject
            case Reach.ACCOUNT:
                return its

    def shut(self, erasure: Erasure) -> None:
        """Close the doors."""
        with self._faults.at("erasures.shut"), self._lock:
            self._check_holds(erasure)
            if erasure.reach is Reach.ACCOUNT:
                self._credentials.forget_account(erasure.account_id)
            elif erasure.reach is not Reach.UPLOAD:
                self._credentials.end_grants(erasure)

    def forget_uploads(self, erasure: Erasure, upload_ids: Sequence[str]) -> None:
        """Forget what uploads have."""
        with self._faults.at("erasures.forget_uploads"), self._lock:
            rows = {row.id: row for row in self._ledger.rows()}
            if any(rows[upload_id].state is not State.ERASED for upload_id in upload_ids):
                raise Conflict("an upload is not erased yet")
            if erasure.reach is Reach.ACCOUNT:
                self._accounts.known(erasure.mark, erasure.asked_at)
            for upload_id in upload_ids:
                row = rows[upload_id]
                self._ledger.put(
                    replace(
                        row,
                        name="",
                        declared_type="",
                        person=None,
                        content_key=None,
                        traceparent=None,
                        segments=(),
                        grant_id=row.grant_id if erasure.reach is Reach.UPLOAD else None,
                        **_marks(erasure),
                    )
                )
                self.forgotten[upload_id] = erasure.id

    def forget_others(self, erasure: Erasure) -> int:
        """Forget the rest."""
        with self._faults.at("erasures.forget_others"), self._lock:
            self._check_holds(erasure)
            found = 0
            for row, entry in enumerate(self._journal.entries, start=1):
                kept = self._kept(entry, erasure)
                found += kept != entry
                if row in self._journal.places:
                    self._journal.entries[row - 1] = kept
            return found

    def _kept(self, entry: Entry, erasure: Erasure) -> Entry:
        of_upload = self.forgotten.get(entry.upload_id or "") == erasure.id
        of_none = entry.upload_id is None and entry.account_id == erasure.account_id
        if erasure.reach is Reach.MEETING:
            of_none = of_none and entry.meeting_id == erasure.subject and entry.at <= erasure.asked_at
        elif erasure.reach is not Reach.ACCOUNT:
            of_none = False
        if not (of_upload or of_none):
            return entry
        ours = entry.actor is not None and entry.actor.partition(":")[0] in OURS
        wide = erasure.reach in {Reach.MEETING, Reach.ACCOUNT}
        return replace(
            entry,
            actor=entry.actor if ours else None,
            detail={name: value for name, value in entry.detail.items() if name not in UNPUBLISHED},
            meeting_id=None if wide else entry.meeting_id,
            account_id=None if erasure.reach is Reach.ACCOUNT else entry.account_id,
        )

    def let_go(self, erasure: Erasure) -> Erasure:
        """Forget what it was about."""
        with self._faults.at("erasures.let_go"), self._lock:
            self._check_holds(erasure)
            its = {upload_id for upload_id, by in self.forgotten.items() if by == erasure.id}
            rows = [row for row in self._ledger.rows() if row.id in its]
            if erasure.reach is Reach.ACCOUNT:
                self._let_account_go(erasure)
            size = sum(row.size or 0 for row in rows)
            known = replace(self._erasures[erasure.id], subject=None, uploads=len(rows), size=size)
            self._erasures[erasure.id] = known
            return known

    def _check_holds(self, erasure: Erasure) -> None:
        if erasure.reach in {Reach.MEETING, Reach.ACCOUNT}:
            meeting_id = erasure.subject if erasure.reach is Reach.MEETING else None
            if self._holds.within_now(erasure.account_id, meeting_id):
                raise UnderHold("something in it must stay")

    def _let_account_go(self, erasure: Erasure) -> None:
        if any(row.account_id == erasure.account_id for row in self._ledger.rows()):
            raise Conflict("something belongs to it")
        self._accounts.rename(erasure.account_id, erasure.mark, erasure.asked_at)
        self._checkpoints.rename_pseudonym_key(erasure.account_id, erasure.mark)
        for one in self.all():
            if one.account_id == erasure.account_id:
                self._erasures[one.id] = replace(one, account_id=erasure.mark)

    def compact(self) -> None:
        """Count that it was asked for."""
        with self._faults.at("erasures.compact"):
            self.compacted += 1

    def finish(self, erasure: Erasure, line: Entry) -> Erasure:
        """Write the line, once."""
        with self._faults.at("erasures.finish"), self._lock:
            known = self._erasures[erasure.id]
            if known.done_at is None:
                self._journal.record([line])
                known = replace(known, done_at=line.at, line=len(self._journal.entries))
                self._erasures[erasure.id] = known
            return known


def _marks(erasure: Erasure) -> dict[str, Any]:
    match erasure.reach:
        case Reach.ACCOUNT:
            return {"account_id": erasure.mark, "meeting_id": erasure.mark}
        case Reach.MEETING:
            return {"meeting_id": erasure.mark}
    return {}
