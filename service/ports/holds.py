"""What must stay by order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from service.core.hold import Hold
from service.core.journal import Entry


class Holds(Protocol):
    """Legal holds, live and lifted. Safe for many threads and processes at once.

    Each change is durable when the call returned, with its ``line`` in the log. The ledger asks for them in
    every save that would erase something (see ``Ledger.save``), and whoever deletes by another way asks in
    its own transaction. All raise ``LedgerUnavailable``.
    """

    def place(self, hold: Hold, line: Entry) -> None:
        """Keep a live hold. When the call returned nothing it covers is erased any more: a deletion that was
        under way came before, or finds the hold. Raises ``NotFound`` if there is no such account or upload in
        it, ``Gone`` if the upload was erased, ``AccountRemoved`` if the account was; nothing is kept then."""

    def lift(self, hold_id: str, by: str, at: datetime, line: Entry) -> bool:
        """End a hold. False, and nothing is changed or logged, if it is lifted already or unknown."""

    def find(self, hold_id: str) -> Hold | None:
        """Return a hold, live or not."""

    def page(self, before: str | None, limit: int, account_id: str | None = None) -> Sequence[Hold]:
        """Return holds, live or not, newest first, whose id sorts below ``before``; only those in one account
        if it is given."""

    def covering(self, account_id: str, meeting_id: str, upload_id: str) -> Sequence[Hold]:
        """Return the live holds by which an upload must stay, oldest first."""

    def within(self, account_id: str, meeting_id: str | None = None) -> bool:
        """Tell whether anything in an account, or in one of its meetings, must stay by a live hold."""
