"""Downloads that are checked twice, against the answer's digest and the upload's, before they count."""

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import httpx

from greenroom_client.content import CHUNK
from greenroom_client.documents import Upload
from greenroom_client.errors import Damaged
from greenroom_client.transport import Transport

_SHA256: Final = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?=$|,)")


def save(transport: Transport, path: str, upload: Upload, to: Path) -> None:
    """Fetch ``path`` into the file ``to``, which is made or replaced only when all is there and right."""

    def once() -> None:
        with _replacing(to) as file, transport.stream(path) as answer:
            _copy(answer, upload, file.write)

    transport.repeat(once, patience=0)


def pour(transport: Transport, path: str, upload: Upload, to: BinaryIO) -> None:
    """Fetch ``path`` into the open file ``to``, from the first byte on once: none can be taken back."""
    with ExitStack() as held:
        answer = transport.repeat(lambda: held.enter_context(transport.stream(path)), patience=0)
        _copy(answer, upload, to.write)


def _copy(answer: httpx.Response, upload: Upload, write: Callable[[bytes], object]) -> None:
    announced = _SHA256.search(answer.headers.get("Repr-Digest", ""))
    if announced is None or base64.b64decode(announced[1]).hex() != upload.sha256:
        raise Damaged("The answer is not the released file: its digest is missing or another one.")
    digest = hashlib.sha256()
    size = 0
    # As it came: with a content coding it could not be the file, whose digest is checked.
    for chunk in answer.iter_raw(CHUNK):
        size += len(chunk)
        if upload.size is not None and size > upload.size:
            raise Damaged("More arrived than the released file has.")
        digest.update(chunk)
        write(chunk)
    if digest.hexdigest() != upload.sha256:
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
