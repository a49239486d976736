"""The truth about every upload."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from service.core.account import Plan
from service.core.decision import Warrant
from service.core.journal import Entry
from service.core.retention import Periods
from service.core.upload import LogLine, State, Upload
from service.core.webhook import Notice
from service.ports.answers import Claim


class Ledger(Protocol):
    """The truth about every upload. Safe for many threads and processes at once.

    A save is one transaction: the upload's row, its new segments, its log lines, what is to be told of it
    and, where asked, a job for the background worker. It is durable when the call returned. All raise
    ``LedgerUnavailable``.
    """

    def save(
        self,
        upload: Upload,
        *,
        wake: bool = False,
        claim: Claim | None = None,
        notices: Sequence[Notice] = (),
        warrant: Warrant | None = None,
    ) -> Upload:
        """Save an upload and its unsaved log lines; return it with none unsaved and its version raised.

        Version 0 is inserted; any other must still be the row's version, else ``Conflict`` and nothing
        is changed. An upload that begins RECEIVING under a grant reserves its place in the grant's quota in
        the same transaction, else ``QuotaExceeded`` (``Unauthenticated`` if the grant was revoked). With
        ``wake`` a job to advance the upload, not before ``due_at``, is queued in the same transaction, and
        ``notices`` are written to be delivered as ``WebhookDeliveries`` tells. What was kept to be told of
        an upload is forgotten with the save that makes it ERASED; what is told of one that is recalled names
        its downloads, every one that ``downloaded`` noted before. With ``claim`` (new uploads only) its key
        is taken in the same transaction, before anything else, as ``Answers.claim`` does, else
        ``IdempotencyInProgress``.

        What a legal hold covers is kept to in the same transaction: a save that would erase it raises
        ``UnderHold``; one that ends it REFUSED or ABANDONED, with segments that were taken in before, leaves
        nothing to be deleted (``leftover``), whatever ``upload`` says. One that ends the upload's time
        raises ``AccountRemoved`` in an account that was removed: what is in that is only held.

        A move that only people may make needs the ``warrant`` that covers it (``check_warrant`` in
        ``core.decision``, else ``IllegalMove``), which must hold in the same transaction: a decision that is
        confirmed by it is still open, else ``Conflict``; an allowance is live at the time of the move, else
        ``AllowanceEnded``."""

    def renew(self, upload: Upload, lease_until: datetime) -> None:
        """Prolong the lease without a new version. Raises ``Conflict`` if the upload has moved on."""

    def find(self, upload_id: str) -> Upload | None:
        """Return an upload, whoever owns it."""

    def history(self, upload_id: str) -> Sequence[LogLine]:
        """Return an upload's moves, oldest first."""

    def page(
        self,
        account_id: str,
        meeting_id: str,
        before: str | None,
        limit: int,
        state: State | None = None,
    ) -> Sequence[Upload]:
        """Return uploads of one meeting, newest first, whose id sorts below ``before``, in ``state`` only if
        one is given."""

    def belonging(self, account_id: str, person: str | None, after: str, limit: int) -> Sequence[Upload]:
        """Return uploads of an account, of one of its people only if a ``person`` is given, by their ids and
        whatever their state, the first after ``after``."""

    def count(self, account_id: str, person: str | None) -> int:
        """Return how many uploads ``belonging`` gives in all."""

    def at_rest(self, periods: Mapping[Plan, Periods], at: datetime, after: str, limit: int) -> Sequence[str]:
        """Return ids of uploads whose time may be over ``at`` then, in accounts that are there, the first
        after ``after``: every one whose time is over (see ``core.retention``), and others at rest."""

    def unattended(self, now: datetime, states: Sequence[State], limit: int) -> Sequence[Upload]:
        """Return uploads in ``states`` that no live lease covers and that are due, oldest first."""

    def with_leftovers(self, now: datetime, limit: int) -> Sequence[Upload]:
        """Return uploads whose objects are to be deleted and that are due."""

    def swept(self, uploads: Sequence[Upload], at: datetime) -> None:
        """Note that the leftovers of these uploads are gone (skipping any that changed since), and with
        ``due_at`` when."""

    def returned(self, upload: Upload) -> Upload:
        """Note how a recalled content lies in quarantine again (the ETags of ``segments``) and what is left
        over of it now; return it with its version raised. Raises ``Conflict`` if the upload has moved on."""

    def downloaded(self, line: Entry) -> None:
        """Log that the upload of ``line`` is handed out, and count it, if it is still RELEASED.

        After a move out of RELEASED there is no such line any more. Raises ``NotReleased``."""

    def ping(self) -> None:
        """Raise ``LedgerUnavailable`` unless the database answers and has the expected schema."""
