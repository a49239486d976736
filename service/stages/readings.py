"""Readings: what waits and for how long, as the metrics say it when they are asked."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from service.core.errors import LedgerUnavailable
from service.core.measures import (
    LEDGER_UP,
    LOG_LINES,
    LOG_UNPLACED,
    LOG_UNSIGNED,
    LOG_UNTOLD,
    LONGEST,
    RESCAN_PENDING,
    UPLOADS,
    Reading,
)
from service.core.upload import State
from service.ports import Archive, Checkpoints, Journal, Rescans, Standing
from service.stages.feed import READER

#: Where nothing should stay for long, and where a person has to look.
STATES: Final = (State.RECEIVING, State.QUARANTINED, State.SCANNING, State.CLEARED, State.HELD)


def readings(
    archive: Archive, journal: Journal, checkpoints: Checkpoints, rescans: Rescans, now: datetime
) -> list[Reading]:
    """Return the present numbers; of a ledger that is away only that it is, nothing of before."""
    try:
        return [
            Reading(LEDGER_UP, 1),
            *_of_uploads(archive, now),
            *_of_log(journal, checkpoints, now),
            Reading(RESCAN_PENDING, sum(one.pending for one in rescans.under_way())),
        ]
    except LedgerUnavailable:
        return [Reading(LEDGER_UP, 0)]


def _of_uploads(archive: Archive, now: datetime) -> Iterator[Reading]:
    standings = archive.standings(STATES)
    for state in STATES:
        one = standings.get(state)
        yield Reading(UPLOADS, one.number if one else 0, (state.value,))
        yield Reading(LONGEST, _age(_since(state, one), now), (state.value,))


def _since(state: State, standing: Standing | None) -> datetime | None:
    """Return since when something is there. What is scanned again and again waits all the while."""
    if standing is None:
        return None
    return standing.moved_at if state is State.HELD else standing.waiting_since


def _of_log(journal: Journal, checkpoints: Checkpoints, now: datetime) -> Iterator[Reading]:
    newest = checkpoints.newest()
    unsigned = journal.lines(newest.size if newest else 0, 1)
    unplaced = journal.waiting(1)
    untold = journal.lines(journal.cursor(READER), 1)
    yield Reading(LOG_LINES, journal.size())
    yield Reading(LOG_UNPLACED, _age(unplaced[0].entry.at if unplaced else None, now))
    yield Reading(LOG_UNSIGNED, _age(unsigned[0].entry.at if unsigned else None, now))
    yield Reading(LOG_UNTOLD, _age(untold[0].entry.at if untold else None, now))


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
