"""The accounts themselves."""

from collections.abc import Sequence
from typing import Protocol

from service.core.account import Account
from service.core.journal import Entry


class Accounts(Protocol):
    """Every account there is or was. Safe for many threads and processes at once.

    A change is durable when the call returned; its ``line`` is written to the log in the transaction that
    makes it true. All raise ``LedgerUnavailable``.
    """

    def find(self, account_id: str) -> Account | None:
        """Return an account, whatever its standing."""

    def add(self, account: Account, line: Entry) -> bool:
        """Add an account. Return false, and write no line, if there is one of its id already."""

    def change(self, account: Account, line: Entry | None) -> Account:
        """Put ``account`` in the place of the one of its id and version; return it with its version raised.
        Raises ``Conflict`` if that was changed meanwhile, and then nothing is changed."""

    def keyed(self, region: str) -> Account | None:
        """Return one account of a region that has a key, the same one as long as it has it."""

    def page(self, after: str, limit: int) -> Sequence[Account]:
        """Return accounts by their ids, the first after ``after``, without the one of the operator."""
