"""Bookkeeping: how far the log has come, and what the scanner's newest lines in it say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from service.core.journal import Act, Placed, SignedCheckpoint, Waiting
from service.core.line import canonical
from service.core.siem.told import Told, read_line
from service.stages.parts import Parts

#: Each worker says every hour what it last heard; one that said nothing for so long has ended, or cannot.
SILENT: Final = timedelta(minutes=65)
#: Lines that are looked back over: an hour of some dozen workers, or a year of changes of one.
_LOOKED_AT: Final = 500


@dataclass(frozen=True, slots=True)
class Canaries:
    """What the newest canaries said, and ``others`` that failed at other workers since they last spoke."""

    at: datetime
    failures: str
    others: Sequence[Told]


@dataclass(frozen=True, slots=True)
class Signatures:
    """The signatures in use: their version (``None`` for unknown), since when, and when they were made.

    ``since`` is ``None`` if they have been the same for as long as was looked back.
    """

    version: int | None
    since: datetime | None
    before: int | None
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Books:
    """How the log stands: its lines, the newest checkpoint, and since when something waits to be placed or
    signed; and what it says of the scanner, ``None`` if nothing.
    """

    size: int
    checkpoint: SignedCheckpoint | None
    unplaced_since: datetime | None
    unsigned_since: datetime | None
    canaries: Canaries | None
    signatures: Signatures | None

    @property
    def behind_since(self) -> datetime | None:
        """Since when a line is written and not yet signed."""
        waiting = [since for since in (self.unplaced_since, self.unsigned_since) if since is not None]
        return min(waiting, default=None)


def books(parts: Parts) -> Books:
    """Return how the log stands. Raises ``LedgerUnavailable``."""
    newest = parts.checkpoints.newest()
    unsigned = parts.journal.lines(newest.size if newest else 0, 1)
    unplaced = parts.journal.waiting(1)
    return Books(
        size=parts.journal.size(),
        checkpoint=newest,
        unplaced_since=unplaced[0].entry.at if unplaced else None,
        unsigned_since=unsigned[0].entry.at if unsigned else None,
        canaries=_canaries(_told(parts, Act.CANARIES), parts.clock.now()),
        signatures=_signatures(_told(parts, Act.SIGNATURES)),
    )


def _told(parts: Parts, act: Act) -> list[Told]:
    said = (_read(line) for line in parts.journal.newest(act, _LOOKED_AT))
    return [one for one in said if one is not None]


def _read(line: Placed | Waiting) -> Told | None:
    if isinstance(line, Placed):
        return read_line(line.text, line.position)
    return read_line(canonical(line.entry, None), -1)


def _canaries(lines: Sequence[Told], now: datetime) -> Canaries | None:
    if not lines:
        return None
    last_words: dict[str | None, Told] = {}
    for line in lines:
        last_words.setdefault(line.text("worker"), line)
    newest, *others = last_words.values()
    failing = [one for one in others if one.text("failures") and now - one.at <= SILENT]
    return Canaries(newest.at, newest.text("failures") or "", failing)


def _signatures(lines: Sequence[Told]) -> Signatures | None:
    if not lines:
        return None
    version, since = _version(lines[0]), lines[0].at
    for line in lines:
        if _version(line) != version:
            return Signatures(version, since, _version(line), lines[0].at)
        since = line.at
    return Signatures(version, since if len(lines) < _LOOKED_AT else None, None, lines[0].at)


def _version(line: Told) -> int | None:
    value = line.detail.get("signature_version")
    return value if isinstance(value, int) else None
