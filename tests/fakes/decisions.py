"""Decisions and the allow-list in memory, keeping the promises of ``ports.decisions``."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from service.core.decision import Allowance, Decision, Standing, Warrant, check_warrant
from service.core.errors import AllowanceEnded, AlreadyAllowed, AlreadyProposed, Conflict
from service.core.journal import Entry
from service.core.upload import Upload
from tests.fakes.faults import Faults
from tests.fakes.journal import FakeJournal


class FakeDecisions:
    """Decisions as values, with their ``allowances``. The ledger shares its lock and its rows with them, as
    parts of one database do.
    """

    def __init__(self, faults: Faults, journal: FakeJournal | None = None) -> None:
        """Write lines to ``journal``."""
        self._faults = faults
        self.journal = journal or FakeJournal(faults)
        self._decisions: dict[str, Decision] = {}
        self._lock = threading.RLock()
        self._uploads: Mapping[str, Upload] = {}
        self.allowances = FakeAllowances(faults, self.journal)

    def share(self, lock: "threading.RLock", uploads: Mapping[str, Upload]) -> None:
        """Be one database with a ledger."""
        self._lock = self.allowances.lock = lock
        self._uploads = uploads

    def propose(self, decision: Decision, entry: Entry) -> None:
        """Keep a proposal, unless another one is open."""
        with self._faults.at("decisions.propose"), self._lock:
            self._check_still(decision)
            there = [one for one in self.of_upload_now(decision.upload_id) if one.standing is Standing.OPEN]
            now = self._uploads[decision.upload_id]
            if any(one.standing_on(now, decision.proposed_at) is Standing.OPEN for one in there):
                raise AlreadyProposed("another one is open")
            for one in there:
                self._decisions[one.id] = replace(one, standing=Standing.LAPSED)
            self._decisions[decision.id] = decision
            self.journal.record([entry])

    def reject(self, decision: Decision, entry: Entry) -> None:
        """Close a proposal."""
        with self._faults.at("decisions.reject"), self._lock:
            self._check_open(decision)
            self._decisions[decision.id] = decision
            self.journal.record([entry])

    def allow(self, decision: Decision, allowance_id: str, entry: Entry) -> Allowance:
        """Close a proposal and add to the allow-list."""
        allowance = decision.allowance(allowance_id)
        with self._faults.at("decisions.allow"), self._lock:
            self._check_still(decision)
            self._check_open(decision)
            self.allowances.add(allowance)
            self._decisions[decision.id] = decision
            self.journal.record([entry])
            return allowance

    def find(self, decision_id: str) -> Decision | None:
        """Return a decision."""
        with self._faults.at("decisions.find"):
            return self._decisions.get(decision_id)

    def of_upload(self, upload_id: str) -> Sequence[Decision]:
        """Return the decisions about an upload."""
        with self._faults.at("decisions.of_upload"):
            return self.of_upload_now(upload_id)

    def waiting(self, at: datetime, upload_ids: Sequence[str] | None, limit: int) -> Sequence[Decision]:
        """Return proposals that can still be confirmed."""
        with self._faults.at("decisions.waiting"), self._lock:
            there = sorted(self._decisions.values(), key=lambda one: one.id)
            wanted = [one for one in there if upload_ids is None or one.upload_id in upload_ids]
            live = [one for one in wanted if one.standing is Standing.OPEN]
            still = [
                one for one in live if one.standing_on(self._uploads[one.upload_id], at) is Standing.OPEN
            ]
            return still[:limit]

    def of_upload_now(self, upload_id: str) -> list[Decision]:
        """Return the same, for the tests to look at."""
        with self._lock:
            there = sorted(self._decisions.values(), key=lambda one: one.id, reverse=True)
        return [one for one in there if one.upload_id == upload_id]

    def known(self, decision_id: str) -> Decision | None:
        """Return a decision, for the tests to look at."""
        return self._decisions.get(decision_id)

    def check(self, upload: Upload, warrant: Warrant | None) -> None:
        """Raise what a save of ``upload`` with its warrant has to raise."""
        check_warrant(upload, warrant)
        if isinstance(warrant, Decision):
            self._check_open(warrant)
        if isinstance(warrant, Allowance):
            self.allowances.check(warrant, upload.updated_at)

    def use(self, warrant: Warrant | None) -> None:
        """Note what a save relied on."""
        if isinstance(warrant, Decision):
            self._decisions[warrant.id] = warrant

    def _check_still(self, decision: Decision) -> None:
        upload = self._uploads.get(decision.upload_id)
        if upload is None or upload.version != decision.version:
            raise Conflict("the upload was changed")

    def _check_open(self, decision: Decision) -> None:
        """Settled must be what is open, and nothing else of it may differ."""
        row = self._decisions.get(decision.id)
        proposed = replace(decision, standing=Standing.OPEN, settled_by=None, settled_at=None)
        at = decision.settled_at
        if row != proposed or at is None or at >= decision.expires_at:
            raise Conflict("the proposal was settled")
        if decision.settled_by == decision.proposed_by:
            raise Conflict("by the proposer")


class FakeAllowances:
    """The allow-list beside the decisions, of the same database."""

    def __init__(self, faults: Faults, journal: FakeJournal) -> None:
        """Write lines to ``journal``."""
        self._faults = faults
        self.journal = journal
        self._rows: dict[str, Allowance] = {}
        self.lock = threading.RLock()

    def excusing(self, sha256: str, signature: str, at: datetime) -> Allowance | None:
        """Return a live allowance."""
        with self._faults.at("allowances.excusing"), self.lock:
            return self._excusing(sha256, signature, at)

    def find(self, allowance_id: str) -> Allowance | None:
        """Return an allowance."""
        with self._faults.at("allowances.find"):
            return self._rows.get(allowance_id)

    def page(self, before: str | None, limit: int) -> Sequence[Allowance]:
        """Return a page of the allow-list."""
        with self._faults.at("allowances.page"), self.lock:
            there = [self._rows[key] for key in sorted(self._rows, reverse=True)]
            return [one for one in there if before is None or one.id < before][:limit]

    def revoke(self, allowance_id: str, reviewer_id: str, at: datetime, entry: Entry) -> bool:
        """End an allowance."""
        with self._faults.at("allowances.revoke"), self.lock:
            row = self._rows.get(allowance_id)
            if row is None or row.revoked_at is not None:
                return False
            self._rows[allowance_id] = replace(row, revoked_by=reviewer_id, revoked_at=at)
            self.journal.record([entry])
            return True

    def add(self, allowance: Allowance) -> None:
        """Add one as part of a decision."""
        if self._excusing(allowance.sha256, allowance.signature, allowance.created_at):
            raise AlreadyAllowed("excused already")
        self._rows[allowance.id] = allowance

    def check(self, allowance: Allowance, at: datetime) -> None:
        """Raise ``AllowanceEnded`` unless it is as it was, and live."""
        if self._rows.get(allowance.id) != allowance or not allowance.is_live(at):
            raise AllowanceEnded("revoked or expired")

    def _excusing(self, sha256: str, signature: str, at: datetime) -> Allowance | None:
        found = (one for one in self._rows.values() if (one.sha256, one.signature) == (sha256, signature))
        return next((one for one in found if one.is_live(at)), None)
