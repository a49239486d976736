"""What people decided over the scanner."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from service.core.decision import Allowance, Decision
from service.core.journal import Entry


class Decisions(Protocol):
    """Proposals and what became of them. A decision that moves its upload is confirmed by ``Ledger.save``.

    Safe for many threads and processes at once. Each call that changes something is one transaction, with its
    line of the log; it is durable when the call returned. All raise ``LedgerUnavailable``.
    """

    def propose(self, decision: Decision, entry: Entry) -> None:
        """Keep an open proposal.

        In the same transaction the upload is still at the decision's version, else ``Conflict``, and no
        other proposal about it is open, else ``AlreadyProposed``. One that has expired by ``proposed_at``, or
        was about another version, is not: it is noted as lapsed."""

    def reject(self, decision: Decision, entry: Entry) -> None:
        """Keep a decision that was open as rejected. Raises ``Conflict`` if it is not open any more, and then
        nothing is changed."""

    def allow(self, decision: Decision, allowance_id: str, entry: Entry) -> Allowance:
        """Keep a decision that was open as confirmed, and the allowance that follows; return that.

        In the same transaction the decision is open and not expired and the upload still at its version,
        else ``Conflict``, and no live allowance excuses the same finding in the same content, else
        ``AlreadyAllowed``. Then nothing is changed. Raises ``IllegalMove`` for a decision from which no
        allowance follows (``Decision.allowance``)."""

    def find(self, decision_id: str) -> Decision | None:
        """Return a decision."""

    def of_upload(self, upload_id: str) -> Sequence[Decision]:
        """Return the decisions about an upload, newest first."""

    def waiting(self, at: datetime, upload_ids: Sequence[str] | None, limit: int) -> Sequence[Decision]:
        """Return at most ``limit`` proposals that wait for a second person at a time, oldest first: open,
        not expired, their uploads still as they were. Only those about ``upload_ids``, if that is given."""


class Allowances(Protocol):
    """The allow-list. Safe for many threads and processes at once. All raise ``LedgerUnavailable``."""

    def excusing(self, sha256: str, signature: str, at: datetime) -> Allowance | None:
        """Return the allowance that excuses a finding in a content at a time. Whoever relies on it gives it
        to ``Ledger.save``, because it may be revoked meanwhile."""

    def find(self, allowance_id: str) -> Allowance | None:
        """Return an allowance, live or not."""

    def page(self, before: str | None, limit: int) -> Sequence[Allowance]:
        """Return allowances, live or not, newest first, whose id sorts below ``before``."""

    def revoke(self, allowance_id: str, reviewer_id: str, at: datetime, entry: Entry) -> bool:
        """End an allowance and write ``entry``, in one transaction that is durable when the call returned:
        no save that comes after relies on it. False, and nothing is changed, if it was revoked or is unknown.
        """
