"""Feed: tell the log's lines to the security team's systems, each at least once and in the log's order."""

from datetime import timedelta
from typing import Final

from service.core.errors import Conflict
from service.core.siem import read_telling
from service.stages.parts import Parts

#: The feed's name among the log's readers.
READER: Final = "events"
#: Longer than any sink takes for a batch; what a killed process held goes on after it.
CLAIM: Final = timedelta(seconds=20)
_BATCH: Final = 200


def feed(parts: Parts, holder: str) -> int:
    """Tell the lines that come next, if no other process does; return how many, 0 when there is nothing.

    A crash between telling and noting it means that the lines are told once more.
    Raises ``LedgerUnavailable``, and ``SinkUnavailable`` if it is not certain that they arrived.
    """
    first = parts.journal.cursor(READER)
    lines = parts.journal.lines(first, _BATCH)
    now = parts.clock.now()
    if not lines or not parts.journal.claim_cursor(READER, first, holder, now, now + CLAIM):
        return 0
    parts.events.write(
        [read_telling(parts.events_form, one.text, one.position, one.entry.at) for one in lines]
    )
    try:
        parts.journal.move_cursor(READER, first, lines[-1].position + 1)
    except Conflict:
        # It took longer than the claim, and another told the same.
        return 0
    return len(lines)
