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
    LONGEST,
    UPLOADS,
    Reading,
)
from service.core.upload import State
from service.ports import Backlog, Checkpoints, Journal

#: Where nothing should stay for long, and where a person has to look.
STATES: Final = (State.RECEIVING, State.QUARANTINED, State.SCANNING, State.CLEARED, State.HELD)


def readings(backlog: Backlog, journal: Journal, checkpoints: Checkpoints, now: datetime) -> list[Reading]:
    """Return the present numbers; of a ledger that is away only that it is, nothing of before."""
    try:
        return [
            Reading(LEDGER_UP, 1),
            *_of_uploads(backlog, now),
            *_of_log(journal, checkpoints, now),
        ]
    except LedgerUnavailable:
        return [Reading(LEDGER_UP, 0)]


def _of_uploads(backlog: Backlog, now: datetime) -> Iterator[Reading]:
    standing = {one.state: one for one in backlog.waiting(STATES)}
    for state in STATES:
        one = standing.get(state)
        yield Reading(UPLOADS, one.uploads if one else 0, (state.value,))
        yield Reading(LONGEST, _age(one.since if one else None, now), (state.value,))


def _of_log(journal: Journal, checkpoints: Checkpoints, now: datetime) -> Iterator[Reading]:
    newest = checkpoints.newest()
    unsigned = journal.lines(newest.size if newest else 0, 1)
    unplaced = journal.waiting(1)
    yield Reading(LOG_LINES, journal.size())
    yield Reading(LOG_UNPLACED, _age(unplaced[0].entry.at if unplaced else None, now))
    yield Reading(LOG_UNSIGNED, _age(unsigned[0].entry.at if unsigned else None, now))


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
