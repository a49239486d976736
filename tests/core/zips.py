"""Zips put together byte by byte (APPNOTE.TXT 4.3), with every field open to change."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

WIDE = 0xFFFFFFFF


@dataclass(frozen=True)
class Part:
    """One member. ``local`` and ``central`` name the fields to change in one of its two headers."""

    name: bytes
    content: bytes = b""
    method: int = 0
    flags: int = 0
    packed: bytes | None = None
    extra: bytes = b""
    central_extra: bytes = b""
    comment: bytes = b""
    before: bytes = b""
    behind: bytes | None = None
    local: tuple[tuple[str, object], ...] = ()
    central: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True)
class _Fields:
    magic: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    name: bytes
    place: int
    disk: int = 0


def deflated(content: bytes, level: int = 6) -> bytes:
    """Return raw deflated bytes."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def zipped(
    parts: Sequence[Part],
    *,
    comment: bytes = b"",
    gap: bytes = b"",
    wide: bool = False,
    end: Sequence[tuple[int, int]] = (),
    wide_end: Sequence[tuple[int, int]] = (),
    locator: Sequence[tuple[int, int]] = (),
) -> bytes:
    """Return a zip of ``parts``; ``gap`` is put in front of the directory.

    ``end``, ``wide_end`` and ``locator`` replace fields of the directory's ends by their numbers.
    """
    body, entries = bytearray(), bytearray()
    for part in parts:
        body += part.before
        packed = part.packed
        if packed is None:
            packed = deflated(part.content) if part.method == 8 else part.content
        crc = zlib.crc32(part.content)
        fields = _Fields(
            b"PK\3\4", part.flags, part.method, crc, len(packed), len(part.content), part.name, len(body)
        )
        streamed = part.flags & 8
        local = replace(fields, crc=0, packed=0, size=0) if streamed else fields
        body += _local(replace(local, **dict(part.local)), part.extra) + packed  # type: ignore[arg-type]
        ending = struct.pack("<4s3L", b"PK\7\10", crc, len(packed), len(part.content)) if streamed else b""
        body += ending if part.behind is None else part.behind
        entries += _central(
            replace(replace(fields, magic=b"PK\1\2"), **dict(part.central)),  # type: ignore[arg-type]
            part.central_extra,
            part.comment,
        )
    body += gap
    place, count = len(body), len(parts)
    tail = b""
    if wide:
        numbers = [44, 45, 45, 0, 0, count, count, len(entries), place]
        where = [0, place + len(entries), 1]
        tail = struct.pack("<4sQ2H2L4Q", b"PK\6\6", *_changed(numbers, wide_end))
        tail += struct.pack("<4sLQL", b"PK\6\7", *_changed(where, locator))
    told = [0, 0, 0xFFFF, 0xFFFF, WIDE, WIDE] if wide else [0, 0, count, count, len(entries), place]
    tail += struct.pack("<4s4H2LH", b"PK\5\6", *_changed([*told, len(comment)], end))
    return bytes(body + entries) + tail + comment


def _changed(numbers: list[int], changes: Sequence[tuple[int, int]]) -> list[int]:
    for index, value in changes:
        numbers[index] = value
    return numbers


def _local(fields: _Fields, extra: bytes) -> bytes:
    return (
        struct.pack(
            "<4s5H3L2H",
            *(fields.magic, 20, fields.flags, fields.method, 0, 33),
            *(fields.crc, fields.packed, fields.size, len(fields.name), len(extra)),
        )
        + fields.name
        + extra
    )


def _central(fields: _Fields, extra: bytes, comment: bytes) -> bytes:
    return (
        struct.pack(
            "<4s6H3L5H2L",
            *(
                fields.magic,
                20,
                20,
                fields.flags,
                fields.method,
                0,
                33,
                fields.crc,
                fields.packed,
                fields.size,
            ),
            *(len(fields.name), len(extra), len(comment), fields.disk, 0, 0, fields.place),
        )
        + fields.name
        + extra
        + comment
    )
