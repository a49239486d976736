"""Archive: a zip that is made while it is read, so that memory does not grow with what is in it."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from service.stages.receive import CHUNK

#: What a zip can say of a time (APPNOTE 4.4.6): from 1980, and no later than 2107.
_FIRST_YEAR: Final = 1980
_LAST_YEAR: Final = 2107
#: An ordinary file, to be read and written by its owner alone (the high half has Unix's mode).
_MODE: Final = 0o100600 << 16


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive: ``size`` in bytes where it is known. Only text is ``packed``: a meeting's files
    are packed themselves.
    """

    name: str
    at: datetime
    content: Iterable[bytes]
    size: int | None = None
    packed: bool = False


def zipped(members: Iterable[Member]) -> Iterator[bytes]:
    """Yield a zip (ZIP64 where it must be) of ``members``, each read when its turn comes.

    What a member's content raises passes through.
    """
    out = _Out()
    with ZipFile(out, "w") as archive:
        for member in members:
            info = ZipInfo(member.name, _moment(member.at))
            info.compress_type = ZIP_DEFLATED if member.packed else ZIP_STORED
            info.external_attr = _MODE
            info.file_size = member.size or 0
            with archive.open(info, "w", force_zip64=member.size is None) as file:
                for chunk in member.content:
                    file.write(chunk)
                    if out.size >= CHUNK:
                        yield out.take()
    yield out.take()


class _Out(io.RawIOBase):
    """What a zip is written to: it takes bytes until they are taken from it, and knows no way back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._pieces.append(piece)
        self.size += len(piece)
        return len(piece)

    def take(self) -> bytes:
        taken, self._pieces, self.size = b"".join(self._pieces), [], 0
        return taken


def _moment(at: datetime) -> tuple[int, int, int, int, int, int]:
    at = at.astimezone(UTC)
    year = min(max(at.year, _FIRST_YEAR), _LAST_YEAR)
    return year, at.month, at.day, at.hour, at.minute, at.second
