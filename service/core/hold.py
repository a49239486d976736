"""Legal hold: what stays, whoever wants it gone, until the hold is lifted.

A hold covers an account, one of its meetings or one upload. What it covers is not erased: not by its owner,
not at the end of its time, not with its account. The ledger keeps to it in every save, so a hold that was
placed is never overtaken by a deletion that was under way.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from service.core.upload import State, Upload

_UNFINISHED: Final = frozenset({State.REFUSED, State.ABANDONED})


@dataclass(frozen=True, slots=True)
class Hold:
    """One order to keep.

    It covers all of the account, or, where they are given, one ``meeting_id`` or one ``upload_id`` (whose
    meeting is then given too). ``placed_by`` and ``lifted_by`` are actors as the log has them. ``reason`` may
    name people: it stays in the hold's row, and the log gets its digest.
    """

    id: str
    account_id: str
    reason: str
    placed_by: str
    placed_at: datetime
    meeting_id: str | None = None
    upload_id: str | None = None
    lifted_by: str | None = None
    lifted_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        """Whether it was not lifted."""
        return self.lifted_at is None

    def covers(self, account_id: str, meeting_id: str, upload_id: str) -> bool:
        """Tell whether it is live and such an upload must stay by it."""
        return (
            self.is_live
            and self.account_id == account_id
            and self.meeting_id in {None, meeting_id}
            and self.upload_id in {None, upload_id}
        )

    def detail(self) -> dict[str, Any]:
        """Return what lines of the log tell of it."""
        return {"hold": self.id, "reason_sha256": hashlib.sha256(self.reason.encode()).hexdigest()}


def erases(upload: Upload) -> bool:
    """Tell whether a save of ``upload`` erases it."""
    return any(line.after is State.ERASED for line in upload.unsaved)


def lets_bytes_go(upload: Upload) -> bool:
    """Tell whether a save of ``upload`` ends it short of a file, with bytes that were taken in before."""
    return bool(upload.unsaved and upload.segments) and upload.state in _UNFINISHED
