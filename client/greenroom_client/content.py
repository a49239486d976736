"""What is uploaded: a path, bytes or a binary file, read in chunks, more than once where that can be."""

import base64
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from greenroom_client.errors import SourceChanged

CHUNK: Final = 256 * 1024
Source = str | os.PathLike[str] | bytes | BinaryIO
#: Called with the bytes sent so far and the size in all, ``None`` where it is not known. It begins again at 0
#: for a file that has to be sent again.
Progress = Callable[[int, int | None], object]


@dataclass(frozen=True, slots=True)
class Content:
    """One content to send.

    ``size`` is in bytes, ``digest`` the ``Repr-Digest`` value (RFC 9530), ``start`` where in the file it
    begins. All are ``None`` for a file that cannot be read twice: it is sent as it comes, once.
    """

    file: BinaryIO
    name: str
    start: int | None = None
    size: int | None = None
    digest: str | None = None

    @property
    def repeatable(self) -> bool:
        """Whether it can be read again."""
        return self.start is not None

    def headers(self) -> dict[str, str]:
        """Return what is said of the content in a request's headers."""
        said = {"Content-Type": "application/octet-stream"}
        if self.size is not None and self.digest is not None:
            said |= {"Content-Length": str(self.size), "Repr-Digest": self.digest}
        return said

    def chunks(self, on_progress: Progress | None) -> Iterator[bytes]:
        """Yield the content from its beginning. Raises ``SourceChanged`` if its length is another one now."""
        if self.start is not None:
            self.file.seek(self.start)
        sent = 0
        while chunk := self.file.read(CHUNK):
            if self.size is not None and sent + len(chunk) > self.size:
                raise SourceChanged("The file grew while it was sent.")
            yield chunk
            sent += len(chunk)
            if on_progress:
                on_progress(sent, self.size)
        if self.size is not None and sent < self.size:
            raise SourceChanged("The file shrank while it was sent.")


@contextmanager
def opened(source: Source) -> Iterator[Content]:
    """Open ``source``; a binary file is read from where it stands, and left open. Raises ``OSError``."""
    if isinstance(source, bytes):
        yield _measured(BytesIO(source), "")
    elif isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file:
            yield _measured(file, _name(source))
    else:
        name = getattr(source, "name", "")
        yield _measured(source, _name(name) if isinstance(name, str) else "")


def _name(path: str | os.PathLike[str]) -> str:
    """Return the file's name as text; what in it is no UTF-8, and could not be sent, is U+FFFD."""
    return os.fsencode(Path(path).name).decode(errors="replace")


def _measured(file: BinaryIO, name: str) -> Content:
    if not file.seekable():
        return Content(file, name)
    start = file.tell()
    digest = hashlib.sha256()
    size = 0
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return Content(file, name, start, size, f"sha-256=:{base64.b64encode(digest.digest()).decode()}:")
