"""What an evidence pack takes out of the log, so that its reader need not: made in one way only.

Who makes a pack writes it, and who checks one makes it again from the proved lines and compares.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from service.verify.coverage import Coverage, Release
from service.verify.invalid import Invalid
from service.verify.receipt import read_object

COVERAGE: Final = "coverage.jsonl"
EXCEPTIONS: Final = "exceptions.jsonl"
SIGNATURES: Final = "signatures.jsonl"
CANARIES: Final = "canaries.jsonl"
DECISIONS: Final = "decisions.jsonl"
#: The members that hold nothing but what follows from the log.
EXTRACTS: Final = (COVERAGE, EXCEPTIONS, SIGNATURES, CANARIES, DECISIONS)
_LINE_VERSION: Final = 1
_MEMBERS: Final = {
    "signatures": SIGNATURES,
    "canaries": CANARIES,
    "decision_proposed": DECISIONS,
    "decision_confirmed": DECISIONS,
    "decision_rejected": DECISIONS,
    "allowance_revoked": DECISIONS,
    "reviewer_cleared": DECISIONS,
    "reviewer_blocked": DECISIONS,
    "rescan_asked": DECISIONS,
}


@dataclass(frozen=True, slots=True)
class Span:
    """What a pack is about: the lines from position ``first`` on, and any earlier one whose clock said
    ``since`` (as lines write it) or later. ``until`` is where the time ends, which no line is left out for.
    """

    first: int
    since: str
    until: str


class Extracts:
    """Takes the lines of a log, all from the first one on, and gives what each adds to the extracts."""

    def __init__(self, span: Span) -> None:
        """Take out what is of ``span``."""
        self._span = span
        self._coverage = Coverage()
        #: How many releases there were, by what covers them; ``None`` for the exceptions.
        self.counts: Counter[str | None] = Counter()
        #: The release that the last line told of, if it is of the span.
        self.released: Release | None = None

    def take(self, position: int, text: bytes) -> Iterator[tuple[str, bytes]]:
        """Take the next line; yield members and what is added to each. Raises ``Invalid``."""
        try:
            line = read_object(text.decode(), f"line {position}")
        except UnicodeDecodeError:
            raise Invalid(f"line {position} is not UTF-8") from None
        if line.get("v") != _LINE_VERSION:
            raise Invalid(f"line {position} is in a version that this program does not know")
        released, at = self._coverage.take(position, line), line.get("at")
        within = position >= self._span.first or (isinstance(at, str) and at >= self._span.since)
        self.released = released if within else None
        if not within:
            return
        event = line.get("event")
        if isinstance(event, str) and event in _MEMBERS:
            yield _MEMBERS[event], b'{"position":%d,"line":%b}\n' % (position, text)
        if released is not None:
            self.counts[released.by] += 1
            yield COVERAGE, released.json()
            if released.problem is not None:
                yield EXCEPTIONS, released.json()
