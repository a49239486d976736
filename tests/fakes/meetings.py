"""Meetings in memory, keeping the promises of ``ports.Meetings``."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from service.core.errors import Conflict
from service.core.journal import Entry
from service.core.meeting import Meeting
from tests.fakes.faults import Faults
from tests.fakes.journal import FakeJournal


class FakeMeetings:
    """The meetings, as values."""

    def __init__(self, faults: Faults, journal: FakeJournal) -> None:
        self._faults = faults
        self._journal = journal
        self._meetings: dict[tuple[str, str], Meeting] = {}
        self._lock = threading.Lock()

    def find(self, account_id: str, meeting_id: str) -> Meeting | None:
        """Return a meeting."""
        with self._faults.at("meetings.find"):
            return self._meetings.get((account_id, meeting_id))

    def page(self, account_id: str, after: str, limit: int) -> Sequence[Meeting]:
        """Return meetings by id."""
        with self._faults.at("meetings.page"):
            ids = sorted(one for account, one in self._meetings if account == account_id and one > after)
            return [self._meetings[account_id, one] for one in ids[:limit]]

    def start(self, account_id: str, meeting_id: str) -> datetime | None:
        """Return when a meeting starts, for the rescans of the same world."""
        meeting = self._meetings.get((account_id, meeting_id))
        return meeting.starts_at if meeting else None

    def save(self, meeting: Meeting, line: Entry) -> Meeting:
        """Insert it, or compare and swap."""
        with self._faults.at("meetings.save"), self._lock:
            known = self._meetings.get((meeting.account_id, meeting.id))
            if (known.version if known else 0) != meeting.version:
                raise Conflict("The meeting was changed by another process.")
            saved = replace(meeting, version=meeting.version + 1)
            self._meetings[meeting.account_id, meeting.id] = saved
            self._journal.record([line])
            return saved
