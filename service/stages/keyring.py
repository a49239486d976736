"""Keyring: accounts' keys, opened when they are needed and forgotten soon after.

A key that was destroyed is out of use in every process when this long is over.
"""

import threading
from dataclasses import replace
from typing import Final

from service.core.account import Account, Standing
from service.core.errors import Conflict, KeyDestroyed, NotFound
from service.ports import AccountKey, Accounts, Cipher, Clock

#: Seconds for which an opened key stays in the process.
KEPT: Final = 30.0


class Keyring:
    """The keys of all accounts. Safe for many threads at once."""

    def __init__(self, accounts: Accounts, cipher: Cipher, clock: Clock) -> None:
        """Find keys in ``accounts`` and open them with ``cipher``."""
        self._accounts = accounts
        self._cipher = cipher
        self._clock = clock
        self._opened: dict[str, tuple[float, AccountKey]] = {}
        self._lock = threading.Lock()

    def of(self, account_id: str) -> AccountKey:
        """Return an account's key, made when it is first needed.

        Raises ``KeyDestroyed`` for an account that was erased, ``NotFound`` for none, ``LedgerUnavailable``,
        ``KeysUnavailable`` and ``SecretsUnreadable``.
        """
        now = self._clock.monotonic()
        with self._lock:
            known = self._opened.get(account_id)
        if known is not None and now < known[0] + KEPT:
            return known[1]
        key = self._cipher.account_key(self._keyed(account_id))
        with self._lock:
            self._opened = {name: kept for name, kept in self._opened.items() if now < kept[0] + KEPT}
            self._opened[account_id] = now, key
        return key

    def check(self, region: str) -> None:
        """Raise whatever keeps this process from the keys of a region's accounts.

        A key that was sealed before tells a wrong master key from the right one. Raises
        ``LedgerUnavailable``, ``KeysUnavailable`` and ``SecretsUnreadable``.
        """
        known = self._accounts.keyed(region)
        if known is not None:
            self._cipher.account_key(known)
        else:
            self._cipher.new_account_key(Account("", self._clock.now(), region=region))

    def _keyed(self, account_id: str) -> Account:
        """Return an account that has a key."""
        while True:
            account = self._accounts.find(account_id)
            if account is None:
                raise NotFound("There is no such account.")
            if account.standing is Standing.ERASED:
                raise KeyDestroyed("The account was erased, and its key with it.")
            if account.sealed_key is not None:
                return account
            self.check(account.region)
            try:
                return self._accounts.change(
                    replace(account, sealed_key=self._cipher.new_account_key(account)), None
                )
            except Conflict:
                # Another process made it, or changed something else.
                continue
