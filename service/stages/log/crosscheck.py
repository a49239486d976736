"""Crosscheck: whether the table of uploads says what the log says of released files.

The table is what downloads are answered from, and whoever can write to the database can change it. What it
says is no proof of anything; that it does not agree with the proved lines is what must be found.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from service.core.journal import Placed
from service.core.search import Cursor, Filters, Record, Way
from service.core.tree import Tiles
from service.core.upload import State
from service.ports import Archive
from service.stages.log.proof import Proof, prove
from service.stages.parts import Parts
from service.verify.checkpoint import Checkpoint
from service.verify.coverage import Release

_BATCH: Final = 500
_TILES: Final = 256


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What the table says of an upload that the log does not."""

    upload: str
    problem: str

    def json(self) -> bytes:
        """Return it on one line, with a newline."""
        found = {"upload": self.upload, "problem": self.problem}
        return json.dumps(found, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def against_table(parts: Parts, released: Release) -> Mismatch | None:
    """Return what the table says against a release that is proved. Raises ``LedgerUnavailable``."""
    row = parts.ledger.find(released.upload)
    if row is None:
        return Mismatch(released.upload, "the log says that it was released, and the table does not know it")
    if row.sha256 != released.sha256:
        return Mismatch(released.upload, "the table says that it is another content than the log released")
    return None


def against_log(
    parts: Parts, archive: Archive, signed: Checkpoint, until: datetime
) -> Iterator[Mismatch | None]:
    """Yield for each row that is released and begun before ``until`` what the log says against it.

    Each line that speaks for a row is proved under ``signed``. Raises ``LedgerUnavailable``.
    """
    tiles = lru_cache(_TILES)(parts.journal.tile)
    filters, cursor = Filters(state=State.RELEASED, until=until), None
    while batch := archive.page(filters, cursor, _BATCH):
        for row in batch:
            problem = _problem(parts, row, signed, tiles)
            yield Mismatch(row.id, problem) if problem else None
        cursor = Cursor(Way.OLDER, batch[-1].id)


def _problem(parts: Parts, row: Record, signed: Checkpoint, tiles: Tiles) -> str | None:
    moves = [line for line in parts.journal.of_upload(row.id, 0) if isinstance(line, Placed)]
    covered = [line for line in moves if line.position < signed.size]
    if len(covered) != len(moves):
        # It was moved since, and is for the pack of that time.
        return None
    if not covered:
        return "the table says that it is released, and the log knows nothing of it"
    proof, _ = prove(covered[-1], signed, tiles)
    if proof is not Proof.PROVED:
        return "the line that speaks for it is not what was signed"
    said: dict[str, Any] = json.loads(covered[-1].text)
    if (said.get("upload"), said.get("after")) != (row.id, State.RELEASED.value):
        return f"the table says that it is released, and the log that it is {said.get('after')}"
    if row.sha256 is None or said.get("detail", {}).get("sha256") != row.sha256:
        return "the table says that it is another content than the log released"
    return None
