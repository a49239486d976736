"""Exports: all that is kept of an account or of one of its people, as one file to be taken away."""

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from service.core.account import HOME
from service.core.upload import Leftover, Segment

#: How long an export can be downloaded once it is there.
KEPT: Final = timedelta(days=7)
#: How long it is remembered that one was asked for, once it was answered.
REMEMBERED: Final = timedelta(days=365)
_MONTHS: Final = 12
#: What the ids of exports look like, which this service makes.
EXPORT_ID: Final = re.compile(r"ex_[0-9a-f]{32}")
#: What Windows takes for something else than a part of a name.
_ODD: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


class Phase(StrEnum):
    """How far an export is."""

    QUEUED = "queued"
    BUILDING = "building"
    READY = "ready"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Export:
    """One export, asked for at ``asked_at`` by ``asked_by`` (see ``service.core.journal.Entry``).

    It is of the account, or of its ``person`` alone, who is to have it by ``due_at``. While it is being built
    ``lease_until`` says until when a process is at work on it, and ``done`` of ``total`` steps are done. Once
    it is ``READY`` its content lies in ``segments`` in the account's ``region`` under ``content_key``, until
    ``expires_at``: ``size`` bytes with the digest ``sha256`` (hex). ``taken_at`` is when it was first handed
    out. What it has in the store that must go is its ``leftover``, from ``sweep_at`` on. ``version`` counts
    saves.
    """

    id: str
    account_id: str
    person: str | None
    asked_at: datetime
    asked_by: str
    due_at: datetime
    region: str = HOME
    phase: Phase = Phase.QUEUED
    attempts: int = 0
    lease_until: datetime | None = None
    done: int = 0
    total: int = 0
    content_key: bytes | None = None
    segments: tuple[Segment, ...] = ()
    size: int | None = None
    sha256: str | None = None
    ready_at: datetime | None = None
    expires_at: datetime | None = None
    taken_at: datetime | None = None
    leftover: Leftover = Leftover.NOTHING
    sweep_at: datetime | None = None
    version: int = 0

    @property
    def progress(self) -> float:
        """How much of it is built, from 0 to 1."""
        if self.phase in {Phase.READY, Phase.EXPIRED}:
            return 1.0
        return min(self.done / self.total, 1.0) if self.total else 0.0


def month_after(at: datetime) -> datetime:
    """Return when a month that begins at ``at`` is over: the same day of the next month, or its last day if
    it has no such day (Regulation 1182/71, Art. 3(2)(c), for the month of Art. 12(3) GDPR).
    """
    year, month = (at.year, at.month + 1) if at.month < _MONTHS else (at.year + 1, 1)
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))


def member_name(meeting_id: str, upload_id: str, name: str) -> str:
    """Return where an upload's file lies in an export: in a folder of its own, so that no two are one.

    No part of it leads out of the folder that it is unpacked in, or means something to any system: the name
    is a stranger's, the meeting's id the account's own word.
    """
    return f"files/{_plain(meeting_id)}/{upload_id}/{_plain(name)}"


def _plain(untrusted_part: str) -> str:
    part = _ODD.sub("_", untrusted_part).strip(" .") or "file"
    return f"_{part}" if _DEVICES.fullmatch(part) else part
