"""Accounts in memory, keeping the promises of ``ports.Accounts``."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from service.core.account import OPERATOR, Account
from service.core.errors import AccountRemoved, Conflict
from service.core.journal import Entry
from tests.fakes.faults import Faults
from tests.fakes.journal import FakeJournal


class FakeAccounts:
    """The accounts, as values."""

    def __init__(self, faults: Faults, journal: FakeJournal) -> None:
        self._faults = faults
        self._journal = journal
        self._accounts: dict[str, Account] = {}
        self._lock = threading.RLock()

    def known(self, account_id: str, at: datetime) -> None:
        """Make an account if it is new, for the credentials of the same world."""
        with self._lock:
            self._accounts.setdefault(account_id, Account(account_id, at))

    def rename(self, account_id: str, mark: str, at: datetime) -> None:
        """Let an erased account be under its mark, as a part of somebody's transaction."""
        with self._lock:
            known = self._accounts.pop(account_id, None) or self._accounts.get(mark) or Account(mark, at)
            self._accounts[mark] = replace(known, id=mark, sealed_key=None, erased_at=at)

    def known_now(self, account_id: str) -> Account | None:
        """Return an account, for the other parts of the same world."""
        return self._accounts.get(account_id)

    def peek(self, account_id: str) -> Account:
        """Return an account, without any fault."""
        return self._accounts[account_id]

    def is_removed(self, account_id: str) -> bool:
        """Tell whether an account was removed, for the other parts of the same world."""
        account = self._accounts.get(account_id)
        return account is not None and account.removed_at is not None

    def check_there(self, account_id: str) -> None:
        """Refuse what is to begin in an account that is removed, for the ledger of the same world."""
        if self.is_removed(account_id):
            raise AccountRemoved("the account was removed")

    def find(self, account_id: str) -> Account | None:
        """Return an account."""
        with self._faults.at("accounts.find"):
            return self._accounts.get(account_id)

    def add(self, account: Account, line: Entry) -> bool:
        """Add one that is new."""
        with self._faults.at("accounts.add"), self._lock:
            if account.id in self._accounts:
                return False
            self._accounts[account.id] = account
            self._journal.record([line])
            return True

    def change(self, account: Account, line: Entry | None) -> Account:
        """Compare and swap."""
        with self._faults.at("accounts.change"), self._lock:
            known = self._accounts.get(account.id)
            if known is None or known.version != account.version:
                raise Conflict("The account was changed by another process.")
            changed = self._accounts[account.id] = replace(account, version=account.version + 1)
            if line is not None:
                self._journal.record([line])
            return changed

    def keyed(self, region: str) -> Account | None:
        """Return the first by id."""
        with self._faults.at("accounts.keyed"), self._lock:
            found = (one for one in self._accounts.values() if one.region == region and one.sealed_key)
            return min(found, key=lambda one: one.id, default=None)

    def page(self, after: str, limit: int) -> Sequence[Account]:
        """Return accounts by id."""
        with self._faults.at("accounts.page"), self._lock:
            found = sorted(one for one in self._accounts if one > after and one != OPERATOR)[:limit]
            return [self._accounts[one] for one in found]
