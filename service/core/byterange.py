"""Ranges of bytes: what a ``Range`` header asks of a content (RFC 9110, 14)."""

import re
from dataclasses import dataclass
from typing import Final

from service.core.errors import RangeNotSatisfiable

#: One range; the numbers are as long as any content's, and more digits ask for nothing there is.
_ONE: Final = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A range of a content of ``size`` bytes, from ``first`` to ``last``, both included."""

    first: int
    last: int
    size: int

    @property
    def length(self) -> int:
        """How many bytes there are in it."""
        return self.last - self.first + 1

    def within(self, start: int, size: int) -> tuple[int, int]:
        """Return the part of it that lies in the ``size`` bytes from ``start`` on: where in them it begins,
        and how long it is, 0 for none.
        """
        first, last = max(self.first - start, 0), min(self.last - start, size - 1)
        return first, max(last - first + 1, 0)

    def header(self) -> str:
        """Return its ``Content-Range``."""
        return f"bytes {self.first}-{self.last}/{self.size}"


def asked_range(untrusted_range: str, size: int) -> ByteRange | None:
    """Return the range that is asked for of a content of ``size`` bytes, ``None`` for the whole.

    What is no single range of bytes is not understood here, and what is not understood is to be ignored
    (14.2): several ranges get the whole. Raises ``RangeNotSatisfiable`` for one that begins after the end.
    """
    matched = _ONE.fullmatch(untrusted_range.strip())
    if matched is None or not (matched[1] or matched[2]):
        return None
    if not matched[1]:
        length = min(int(matched[2]), size)
        if length == 0:
            raise RangeNotSatisfiable(size)
        return ByteRange(size - length, size - 1, size)
    first = int(matched[1])
    if matched[2] and int(matched[2]) < first:
        return None
    if first >= size:
        raise RangeNotSatisfiable(size)
    return ByteRange(first, min(int(matched[2] or size), size - 1), size)
