"""A walk through a whole zip, to learn whether the scanner can have looked into every byte of it.

clamd answers ``OK`` to members that it cannot unpack. So here every member is unpacked once, in bounded
memory, and must be what the directory says, stored or deflated, and together they must fill the file from
its first byte to the directory without gap or overlap. Sources: PKWARE's APPNOTE.TXT 6.3.10 (sections
named below), ECMA-376 part 2 annex C and OpenDocument 1.3 part 2 section 2 (stored and deflated only).

Numbers are bytes. All functions raise ``Objection`` for what they find.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import IO, Final

from service.core.objection import Objection
from service.core.outcome import Malformed, Obstacle, Unscannable
from service.core.zipdirectory import TOO_LARGE, Directory, Member, check_narrow

ENCRYPTED: Final = Unscannable(Obstacle.ENCRYPTED, "Greenroom.Encrypted.Package")
_COMPRESSION: Final = Unscannable(Obstacle.LIMITS, "Greenroom.Package.Compression")
_ARCHIVE: Final = Unscannable(Obstacle.LIMITS, "Greenroom.Package.Archive")
_LAYOUT: Final = Malformed("Greenroom.Package.Layout")
_DAMAGED: Final = Malformed("Greenroom.Package.Damaged")

_HEADER: Final = struct.Struct("<4s5H3L2H")  # 4.3.7
_STORED, _DEFLATED, _AES = 0, 8, 99  # 4.4.5
#: 4.4.4: encrypted, strongly encrypted, directory encrypted.
_LOCKED: Final = 1 << 0 | 1 << 6 | 1 << 13
#: 4.4.4: CRC and sizes follow the data (4.3.9).
_STREAMED: Final = 1 << 3
#: 4.3.9, by their lengths: with and without a signature, and wide.
_DESCRIPTORS: Final = {form.size: form for form in map(struct.Struct, ("<3L", "<4s3L", "<L2Q", "<4sL2Q"))}
#: Unpacked beyond the file's own size. At the slowest zlib unpacks about 600 MiB a second.
_MOST_UNPACKED: Final = 512 << 20
_BITE: Final = 256 << 10
_GULP: Final = 1 << 20
#: Archives that Debian's clamd does not open, or opens and says OK to what it could not unpack:
#: RAR, 7-Zip, Zstandard, lzip.
_CLOSED_ARCHIVES: Final = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x28\xb5\x2f\xfd", b"LZIP")


def check_members(directory: Directory) -> None:
    """Object to what the directory itself tells: encryption, other compressions, overlaps, too much."""
    members = directory.members
    if any(member.flags & _LOCKED or member.method == _AES for member in members):
        raise Objection(ENCRYPTED)
    if any(member.method not in {_STORED, _DEFLATED} for member in members):
        raise Objection(_COMPRESSION)
    for member, end in _stretches(directory):
        if member.place + _HEADER.size + len(member.name) + member.packed > end:
            raise Objection(_LAYOUT)
    if sum(member.size for member in members) > _MOST_UNPACKED + directory.place:
        raise Objection(TOO_LARGE)


def walk(directory: Directory, content: IO[bytes]) -> None:
    """Unpack all of a directory that ``check_members`` found good, and check it."""
    if directory.members and directory.members[0].place:
        raise Objection(_LAYOUT)
    content.seek(0)
    for member, end in _stretches(directory):
        _check_header(content, member)
        _check_data(content, member)
        _check_descriptor(content, member, end)


def read_member(content: IO[bytes], member: Member) -> bytes:
    """Return one member unpacked. It is as long as its entry says, or shorter."""
    content.seek(member.place)
    _check_header(content, member)
    return b"".join(_unpacked(content, member))


def _stretches(directory: Directory) -> Iterator[tuple[Member, int]]:
    """Give each member with the place where it must end."""
    ends = [member.place for member in directory.members[1:]]
    return zip(directory.members, [*ends, directory.place], strict=False)


def _take(content: IO[bytes], length: int) -> bytes:
    data = content.read(length)
    if len(data) < length:
        raise Objection(_DAMAGED)
    return data


def _check_header(content: IO[bytes], member: Member) -> None:
    """Read the member's own header, which some readers go by, and compare it with the directory's entry."""
    fields = _HEADER.unpack(_take(content, _HEADER.size))
    magic, _, flags, method, _, _, crc, packed, size, name_length, extra_length = fields
    name = _take(content, name_length)
    check_narrow(_take(content, extra_length), size, packed)
    said = (crc, size, packed)
    told = {(member.crc, member.size, member.packed)}
    if flags & _STREAMED:
        told.add((0, 0, 0))  # 4.4.4 asks for zeros; some writers give the numbers all the same
    if said not in told or (magic, flags, method, name) != (
        b"PK\3\4",
        member.flags,
        member.method,
        member.name,
    ):
        raise Objection(_DAMAGED)


def _check_data(content: IO[bytes], member: Member) -> None:
    size = crc = 0
    start = b""
    for piece in _unpacked(content, member):
        if len(start) < len(_CLOSED_ARCHIVES[0]):
            start += piece[: len(_CLOSED_ARCHIVES[0])]
        size += len(piece)
        crc = zlib.crc32(piece, crc)
    if (size, crc) != (member.size, member.crc):
        raise Objection(_DAMAGED)
    if start.startswith(_CLOSED_ARCHIVES):
        raise Objection(_ARCHIVE)


def _unpacked(content: IO[bytes], member: Member) -> Iterator[bytes]:
    """Give a member's bytes in pieces of at most 1 MiB, not many more than its entry says."""
    if member.method == _STORED:
        for place in range(0, member.packed, _BITE):
            yield _take(content, min(_BITE, member.packed - place))
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left, size = member.packed, 0
    while not inflater.eof:
        packed = inflater.unconsumed_tail
        if not packed:
            packed = _take(content, min(_BITE, left))
            left -= len(packed)
        try:
            piece = inflater.decompress(packed, _GULP)
        except zlib.error:
            raise Objection(_DAMAGED) from None
        size += len(piece)
        if size > member.size or not (packed or piece or inflater.eof):
            raise Objection(_DAMAGED)
        yield piece
    if left or inflater.unused_data:
        raise Objection(_DAMAGED)


def _check_descriptor(content: IO[bytes], member: Member, end: int) -> None:
    """Check that between the data and the ``end`` is what the flags promise: a descriptor, or nothing."""
    length = end - content.tell()
    if not member.flags & _STREAMED:
        if length:
            raise Objection(_LAYOUT)
        return
    numbers = (member.crc, member.packed, member.size)
    if length not in _DESCRIPTORS or _DESCRIPTORS[length].unpack(_take(content, length)) not in {
        numbers,
        (b"PK\7\10", *numbers),
    }:
        raise Objection(_LAYOUT)
