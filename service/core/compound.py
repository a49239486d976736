"""A compound file (OLE2): its directory and its streams, read with bounds.

A reader of our own, of no more than what the look into legacy Office documents needs. The library olefile
was tried and left: it reads whole streams into memory, follows the directory's tree by recursion and looks
for streams that share a first sector in quadratic time, so that a crafted file decides how long it takes.
Here every step along a chain is paid for out of one allowance.

Source: [MS-CFB] v12.0, whose sections are named below. Numbers are bytes unless they say otherwise.
"""

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, Final

from service.core.errors import TypeNotAllowed
from service.core.objection import Objection
from service.core.outcome import Malformed, Obstacle, Unscannable

MAGIC: Final = bytes.fromhex("d0cf11e0a1b11ae1")
DAMAGED: Final = Malformed("Greenroom.Document.Damaged")
_TOO_LARGE: Final = Unscannable(Obstacle.LIMITS, "Greenroom.Limits.Document")
#: A chain through all sectors of a file of 512 MiB takes 2 ** 20 steps.
_MOST_STEPS: Final = 2_000_000
_LONGEST_DIRECTORY: Final = 2 << 20

_HEADER: Final = struct.Struct("<8s16x5H6x9L109L")  # 2.2
_ENTRY: Final = struct.Struct("<64sHBx3L36xLQ")  # 2.6.1
_SHIFTS: Final = {3: 9, 4: 12}
_MINI_SHIFT: Final = 6
_CUTOFF: Final = 4096
_END_OF_CHAIN: Final = 0xFFFFFFFE
_FREE: Final = 0xFFFFFFFF
_UNUSED, _STREAM = 0, 2


@dataclass(frozen=True, slots=True)
class Entry:
    """A stream, a storage or the root. ``name`` is in capitals, because names differ by more than case."""

    name: str
    kind: int
    left: int
    right: int
    child: int
    start: int
    size: int


class Stream:
    """A stream, read forwards. Raises ``Objection`` where the file does not hold what it promises."""

    def __init__(self, content: IO[bytes], places: Iterator[int], unit: int, size: int) -> None:
        """Read ``size`` bytes that lie at ``places``, in stretches of ``unit``."""
        self._content = content
        self._places = places
        self._unit = unit
        self._size = size
        self._at = 0
        self._reached = -1
        self._place = 0

    def skip(self, length: int) -> None:
        """Leave bytes out, as far as behind the end."""
        self._at += length

    def read(self, length: int) -> bytes:
        """Return the next bytes; fewer only at the end."""
        data = b""
        while len(data) < length and self._at < self._size:
            number, within = divmod(self._at, self._unit)
            for place in islice(self._places, number - self._reached):
                self._place = place
                self._reached += 1
            if self._reached != number:
                raise Objection(DAMAGED)
            wanted = min(length - len(data), self._unit - within, self._size - self._at)
            self._content.seek(self._place + within)
            piece = self._content.read(wanted)
            if len(piece) < wanted:
                raise Objection(DAMAGED)
            data += piece
            self._at += wanted
        return data


class CompoundFile:
    """The compound file that a seekable content is.

    ``names`` are those of all its streams and storages, ``streams`` all streams, also those that no
    storage leads to, and ``top`` those in the root storage by their names. Raises ``TypeNotAllowed`` if
    the content is no compound file or its directory cannot be read, ``Objection`` if that is larger than
    any document's.
    """

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self._steps = _MOST_STEPS
        self._size = content.seek(0, 2)
        content.seek(0)
        head = content.read(_HEADER.size)
        if len(head) < _HEADER.size or not head.startswith(MAGIC):
            raise _not_one()
        _, _, version, order, shift, mini, *numbers = _HEADER.unpack(head)
        _, _, first, _, cutoff, self._mini_start, _, more, _, *tables = numbers
        if (order, _SHIFTS.get(version), mini, cutoff) != (0xFFFE, shift, _MINI_SHIFT, _CUTOFF):
            raise _not_one()
        self._sector: int = 1 << shift
        try:
            self._table = self._read_table(tables, more)
            entries = self._entries(first, _FREE if version == min(_SHIFTS) else -1)
            self.top = _level(entries)
        except Objection as objection:
            if objection.answer == DAMAGED:
                raise _not_one() from objection
            raise
        self._root = entries[0]
        self.names = {entry.name for entry in entries if entry.kind != _UNUSED}
        self.streams = [entry for entry in entries if entry.kind == _STREAM]
        self._mini: tuple[array[int], array[int]] | None = None

    def pay(self, steps: int) -> None:
        """Pay for work. Raises ``Objection`` when the allowance is used up."""
        self._steps -= steps
        if self._steps < 0:
            raise Objection(_TOO_LARGE)

    def open(self, entry: Entry) -> Stream:
        """Return one of the streams. Raises ``Objection``, as reading from it does."""
        if entry.size >= _CUTOFF:
            places = (self._place(sector) for sector in self._chain(entry.start, self._table))
            return Stream(self._content, places, self._sector, entry.size)
        return Stream(self._content, self._mini_places(entry.start), 1 << _MINI_SHIFT, entry.size)

    def _place(self, sector: int) -> int:
        return (sector + 1) * self._sector

    def _read_sector(self, sector: int) -> bytes:
        self._content.seek(self._place(sector))
        data = self._content.read(self._sector)
        if len(data) < self._sector:
            raise Objection(DAMAGED)
        return data

    def _numbers(self, sector: int) -> tuple[int, ...]:
        return struct.unpack(f"<{self._sector // 4}L", self._read_sector(sector))

    def _chain(self, sector: int, table: "array[int]") -> Iterator[int]:
        while sector != _END_OF_CHAIN:
            self.pay(1)
            if sector >= len(table):
                raise Objection(DAMAGED)
            yield sector
            sector = table[sector]

    def _read_table(self, first: list[int], more: int) -> "array[int]":
        """Return the table of all sectors that the file can have (2.3), from the sectors that 2.5 lists."""
        sectors = -(-self._size // self._sector) - 1
        each = self._sector // 4
        needed = -(-sectors // each)
        places = first[:needed]
        while len(places) < needed and more < sectors:
            self.pay(1)
            *listed, more = self._numbers(more)
            places += listed
        table = array("L")
        for sector in places[:needed]:
            table.extend(self._numbers(sector) if sector < sectors else [_FREE] * each)
        return table[:sectors]

    def _entries(self, first: int, size_mask: int) -> list[Entry]:
        pieces = []
        for sector in self._chain(first, self._table):
            pieces.append(self._read_sector(sector))
            if len(pieces) * self._sector > _LONGEST_DIRECTORY:
                raise Objection(_TOO_LARGE)
        entries = []
        for text, length, kind, left, right, child, start, size in _ENTRY.iter_unpack(b"".join(pieces)):
            name = text[: max(0, length - 2)].decode("utf-16-le", "replace").upper()
            entries.append(Entry(name, kind, left, right, child, start, size & size_mask))
        if not entries:
            raise Objection(DAMAGED)
        return entries

    def _mini_places(self, start: int) -> Iterator[int]:
        """Give the places of a small stream's pieces, which lie within the root's own stream (2.4)."""
        if self._mini is None:
            if self._root.size > self._size:
                raise Objection(DAMAGED)
            count = -(-self._root.size >> _MINI_SHIFT)
            needed = -(-count * 4 // self._sector)
            table = array("L")
            for sector in islice(self._chain(self._mini_start, self._table), needed):
                table.extend(self._numbers(sector))
            self._mini = table[:count], array("L", self._chain(self._root.start, self._table))
        pieces, sectors = self._mini
        for number in self._chain(start, pieces):
            index, within = divmod(number << _MINI_SHIFT, self._sector)
            if index >= len(sectors):
                raise Objection(DAMAGED)
            yield self._place(sectors[index]) + within


def _not_one() -> TypeNotAllowed:
    return TypeNotAllowed("The file is damaged or not the kind of document its extension says.")


def _level(entries: list[Entry]) -> dict[str, Entry]:
    """Return the streams in the root storage. The tree of 2.6.4 is walked whatever its order."""
    found: dict[str, Entry] = {}
    ahead, seen = [entries[0].child], set[int]()
    while ahead:
        number = ahead.pop()
        if number >= len(entries):
            continue
        entry = entries[number]
        if number in seen or (entry.kind == _STREAM and entry.name in found):
            # A loop, or two streams of one name: whoever opens the document chooses.
            raise Objection(DAMAGED)
        seen.add(number)
        ahead += [entry.left, entry.right]
        if entry.kind == _STREAM:
            found[entry.name] = entry
    return found
