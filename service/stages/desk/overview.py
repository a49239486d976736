"""Overview: how the service stands, in numbers that a person can watch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from service.core.errors import ScannerUnavailable
from service.core.outcome import Engine
from service.core.rescan import Rescan
from service.core.trust import signature_age
from service.core.upload import State
from service.core.verdict import Kind
from service.ports import Archive, Standing
from service.stages.parts import Parts

#: States in which an upload waits for the service itself.
QUEUED: Final = (State.QUARANTINED, State.SCANNING, State.CLEARED)
#: How long what is held has been held, from the youngest on: each class ends where the next begins.
AGES: Final = (
    ("less than an hour", timedelta(0)),
    ("an hour to a day", timedelta(hours=1)),
    ("a day to a week", timedelta(days=1)),
    ("a week and more", timedelta(weeks=1)),
)
#: How many rescans are shown, the newest first.
_RESCANS: Final = 5


class Span(StrEnum):
    """The time that the overview looks back over."""

    DAY = "day"
    MONTH = "month"

    @property
    def step(self) -> timedelta:
        """How long each of its stretches is."""
        return timedelta(hours=1) if self is Span.DAY else timedelta(days=1)

    @property
    def stretches(self) -> int:
        """How many stretches it has; the last one is not over yet."""
        return 24 if self is Span.DAY else 30


@dataclass(frozen=True, slots=True)
class Stretch:
    """The uploads begun in one stretch of time, by what the verdict on them is now; ``None`` if there is
    none.
    """

    begins_at: datetime
    verdicts: Mapping[Kind | None, int]

    @property
    def uploads(self) -> int:
        """How many were begun."""
        return sum(self.verdicts.values())


@dataclass(frozen=True, slots=True)
class Overview:
    """How the service stood ``at`` that time.

    ``held_ages`` are as many as ``AGES``; ``queued`` are the states of ``QUEUED`` that hold something;
    ``signature_age`` is in seconds. ``rescans`` are the newest ones, and ``to_rescan`` is how many released
    files wait to be scanned again. ``engine`` is ``None`` where the scanner did not answer, as
    ``scanner_trouble`` says.
    """

    at: datetime
    span: Span
    activity: Sequence[Stretch]
    held: Standing | None
    held_ages: Sequence[int]
    queued: Mapping[State, Standing]
    engine: Engine | None
    signature_age: float | None
    scanner_trouble: str | None
    rescans: Sequence[Rescan]
    to_rescan: int

    @property
    def queue_age(self) -> timedelta:
        """How long the upload that waits the longest for the service has waited."""
        return max(
            (self.at - standing.waiting_since for standing in self.queued.values()), default=timedelta(0)
        )


def overview(parts: Parts, archive: Archive, span: Span) -> Overview:
    """Return how the service stands, over ``span``. Raises ``LedgerUnavailable``; that the scanner is away is
    part of the answer.
    """
    at = parts.clock.now()
    edges = _edges(at, span)
    counted = archive.activity(edges)
    standings = archive.standings([State.HELD, *QUEUED])
    engine, trouble = _engine(parts)
    return Overview(
        at=at,
        span=span,
        activity=[Stretch(begin, verdicts) for begin, verdicts in zip(edges, counted, strict=False)],
        held=standings.get(State.HELD),
        held_ages=_ages(archive, at),
        queued={state: standings[state] for state in QUEUED if state in standings},
        engine=engine,
        signature_age=signature_age(engine, at) if engine else None,
        scanner_trouble=trouble,
        rescans=parts.rescans.newest(_RESCANS),
        to_rescan=sum(one.pending for one in parts.rescans.under_way()),
    )


def _edges(at: datetime, span: Span) -> Sequence[datetime]:
    """Return the edges of the stretches, on full hours or at midnights (UTC)."""
    begin = at.replace(minute=0, second=0, microsecond=0)
    if span is not Span.DAY:
        begin = begin.replace(hour=0)
    return [begin - number * span.step for number in range(span.stretches - 1, -2, -1)]


def _ages(archive: Archive, at: datetime) -> Sequence[int]:
    # The clock of who moved it may be ahead of ours: whatever is held is at least as old as nothing.
    edges = [at + timedelta(days=1), *(at - age for _, age in AGES[1:])]
    return [older - oldest for older, oldest in pairwise([*archive.moved_before(State.HELD, edges), 0])]


def _engine(parts: Parts) -> tuple[Engine | None, str | None]:
    try:
        return parts.scanner.engine(), None
    except ScannerUnavailable as error:
        return None, str(error)
