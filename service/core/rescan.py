"""Rescans: released files are scanned again because signatures changed, or because somebody asks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from service.core.journal import Act, Entry

#: A meeting that began no longer ago may still be going on: its files are scanned before those of others.
STILL_ON: Final = timedelta(hours=4)
#: An upload's id begins with "up_" and 12 hex digits, its time in milliseconds: the first 6 of them tell
#: apart stretches of 2**24 ms, about 4 h 40 min.
CAME_IN: Final = slice(3, 9)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which released files are to be scanned again.

    With ``signature_version`` those that were last scanned with older signatures, or with unknown ones, and
    only a scanner that has these or newer ones may do it; without it all. ``account_id`` and ``upload_id``
    narrow it; ``asked_by`` is who wants it, ``None`` the service itself.
    """

    signature_version: int | None = None
    account_id: str | None = None
    upload_id: str | None = None
    asked_by: str | None = None


@dataclass(frozen=True, slots=True)
class Rescan:
    """One rescan and how far it has come, in files.

    ``done`` are those that were dealt with, ``recalled`` and ``held`` those of them that were withdrawn.
    One that was ``superseded`` was ended by another for newer signatures, which took on what was left.
    """

    id: int
    wanted: Wanted
    begun_at: datetime
    total: int
    done: int = 0
    recalled: int = 0
    held: int = 0
    ended_at: datetime | None = None
    superseded: bool = False

    @property
    def pending(self) -> int:
        """How many files are still to be scanned in it."""
        return 0 if self.ended_at is not None else max(0, self.total - self.done)


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that one worker took to scan it with signatures of that version, the how many-th time."""

    upload_id: str
    signature_version: int | None
    attempts: int


def came_in(upload_id: str) -> str:
    """Return the stretch of about 4 h 40 min in which an upload came in, as a text that sorts by time."""
    return upload_id[CAME_IN]


def line_of(rescan: Rescan) -> Entry:
    """Return the line of the log that tells that ``rescan`` began or, if it has, that it ended."""
    detail = {"rescan": rescan.id, "signature_version": rescan.wanted.signature_version}
    counts = {"total": rescan.total}
    ended = {
        "done": rescan.done,
        "recalled": rescan.recalled,
        "held": rescan.held,
        "superseded": rescan.superseded,
    }
    if rescan.ended_at is None:
        at, act = rescan.begun_at, Act.RESCAN_BEGUN
    else:
        at, act, counts = rescan.ended_at, Act.RESCAN_ENDED, counts | ended
    return Entry(at, act.value, detail | counts, rescan.wanted.asked_by, account_id=rescan.wanted.account_id)
