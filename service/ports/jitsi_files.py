"""Under which ids a Jitsi meeting knows its uploads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class JitsiFile:
    """One file of a meeting: the id that the sender's browser chose, and the upload behind it.

    ``user_id`` and ``customer_id`` are the sender's, as the meeting's server told them.
    """

    account_id: str
    meeting_id: str
    file_id: str
    upload_id: str
    user_id: str
    customer_id: str


class JitsiFiles(Protocol):
    """The files of Jitsi meetings. Safe for many threads and processes at once.

    A change is durable when the call returned. All raise ``LedgerUnavailable``.
    """

    def ensure_account(self, account_id: str, at: datetime) -> None:
        """Make the account if it is new."""

    def add(self, file: JitsiFile) -> None:
        """Add a file. Raises ``Conflict`` if its meeting ever had one of that id, and changes nothing."""

    def find(self, account_id: str, meeting_id: str, file_id: str) -> JitsiFile | None:
        """Return a file of a meeting, whatever became of its upload."""

    def released(self, account_id: str, meeting_id: str, offset: int, limit: int) -> Sequence[JitsiFile]:
        """Return files of a meeting whose uploads are released, oldest first, after the first ``offset``."""

    def sent_by(
        self, account_id: str, meeting_id: str, user_id: str, customer_id: str
    ) -> Sequence[JitsiFile]:
        """Return what one sender shared in a meeting, oldest first, whatever became of the uploads."""
