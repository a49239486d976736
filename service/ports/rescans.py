"""What is to be scanned again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from service.core.rescan import Rescan, Taken, Wanted


class Rescans(Protocol):
    """The rescans, and the files that are still to be scanned in them. Safe for many threads and processes.

    A change is durable when the call returned; that a rescan begins and ends is written to the log
    (``core.rescan.line_of``) in the transaction that makes it true. A file that several rescans want is
    scanned once for all of them. All raise ``LedgerUnavailable``.
    """

    def begin(self, wanted: Wanted, at: datetime) -> Rescan | None:
        """Begin a rescan of what is released and ``wanted``, of accounts that are not removed, and return it.

        ``None``, and nothing is begun, if there is no such file, or if files are wanted for signatures for
        which, or for newer ones, a rescan is under way. Those under way for older ones end, superseded.
        """

    def take(self, signature_version: int | None, now: datetime, until: datetime) -> Taken | None:
        """Take the file that is due and comes next for a scanner with these signatures (``None`` for unknown
        ones); nobody else gets it before ``until``.

        Those of the meeting that starts soonest come first, if it began at most ``STILL_ON`` ago, then those
        that came in last, and of those of the same few hours (``came_in``) the most downloaded. ``None`` if
        there is nothing to do now.
        """

    def put_off(self, taken: Taken, until: datetime) -> None:
        """Let a file that could not be scanned wait until then."""

    def finish(self, taken: Taken, *, scanned: bool = True) -> None:
        """Note that a file was dealt with, in all rescans that its scanner may do.

        What is still released counts as scanned with the taker's signatures, unless it was not ``scanned``;
        what is blocked counts as recalled, what is held as held. Twice is once.
        """

    def end(self, at: datetime) -> Sequence[Rescan]:
        """End the rescans in which no file is left; return them."""

    def find(self, rescan_id: int) -> Rescan | None:
        """Return a rescan as it is now."""

    def newest(self, limit: int) -> Sequence[Rescan]:
        """Return the rescans that were begun last, newest first."""

    def under_way(self) -> Sequence[Rescan]:
        """Return the rescans that have not ended, oldest first."""
