"""The log in memory, keeping the promises of ``ports.Journal``."""

import json
import threading
from collections.abc import Sequence
from dataclasses import replace

from service.core.journal import Entry
from tests.fakes.faults import Faults


class FakeJournal:
    """Keeps entries as a database would: detail through JSON."""

    def __init__(self, faults: Faults) -> None:
        """Fail as ``faults`` say."""
        self._faults = faults
        self._lock = threading.Lock()
        self.entries: list[Entry] = []

    def append(self, entries: Sequence[Entry]) -> None:
        """Write lines, all or none."""
        with self._faults.at("journal.append"):
            self.write(entries)

    def write(self, entries: Sequence[Entry]) -> None:
        """Write lines as part of another transaction."""
        with self._lock:
            self.entries += [replace(entry, detail=json.loads(json.dumps(entry.detail))) for entry in entries]
