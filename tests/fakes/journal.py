"""The log in memory, keeping the promises of ``ports.Journal``."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from service.core.errors import Conflict
from service.core.journal import Act, Entry, Placed, Waiting
from service.core.tree import TileId
from tests.fakes.faults import Faults


class FakeJournal:
    """Keeps entries as a database would: detail through JSON, ids that count up from 1."""

    def __init__(self, faults: Faults) -> None:
        """Fail as ``faults`` say."""
        self._faults = faults
        self._lock = threading.Lock()
        self.entries: list[Entry] = []
        #: By row id: the position and the text of a line that has its place.
        self.places: dict[int, tuple[int, str]] = {}
        self.tiles: dict[TileId, bytes] = {}
        self._cursors: dict[str, int] = {}
        self._claims: dict[str, tuple[str, datetime]] = {}

    def append(self, entries: Sequence[Entry]) -> None:
        """Write lines, all or none."""
        with self._faults.at("journal.append"):
            self.record(entries)

    def record(self, entries: Sequence[Entry]) -> None:
        """Write lines as a part of somebody's transaction."""
        with self._lock:
            self.entries += [replace(entry, detail=json.loads(json.dumps(entry.detail))) for entry in entries]

    def waiting(self, limit: int) -> Sequence[Waiting]:
        """Return lines without a place."""
        with self._faults.at("journal.waiting"), self._lock:
            rows = enumerate(self.entries, start=1)
            return [Waiting(row, entry) for row, entry in rows if row not in self.places][:limit]

    def size(self) -> int:
        """Return how many have one."""
        with self._faults.at("journal.size"):
            return len(self.places)

    def place(self, size: int, lines: Sequence[tuple[int, str]], tiles: Mapping[TileId, bytes]) -> None:
        """Let the tree grow."""
        with self._faults.at("journal.place"), self._lock:
            waiting = set(range(1, len(self.entries) + 1)) - set(self.places)
            if len(self.places) != size or {row for row, _ in lines} - waiting:
                raise Conflict("another process was first")
            self.places |= {row: (size + number, text) for number, (row, text) in enumerate(lines)}
            self.tiles |= tiles

    def lines(self, first: int, limit: int) -> Sequence[Placed]:
        """Return lines in their places."""
        with self._faults.at("journal.lines"), self._lock:
            found = sorted((place, row) for row, place in self.places.items() if place[0] >= first)
            return [Placed(*place, self.entries[row - 1]) for place, row in found[:limit]]

    def of_upload(self, upload_id: str, others: int | None = None) -> Sequence[Placed | Waiting]:
        """Return an upload's lines."""
        with self._faults.at("journal.of_upload"), self._lock:
            its = [
                (row, entry)
                for row, entry in enumerate(self.entries, start=1)
                if entry.upload_id == upload_id
            ]
            acts = [row for row, entry in its if entry.after is None]
            kept = acts if others is None else acts[max(0, len(acts) - others) :]
            return [self._line(row, entry) for row, entry in its if entry.after or row in kept]

    def newest(self, act: Act, limit: int) -> Sequence[Placed | Waiting]:
        """Return an act's newest lines."""
        with self._faults.at("journal.newest"), self._lock:
            rows = reversed([*enumerate(self.entries, start=1)])
            found = [row for row in rows if row[1].event == act and row[1].upload_id is None]
            return [self._line(*row) for row in found[:limit]]

    def find(self, line: int) -> Placed | Waiting | None:
        """Return a line."""
        with self._faults.at("journal.find"), self._lock:
            return self._line(line, self.entries[line - 1]) if 0 < line <= len(self.entries) else None

    def downloads(self, account_id: str, actors: Sequence[str], limit: int) -> Sequence[Entry]:
        """Return downloads by some."""
        with self._faults.at("journal.downloads"), self._lock:
            found = [one for one in self.entries if one.event == Act.DOWNLOADED]
            found = [one for one in found if one.account_id == account_id and one.actor in actors]
            return found[-limit:]

    def tile(self, level: int, number: int) -> bytes:
        """Return a tile."""
        with self._faults.at("journal.tile"):
            return self.tiles.get((level, number), b"")

    def cursor(self, reader: str) -> int:
        """Return a reader's place."""
        with self._faults.at("journal.cursor"):
            return self._cursors.get(reader, 0)

    def claim_cursor(self, reader: str, at: int, holder: str, now: datetime, until: datetime) -> bool:
        """Let one process read for a reader."""
        with self._faults.at("journal.claim_cursor"), self._lock:
            other, held_until = self._claims.get(reader, (holder, now))
            if self._cursors.get(reader, 0) != at or (other != holder and held_until > now):
                return False
            self._claims[reader] = (holder, until)
            return True

    def move_cursor(self, reader: str, was: int, to: int) -> None:
        """Move a reader on."""
        with self._faults.at("journal.move_cursor"), self._lock:
            if self._cursors.get(reader, 0) != was:
                raise Conflict("another process was first")
            self._cursors[reader] = to
            self._claims.pop(reader, None)

    def _line(self, row: int, entry: Entry) -> Placed | Waiting:
        return Placed(*self.places[row], entry) if row in self.places else Waiting(row, entry)
