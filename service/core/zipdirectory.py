"""A zip's own directory, read with bounds before anything is unpacked.

Python's ``zipfile`` makes an object of every entry before one can count them, and forgives what other
readers understand differently (a second zip in front, places that are off). Here the directory must end
exactly where the file does. Source: PKWARE's APPNOTE.TXT 6.3.10, section 4.3; its numbers are named below.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final

from service.core.errors import TypeNotAllowed
from service.core.objection import Objection
from service.core.outcome import Obstacle, Unscannable

#: clamd's MaxFiles: it leaves what lies behind the ten thousandth member unseen.
MOST_MEMBERS: Final = 10_000
#: In bytes. A directory of 10 000 members with long names is half of this.
_LONGEST_DIRECTORY: Final = 2 << 20
_LONGEST_COMMENT: Final = 0xFFFF
_END: Final = struct.Struct("<4s4H2LH")  # 4.3.16
_LOCATOR: Final = struct.Struct("<4sLQL")  # 4.3.15
_END_64: Final = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")  # 4.3.12
_WIDE: Final = 0xFFFFFFFF
_WIDE_EXTRA: Final = 1  # 4.5.3
WIDE_NUMBERS: Final = Unscannable(Obstacle.LIMITS, "Greenroom.Package.Zip64")
TOO_LARGE: Final = Unscannable(Obstacle.LIMITS, "Greenroom.Limits.Package")


@dataclass(frozen=True, slots=True)
class Member:
    """One member as the directory tells of it. ``place`` is where its own header begins, ``packed`` its
    bytes in the file, ``size`` its bytes once unpacked, ``crc`` their CRC-32.
    """

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    place: int


@dataclass(frozen=True, slots=True)
class Directory:
    """All members, by their places in the file, and the ``place`` where the directory begins."""

    members: tuple[Member, ...]
    place: int


def read_directory(content: IO[bytes], *, comment_allowed: bool) -> Directory:
    """Read the directory of the zip that the seekable ``content`` is from its first to its last byte.

    Raises ``TypeNotAllowed`` if it is none, or if its directory cannot be trusted; ``Objection`` if there
    are more than 10 000 members or 2 MiB of directory.
    """
    size = content.seek(0, 2)
    count, length, place = _end(content, size, _LONGEST_COMMENT if comment_allowed else 0)
    if count > MOST_MEMBERS or length > _LONGEST_DIRECTORY:
        raise Objection(TOO_LARGE)
    members = sorted(_members(_read(content, place, length), count), key=lambda member: member.place)
    names = {member.name if comment_allowed else member.name.lower() for member in members}
    if len(names) < len(members):
        raise _odd("two members have one name")
    return Directory(tuple(members), place)


def _odd(why: str) -> TypeNotAllowed:
    error = TypeNotAllowed("The file is damaged or not the kind of document its extension says.")
    error.__cause__ = ValueError(why)
    return error


def _read(content: IO[bytes], place: int, length: int) -> bytes:
    content.seek(place)
    return content.read(length)


def _end(content: IO[bytes], size: int, longest_comment: int) -> tuple[int, int, int]:
    """Return how many entries the directory has, how many bytes, and where it begins."""
    window = min(size, _END.size + longest_comment)
    tail = _read(content, size - window, window)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + _END.size > window:
        raise _odd("no end of a directory")
    _, disk, first_disk, here, count, length, place, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != window:
        raise _odd("something behind the directory's end")
    ends = size - window + at
    wide = _end_64(content, ends)
    if wide is not None:
        told = (here, count, length, place)
        if any(narrow not in {full, 0xFFFF, _WIDE} for narrow, full in zip(told, wide[1:], strict=True)):
            raise _odd("the two ends of the directory disagree")
        ends, here, count, length, place = wide
    if disk or first_disk or here != count:
        raise _odd("a part of several")
    if place + length != ends:
        raise _odd("the directory is not where it should be")
    return count, length, place


def _end_64(content: IO[bytes], ends: int) -> tuple[int, int, int, int, int] | None:
    """Return where the wide end begins, and its two counts, length and place, if the zip has one."""
    if ends < _LOCATOR.size + _END_64.size:
        return None
    magic, disk, wide, disks = _LOCATOR.unpack(_read(content, ends - _LOCATOR.size, _LOCATOR.size))
    if magic != b"PK\6\7":
        return None
    if disk or disks > 1 or wide != ends - _LOCATOR.size - _END_64.size:
        raise _odd("a wide end that is elsewhere")
    magic, _, _, _, disk, first_disk, here, count, length, place = _END_64.unpack(
        _read(content, wide, _END_64.size)
    )
    if magic != b"PK\6\6" or disk or first_disk:
        raise _odd("a wide end that is none")
    return wide, here, count, length, place


def _members(data: bytes, count: int) -> Iterator[Member]:
    at = 0
    for _ in range(count):
        if at + _ENTRY.size > len(data):
            raise _odd("a directory that is too short")
        entry = _ENTRY.unpack_from(data, at)
        magic, _, _, flags, method, _, _, crc, packed, size, name, extra, comment, disk, *_, place = entry
        start, at = at + _ENTRY.size, at + _ENTRY.size + name + extra + comment
        if magic != b"PK\1\2" or disk or at > len(data):
            raise _odd("an entry that is none")
        check_narrow(data[start + name : start + name + extra], size, packed, place)
        yield Member(_checked(data[start : start + name]), flags, method, crc, packed, size, place)
    if at != len(data):
        raise _odd("a directory that is too long")


def check_narrow(extra: bytes, *numbers: int) -> None:
    """Object to a header with wide numbers (4.5.3): clamd 1.4 passes such a member over and says ``OK``.

    No content that is accepted is so large that it needs them.
    """
    if _WIDE in numbers:
        raise Objection(WIDE_NUMBERS)
    while len(extra) >= 4:  # noqa: PLR2004 - an extra field's kind and length, two bytes each
        kind, length = struct.unpack_from("<2H", extra)
        if kind == _WIDE_EXTRA:
            raise Objection(WIDE_NUMBERS)
        extra = extra[4 + length :]


def _checked(name: bytes) -> bytes:
    """Return a member's name unless unpacking it could write elsewhere."""
    steps = name.replace(b"\\", b"/").split(b"/")
    if not steps[0] or b".." in steps or b"\0" in name or name[1:2] == b":":
        raise _odd("a name that leads elsewhere")
    return name
