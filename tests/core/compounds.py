"""Compound files ([MS-CFB]) and legacy Office documents, made in code."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

END: Final = 0xFFFFFFFE
NONE: Final = 0xFFFFFFFF
_TABLE, _MORE = 0xFFFFFFFD, 0xFFFFFFFC
_CUTOFF: Final = 4096
_MINI: Final = 64
_HEADER: Final = "<8s16s5H6s9L"
STREAM, STORAGE, ROOT = 2, 1, 5


def compound_file(*names: str, before: int = 0, behind: int = 0) -> bytes:
    """Return a compound file with streams of 4 KiB, ``before`` and ``behind`` sectors of nothing."""
    return compound(dict.fromkeys(names, b"\x22" * _CUTOFF), before=before, behind=behind)


def compound(
    streams: Mapping[str, bytes], *, version: int = 3, before: int = 0, behind: int = 0, nested: str = ""
) -> bytes:
    """Return a compound file of ``streams``. Where ``nested`` is a name, they are all in that storage.

    ``before`` and ``behind`` are sectors of nothing in front of the directory and at the end of the file.
    """
    file = _File(1 << (9 if version == 3 else 12))
    file.add(b"\x11" * file.sector * before)
    mini, mini_table = _mini_stream(streams)
    root_start, mini_start = file.add(mini), file.add(struct.pack(f"<{len(mini_table)}L", *mini_table))
    places = iter(_mini_starts(streams))
    starts = [next(places) if len(data) < _CUTOFF else file.add(data) for data in streams.values()]
    first = 2 if nested else 1
    entries = [_entry("Root Entry", ROOT, NONE, 1 if streams or nested else NONE, root_start, len(mini))]
    if nested:
        entries.append(_entry(nested, STORAGE, NONE, first, 0, 0))
    for number, (name, data) in enumerate(streams.items()):
        right = first + number + 1 if number + 1 < len(streams) else NONE
        entries.append(_entry(name, STREAM, right, NONE, starts[number], len(data)))
    directory = file.add(b"".join(entries))
    file.add(b"\x33" * file.sector * behind)
    return file.finished(version, directory, mini_start)


def _mini_stream(streams: Mapping[str, bytes]) -> tuple[bytes, list[int]]:
    data, table = b"", list[int]()
    for small in (content for content in streams.values() if len(content) < _CUTOFF):
        count = -(-len(small) // _MINI)
        table += _chain(len(table), count)
        data += small.ljust(count * _MINI, b"\0")
    return data, table


def _mini_starts(streams: Mapping[str, bytes]) -> list[int]:
    starts, place = [], 0
    for small in (content for content in streams.values() if len(content) < _CUTOFF):
        starts.append(place if small else END)
        place += -(-len(small) // _MINI)
    return starts


def _chain(start: int, length: int) -> list[int]:
    return [*range(start + 1, start + length), END] if length else []


def _entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    return struct.pack(
        "<64sHBBLLL16sLQQLQ", text, len(text), kind, 1, NONE, right, child, b"", 0, 0, 0, start, size
    )


@dataclass
class _File:
    """Sectors behind the header and their table. The table itself comes last in the file."""

    sector: int
    data: bytearray = field(default_factory=bytearray)
    table: list[int] = field(default_factory=list)

    def add(self, content: bytes) -> int:
        """Add a stream; return its first sector."""
        count = -(-len(content) // self.sector)
        start = len(self.table)
        self.table += _chain(start, count)
        self.data += content.ljust(count * self.sector, b"\0")
        return start if count else END

    def finished(self, version: int, directory: int, mini_start: int) -> bytes:
        """Return header, sectors, table, and what leads to a table of more than 109 sectors."""
        each, used = self.sector // 4, len(self.table)
        size = more = 0
        while size * each < used + size + more:
            size += 1
            more = max(0, -(-(size - 109) // (each - 1)))
        self.table += [_TABLE] * size + [_MORE] * more
        self.table += [NONE] * (size * each - len(self.table))
        places = list(range(used, used + size))
        lists = b""
        for number in range(more):
            part = places[109:][number * (each - 1) : (number + 1) * (each - 1)]
            follower = used + size + number + 1 if number + 1 < more else END
            lists += struct.pack(f"<{each}L", *part, *[NONE] * (each - 1 - len(part)), follower)
        head = struct.pack(
            _HEADER,
            bytes.fromhex("d0cf11e0a1b11ae1"),
            b"",
            0x3E,
            version,
            0xFFFE,
            self.sector.bit_length() - 1,
            6,
            b"",
            *(0, size, directory, 0, _CUTOFF, mini_start, 0, used + size if more else END, more),
        ) + struct.pack("<109L", *(places + [NONE] * 109)[:109])
        table = struct.pack(f"<{len(self.table)}L", *self.table)
        return head.ljust(self.sector, b"\0") + bytes(self.data) + table + lists


def record(kind: int, content: bytes = b"") -> bytes:
    """Return one record of a workbook ([MS-XLS] 2.1.4)."""
    return struct.pack("<2H", kind, len(content)) + content


BEGINNING: Final = record(0x0809, struct.pack("<2H12x", 0x0600, 5))
FILE_PASS: Final = record(0x002F, bytes(54))
PART_END: Final = record(0x000A)


def workbook(*records: bytes, size: int = 0) -> bytes:
    """Return a workbook stream of at least ``size`` bytes whose first part holds ``records``."""
    return (BEGINNING + b"".join(records) + PART_END).ljust(size, b"\0")


def word(*, encrypted: bool = False, size: int = _CUTOFF) -> bytes:
    """Return a main stream of Word's ([MS-DOC] 2.5.1)."""
    return struct.pack("<6H", 0xA5EC, 0xC1, 0, 0x0409, 0, 0x0100 if encrypted else 0x0200).ljust(size, b"\0")


def presentation(*, token: int = 0xE391C05F, edit: int = 0x1C, kind: int = 0x0FF5) -> dict[str, bytes]:
    """Return the two streams of a presentation ([MS-PPT] 2.3.2 and 2.3.3); the last edit is at 5000."""
    user = struct.pack("<2H4L", 0, 0x0FF6, 0x14, 0x14, token, 5000).ljust(40, b"\0")
    document = bytes(5000) + struct.pack("<2HL", 0, kind, edit) + bytes(edit)
    return {"Current User": user, "PowerPoint Document": document}


def patched(content: bytes, place: int, form: str, *values: int) -> bytes:
    """Return ``content`` with numbers put at a place."""
    data = bytearray(content)
    struct.pack_into(form, data, place, *values)
    return bytes(data)
