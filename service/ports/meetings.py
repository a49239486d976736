"""What backends said of their meetings."""

from collections.abc import Sequence
from typing import Protocol

from service.core.journal import Entry
from service.core.meeting import Meeting


class Meetings(Protocol):
    """The meetings that somebody spoke of. Safe for many threads and processes at once.

    A change is durable when the call returned; its ``line`` is written to the log in the transaction that
    makes it true. All raise ``LedgerUnavailable``.
    """

    def find(self, account_id: str, meeting_id: str) -> Meeting | None:
        """Return a meeting of an account."""

    def page(self, account_id: str, after: str, limit: int) -> Sequence[Meeting]:
        """Return meetings of an account by their ids, those that come ``after`` one."""

    def save(self, meeting: Meeting, line: Entry) -> Meeting:
        """Save a meeting; return it with its version raised. Version 0 is inserted; any other must still be
        the stored one's. Raises ``Conflict`` if it is not, and then nothing is changed."""
