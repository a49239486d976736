"""Readings: what waits and for how long, as the metrics say it when they are asked."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from service.core.errors import LedgerUnavailable
from service.core.measures import LEDGER_UP, LONGEST, UPLOADS, Reading
from service.core.upload import State
from service.ports import Backlog

#: Where nothing should stay for long, and where a person has to look.
STATES: Final = (State.RECEIVING, State.QUARANTINED, State.SCANNING, State.CLEARED, State.HELD)


def readings(backlog: Backlog, now: datetime) -> Iterator[Reading]:
    """Give the present numbers; of a ledger that is away only that it is, nothing of before."""
    try:
        waiting = {one.state: one for one in backlog.waiting(STATES)}
    except LedgerUnavailable:
        yield Reading(LEDGER_UP, 0)
        return
    yield Reading(LEDGER_UP, 1)
    for state in STATES:
        one = waiting.get(state)
        yield Reading(UPLOADS, one.uploads if one else 0, (state.value,))
        seconds = max(0.0, (now - one.since).total_seconds()) if one else 0.0
        yield Reading(LONGEST, seconds, (state.value,))
