"""Legal holds in memory, keeping the promises of ``ports.Holds``."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from service.core.account import Standing
from service.core.errors import AccountRemoved, Gone, NotFound, UnderHold
from service.core.hold import Hold, erases, lets_bytes_go
from service.core.journal import Entry
from service.core.upload import State, Upload
from tests.fakes.accounts import FakeAccounts
from tests.fakes.faults import Faults
from tests.fakes.journal import FakeJournal


class FakeHolds:
    """Holds as values. The ledger shares its lock and its rows with them, as parts of one database do."""

    def __init__(self, faults: Faults, journal: FakeJournal, accounts: FakeAccounts) -> None:
        self._faults = faults
        self._journal = journal
        self._accounts = accounts
        self._holds: dict[str, Hold] = {}
        self._lock = threading.RLock()
        self._uploads: Mapping[str, Upload] = {}

    def share(self, lock: "threading.RLock", uploads: Mapping[str, Upload]) -> None:
        """Be one database with a ledger."""
        self._lock, self._uploads = lock, uploads

    def place(self, hold: Hold, line: Entry) -> None:
        """Keep a hold."""
        with self._faults.at("holds.place"), self._lock:
            account = self._accounts.known_now(hold.account_id)
            if account is None:
                raise NotFound("no such account")
            if account.standing is Standing.ERASED:
                raise AccountRemoved("erased")
            upload = self._uploads.get(hold.upload_id) if hold.upload_id else None
            if hold.upload_id is not None and (
                upload is None or (upload.account_id, upload.meeting_id) != (account.id, hold.meeting_id)
            ):
                raise NotFound("no such upload")
            if upload is not None and upload.state is State.ERASED:
                raise Gone("erased")
            self._holds[hold.id] = hold
            self._journal.record([line])

    def lift(self, hold_id: str, by: str, at: datetime, line: Entry) -> bool:
        """End a hold."""
        with self._faults.at("holds.lift"), self._lock:
            hold = self._holds.get(hold_id)
            if hold is None or not hold.is_live:
                return False
            self._holds[hold_id] = replace(hold, lifted_by=by, lifted_at=at)
            self._journal.record([line])
            return True

    def find(self, hold_id: str) -> Hold | None:
        """Return a hold."""
        with self._faults.at("holds.find"):
            return self._holds.get(hold_id)

    def page(self, before: str | None, limit: int, account_id: str | None = None) -> Sequence[Hold]:
        """Return a page of holds."""
        with self._faults.at("holds.page"), self._lock:
            there = [self._holds[key] for key in sorted(self._holds, reverse=True)]
            wanted = [one for one in there if account_id in {None, one.account_id}]
            return [one for one in wanted if before is None or one.id < before][:limit]

    def covering(self, account_id: str, meeting_id: str, upload_id: str) -> Sequence[Hold]:
        """Return the holds on an upload."""
        with self._faults.at("holds.covering"), self._lock:
            there = [self._holds[key] for key in sorted(self._holds)]
            return [one for one in there if one.covers(account_id, meeting_id, upload_id)]

    def within(self, account_id: str, meeting_id: str | None = None) -> bool:
        """Tell whether anything must stay."""
        with self._faults.at("holds.within"):
            return self.within_now(account_id, meeting_id)

    def within_now(self, account_id: str, meeting_id: str | None) -> bool:
        """Tell the same to the other parts of the same world."""
        with self._lock:
            live = [one for one in self._holds.values() if one.is_live and one.account_id == account_id]
            return any(meeting_id is None or one.meeting_id in {None, meeting_id} for one in live)

    def heed(self, upload: Upload) -> bool:
        """Tell a save of ``upload`` whether its bytes stay, or raise ``UnderHold``."""
        named = (upload.account_id, upload.meeting_id, upload.id)
        if not any(one.covers(*named) for one in self._holds.values()):
            return False
        if erases(upload):
            raise UnderHold("under hold")
        return lets_bytes_go(upload)
