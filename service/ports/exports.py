"""The exports that were asked for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from service.core.export import Export
from service.core.journal import Entry


class Exports(Protocol):
    """Every export that was asked for. Safe for many threads and processes at once.

    Each call that changes something is one transaction, with its line of the log; it is durable when the call
    returned. All raise ``LedgerUnavailable``.
    """

    def ask(self, export: Export, line: Entry) -> Export:
        """Add an export and return it; or return the one of the same account and person that is not built
        yet, and write no line."""

    def find(self, export_id: str) -> Export | None:
        """Return an export, whoever owns it."""

    def claim(self, now: datetime, lease_until: datetime) -> Export | None:
        """Take an export that waits to be built, or that nobody builds any more, and return it BUILDING under
        a lease, with one more attempt. Of several, the one with the fewest attempts, then the oldest."""

    def renew(self, export: Export, lease_until: datetime, done: int, total: int) -> None:
        """Prolong the lease and tell how far it is, without a new version. Raises ``Conflict`` if another
        process changed the export."""

    def save(self, export: Export, line: Entry | None = None) -> Export:
        """Put ``export`` in the place of the one of its id and version; return it with its version raised.
        Raises ``Conflict`` if that was changed meanwhile, and then nothing is changed."""

    def finish(self, export: Export, upload_ids: Sequence[str], line: Entry) -> Export:
        """Save as ``save`` does an export in which the contents of these uploads are. Any of them that is not
        released by then is a ``Conflict`` too."""

    def spoiled(self, limit: int, export_id: str | None = None) -> Sequence[Export]:
        """Return READY exports, or that one if it is, in which the content of an upload is that is not
        released any more."""

    def expired(self, now: datetime, limit: int) -> Sequence[Export]:
        """Return READY exports whose time is over."""

    def with_leftovers(self, now: datetime, limit: int) -> Sequence[Export]:
        """Return exports that are READY or EXPIRED, whose objects are to be deleted, and that are due."""

    def of(self, account_id: str, person: str | None = None) -> Sequence[Export]:
        """Return the exports of an account, of one of its people only if one is given, oldest first."""

    def requests(self, before: str | None, limit: int) -> Sequence[Export]:
        """Return the exports that people asked for through their accounts, newest first, whose ids sort below
        ``before``."""

    def forget(self, expired_before: datetime) -> None:
        """Forget exports that expired before then and have nothing in the store."""
