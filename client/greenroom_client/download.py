"""Downloads that are checked twice, against the answer's digest and the upload's, before they count."""

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import httpx

from greenroom_client.content import CHUNK
from greenroom_client.documents import Upload
from greenroom_client.errors import Damaged
from greenroom_client.transport import Transport

_SHA256: Final = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?=$|,)")


class _Arrived:
    """What arrived of a file so far, and where it was written to."""

    def __init__(self, to: BinaryIO) -> None:
        self._to = to
        self._digest = hashlib.sha256()
        self.size = 0

    def add(self, chunk: bytes) -> None:
        """Write what follows."""
        self._to.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)

    def forget(self) -> None:
        """Begin again, in a file that can be cut."""
        self._to.seek(0)
        self._to.truncate()
        self._digest = hashlib.sha256()
        self.size = 0

    def sha256(self) -> str:
        """Return the SHA-256 of all of it, in hex."""
        return self._digest.hexdigest()


def save(transport: Transport, path: str, upload: Upload, to: Path) -> None:
    """Fetch ``path`` into the file ``to``, which is made or replaced only when all is there and right.

    After a line that broke the next try goes on where it was, if the service gives parts of this file.
    """
    with _replacing(to) as file:
        arrived = _Arrived(file)

        def once() -> None:
            with transport.stream(path, _rest(upload, arrived.size)) as answer:
                if answer.status_code != httpx.codes.PARTIAL_CONTENT:
                    arrived.forget()
                elif answer.headers.get("Content-Range") != _range(upload, arrived.size):
                    raise Damaged("The answer is another part of the file than was asked for.")
                _take(answer, upload, arrived)

        transport.repeat(once, patience=0)


def pour(transport: Transport, path: str, upload: Upload, to: BinaryIO) -> None:
    """Fetch ``path`` into the open file ``to``, from the first byte on once: none can be taken back."""
    with ExitStack() as held:
        answer = transport.repeat(lambda: held.enter_context(transport.stream(path)), patience=0)
        _take(answer, upload, _Arrived(to))


def _rest(upload: Upload, size: int) -> dict[str, str]:
    """Return the headers that ask for what follows the first ``size`` bytes of this very content, or for all
    of it (RFC 9110, 13.1.5 and 14.2).
    """
    if not 0 < size < (upload.size or 0):
        return {}
    return {"Range": f"bytes={size}-", "If-Range": f'"{upload.sha256}"'}


def _range(upload: Upload, first: int) -> str:
    size = upload.size or 0
    return f"bytes {first}-{size - 1}/{size}"


def _take(answer: httpx.Response, upload: Upload, arrived: _Arrived) -> None:
    """Add what an answer brings; then all must be there, and right."""
    announced = _SHA256.search(answer.headers.get("Repr-Digest", ""))
    if announced is None or base64.b64decode(announced[1]).hex() != upload.sha256:
        raise Damaged("The answer is not the released file: its digest is missing or another one.")
    # As it came: with a content coding it could not be the file, whose digest is checked.
    for chunk in answer.iter_raw(CHUNK):
        if upload.size is not None and arrived.size + len(chunk) > upload.size:
            raise Damaged("More arrived than the released file has.")
        arrived.add(chunk)
    if arrived.sha256() != upload.sha256:
        raise Damaged("What arrived is not the released file: its digest is another one.")


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of ``path`` in the end, or is gone if anything was raised.

    A crash leaves at most the new file, under its own name.
    """
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
