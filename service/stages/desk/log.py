"""The log as the console shows it: its lines by their texts, what is proved of them, and who keeps it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from service.core.journal import Placed, SignedCheckpoint
from service.core.siem.told import Told, told
from service.stages.log.keys import public_key
from service.stages.log.proof import Proof, prove
from service.stages.log.witness import reader
from service.stages.parts import Parts
from service.verify.checkpoint import Checkpoint
from service.verify.invalid import Invalid
from service.verify.note import PublicKey

#: Returns what a note commits to once its signature by the key was checked, or raises ``Invalid``.
Check = Callable[[str, PublicKey], Checkpoint]


@dataclass(frozen=True, slots=True)
class Line:
    """A line in its place: the text that was hashed and what it tells, ``None`` if it cannot be read."""

    position: int
    text: str
    told: Told | None
    proof: Proof


@dataclass(frozen=True, slots=True)
class Keeper:
    """A witness, and over how many lines the newest checkpoint is that it got."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of the log, newest first, with ``before`` for the pages of newer and older lines if there are
    any; how long it is, how long the oldest line without a place has waited, and what it committed itself to.

    ``trouble`` says what is wrong with the newest checkpoint.
    """

    lines: Sequence[Line]
    newer: int | None
    older: int | None
    size: int
    waits: timedelta | None
    checkpoint: SignedCheckpoint | None
    age: timedelta | None
    key: PublicKey
    trouble: str | None
    witnesses: Sequence[Keeper]


def page(parts: Parts, before: int | None, length: int, check: Check) -> LogPage:
    """Return the ``length`` lines before a position, the newest without one, with ``check`` for signatures.

    Raises ``LedgerUnavailable``.
    """
    now, key = parts.clock.now(), public_key(parts)
    # The checkpoint first: no line that is read later can be missing from the tree under it.
    checkpoint = parts.checkpoints.newest()
    signed, trouble = _signed(checkpoint, key, check)
    size = parts.journal.size()
    end = size if before is None else min(max(before, 1), size)
    first = max(0, end - length)
    tiles = cache(parts.journal.tile)
    found = parts.journal.lines(first, end - first) if end > first else ()
    waiting = parts.journal.waiting(1)
    return LogPage(
        lines=[_line(one, signed, tiles) for one in reversed(found)],
        newer=min(size, end + length) if end < size else None,
        older=first if first > 0 else None,
        size=size,
        waits=now - waiting[0].entry.at if waiting else None,
        checkpoint=checkpoint,
        age=now - checkpoint.at if checkpoint else None,
        key=key,
        trouble=trouble,
        witnesses=[Keeper(one.name, parts.journal.cursor(reader(one))) for one in parts.witnesses],
    )


def _signed(
    checkpoint: SignedCheckpoint | None, key: PublicKey, check: Check
) -> tuple[Checkpoint | None, str | None]:
    if checkpoint is None:
        return None, None
    try:
        return check(checkpoint.note, key), None
    except Invalid as error:
        return None, str(error)


def _line(placed: Placed, signed: Checkpoint | None, tiles: Callable[[int, int], bytes]) -> Line:
    proof, _ = prove(placed, signed, tiles)
    try:
        said = told(json.loads(placed.text), placed.position)
    except (ValueError, TypeError, KeyError, AttributeError):
        # Whoever changed it did not even make it a line.
        return Line(placed.position, placed.text, None, Proof.FAILED)
    return Line(placed.position, placed.text, said, proof)
