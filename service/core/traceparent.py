"""W3C Trace Context: https://www.w3.org/TR/trace-context/#traceparent-header."""

import re
from dataclasses import dataclass
from typing import Final

_FORM: Final = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED: Final = 0x01
#: Version 00, two ids, flags.
LENGTH: Final = 55


@dataclass(frozen=True, slots=True)
class TraceParent:
    """Where in which trace something was asked for. ``sampled`` says whether the one who asked keeps it."""

    trace_id: int
    span_id: int
    sampled: bool

    def __str__(self) -> str:
        """Return it as the header has it."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{int(self.sampled):02x}"


def read_traceparent(untrusted_text: str | None) -> TraceParent | None:
    """Return what a header says, ``None`` for one that is odd: then a trace begins, as W3C has it."""
    matched = _FORM.fullmatch(untrusted_text or "")
    # Only later versions may say more.
    if matched is None or (matched[4] and matched[0].startswith("00")):
        return None
    trace_id, span_id = int(matched[1], 16), int(matched[2], 16)
    if not trace_id or not span_id:
        return None
    return TraceParent(trace_id, span_id, bool(int(matched[3], 16) & _SAMPLED))
