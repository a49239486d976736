"""Canaries: contents whose verdict is known, to learn whether the scanner still sees.

clamd cannot be asked for its limits, and it answers PING while its signatures are gone; so it is shown
what it must find. Nothing here is harmful: EICAR is the industry's test file (eicar.org), and it is put
together at run time so that no file of ours is itself reported.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from service.core.errors import ConfigurationError
from service.core.outcome import Failed, Infected, Obstacle, Outcome, Unscannable

EICAR: Final = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS" + b"-TEST-FILE!$H+H*"
_ZEROS: Final = bytes(256 * 1024)
_OURS: Final = "(clamd must load clamav/signatures beside its others)"
#: The mark of a RAR archive of version 4, and nothing behind it.
_RAR: Final = b"Rar!\x1a\x07\x00" + bytes(64)
#: More levels than clamd's MaxRecursion allows (17 by default).
_NESTING: Final = 40


@dataclass(frozen=True, slots=True)
class Canary:
    """One content, as chunks made anew each time, and the law that its outcome must keep."""

    name: str
    law: str
    pieces: "Pieces"
    expected: type[Infected] | Obstacle

    def kept(self, outcome: Outcome) -> bool:
        """Tell whether ``outcome`` is the one that the law asks for."""
        if isinstance(self.expected, Obstacle):
            return isinstance(outcome, Unscannable) and outcome.obstacle is self.expected
        return isinstance(outcome, self.expected)


@dataclass(frozen=True, slots=True)
class Pieces:
    """A content made of ``before``, ``gap`` zero bytes and ``behind``; ``gap`` is never built as a whole."""

    before: bytes
    gap: int = 0
    behind: bytes = b""

    def __iter__(self) -> Iterator[bytes]:
        """Give the content in chunks of at most 256 KiB."""
        yield self.before
        left = self.gap
        while left:
            yield _ZEROS[:left]
            left -= min(left, len(_ZEROS))
        if self.behind:
            yield self.behind


def quick_canaries() -> list[Canary]:
    """Return the canaries of every minute."""
    return [
        Canary("plain", "EICAR is found", Pieces(EICAR), Infected),
        Canary("zipped", "EICAR in a zip is found", Pieces(_zip(EICAR)), Infected),
        Canary("encrypted", "an encrypted zip is reported", Pieces(_encrypted_zip()), Obstacle.ENCRYPTED),
        Canary(
            "over the limit", "what exceeds clamd's limits is reported", Pieces(_nested()), Obstacle.LIMITS
        ),
        # Without our own signatures clamd says OK to these two.
        Canary("RAR", f"a RAR in a zip is reported {_OURS}", Pieces(_zip(_RAR)), Obstacle.LIMITS),
        Canary(
            "locked document",
            f"an encrypted document is reported {_OURS}",
            Pieces(_locked_document()),
            Obstacle.ENCRYPTED,
        ),
    ]


def limit_canary(max_file_size: int) -> Canary:
    """Return a zip of exactly ``max_file_size`` bytes whose last member is EICAR.

    clamd finds it only if its own limits (StreamMaxLength, MaxFileSize, MaxScanSize) reach as far as ours.
    Raises ``ConfigurationError`` for a size that is too small to hold it.
    """
    return Canary(
        "at the limit",
        f"EICAR at the end of {max_file_size} bytes is found",
        _zip_with_gap(max_file_size),
        Infected,
    )


def complaint(canary: Canary, outcome: Outcome) -> str:
    """Return a sentence for the operator about a law that was not kept."""
    said = (
        f"{outcome.failure}: {outcome.detail}"
        if isinstance(outcome, Failed)
        else type(outcome).__name__.lower()
    )
    return f"{canary.name}: not so that {canary.law} ({said})"


def _zip(content: bytes, name: str = "sample.bin") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _encrypted_zip() -> bytes:
    """Return a zip whose member is marked as encrypted (APPNOTE 4.4.4, bit 0)."""
    data = bytearray(_zip(bytes(range(64))))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    return bytes(data)


def _nested() -> bytes:
    content = EICAR
    for _ in range(_NESTING):
        content = _zip(content)
    return content


def _locked_document() -> bytes:
    """Return a compound file's header and the entry that every encrypted OOXML has ([MS-OFFCRYPTO] 2.3.4)."""
    name = "EncryptedPackage".encode("utf-16-le")
    entry = name.ljust(64, b"\0") + struct.pack("<HB", len(name) + 2, 2)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0") + entry.ljust(128, b"\0")


def _zip_with_gap(size: int) -> Pieces:
    """Return a zip of ``size`` bytes: a first member, a gap, EICAR, the directory (APPNOTE 4.3)."""
    first = _local_header(b"first.txt", b"first") + b"first"
    last = _local_header(b"last.bin", EICAR) + EICAR
    entries = 2 * 46 + len(b"first.txt") + len(b"last.bin")
    gap = size - len(first) - len(last) - entries - 22
    if gap < 0:
        raise ConfigurationError(f"policy: max_file_size must be at least {size - gap}")
    place = len(first) + gap
    directory = _entry(b"first.txt", b"first", 0) + _entry(b"last.bin", EICAR, place)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), place + len(last), 0)
    return Pieces(first, gap, last + directory + end)


def _local_header(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 33, *_sizes(content), len(name), 0) + name


def _entry(name: bytes, content: bytes, place: int) -> bytes:
    fixed = struct.pack(
        "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, *_sizes(content), len(name), 0, 0, 0, 0, 0, place
    )
    return fixed + name


def _sizes(content: bytes) -> tuple[int, int, int]:
    return zlib.crc32(content), len(content), len(content)
