"""A stretch of a content that a client asks for: HTTP's ``Range`` (RFC 9110, 14)."""

import re
from dataclasses import dataclass
from typing import Final

from service.core.errors import RangeNotSatisfiable

_ONE: Final = re.compile(r"bytes=[ \t]*(?:([0-9]{1,99})-([0-9]{0,99})|-([0-9]{1,99}))[ \t]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from ``first`` to ``last``, both among them, counted from 0."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """How many bytes it is."""
        return self.last - self.first + 1

    def within(self, start: int, size: int) -> tuple[int, int]:
        """Return the part of it that lies in ``size`` bytes at ``start``: where it begins in them, how long
        it is; 0 for none.
        """
        first, last = max(self.first - start, 0), min(self.last - start, size - 1)
        return first, max(last - first + 1, 0)


def asked_span(untrusted_range: str, size: int) -> Span | None:
    """Return the stretch of a content of ``size`` bytes that a ``Range`` asks for; ``None`` for all of it.

    One range of bytes is given. Several, other units and what is malformed mean all, as a server may decide
    (RFC 9110, 14.2), and so does the end of an empty content. Raises ``RangeNotSatisfiable``.
    """
    matched = _ONE.fullmatch(untrusted_range)
    if matched is None:
        return None
    if matched[3] is not None:
        span = Span(max(size - int(matched[3]), 0), size - 1)
        if not int(matched[3]):
            raise _none_of(size)
        return span if size else None
    first = int(matched[1])
    last = int(matched[2]) if matched[2] else max(first, size - 1)
    if last < first:
        return None
    if first >= size:
        raise _none_of(size)
    return Span(first, min(last, size - 1))


def _none_of(size: int) -> RangeNotSatisfiable:
    return RangeNotSatisfiable(f"The file has {size} bytes, and none of those that are asked for.", size)
