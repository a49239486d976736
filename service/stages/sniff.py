"""Sniff: is the content what its name says? First from the head, then from the package's own directory.

A package keeps its directory at its end, so the second look waits until all bytes are in quarantine. It
reads all of them back once, while the scanner is at work on its own copy; the pass keeps both ends of the
content, so that small packages need no read from the store.
"""

import io
from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from itertools import accumulate
from typing import IO, TYPE_CHECKING, Final

from service.core.container import inspect
from service.core.errors import ContentLost, TypeNotAllowed
from service.core.filetype import allowed_by_name, check_content
from service.core.naming import extension
from service.core.outcome import Answer, Malformed, Obstacle, Unscannable
from service.core.policy import FileType
from service.core.upload import Segment, Upload
from service.ports import Source
from service.stages import contents
from service.stages.parts import Parts
from service.stages.receive import WINDOW

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: libmagic's answer for a compound file with an encrypted document in it: whatever else is said, never clean.
_ENCRYPTED_TYPE: Final = "application/encrypted"
_ENCRYPTED: Final = Unscannable(Obstacle.ENCRYPTED, "Greenroom.Encrypted.Document")
_MISMATCH: Final = Malformed("Greenroom.Package.Mismatch")
_SCATTERED: Final = Unscannable(Obstacle.LIMITS, "Greenroom.Limits.Package")
#: What is fetched at once while the content is read from front to back, and after a jump.
_AHEAD: Final = 2 * 1024 * 1024
_AFTER_JUMP: Final = WINDOW
#: A fetch takes the store as long as this many bytes of a long one.
_LEAST_PRICE: Final = 512 * 1024
#: Fetches beyond reading the whole content twice: an allowance for directories, which lie apart.
_JUMPS: Final = 128


#: Opens a range of a segment: its offset and its length, in bytes.
OpenRange = Callable[[Segment, int, int], AbstractContextManager[Source]]


class OverBudget(Exception):
    """Raised when a package's directory leads to and fro more than any real document's."""


class StoredContent(io.RawIOBase):
    """A seekable view of quarantined segments, made to be read from front to back, once or twice.

    Holds at most 2 MiB. Raises ``StoreUnavailable``, ``ContentLost`` for a segment that is shorter than
    the ledger says, and ``OverBudget``.
    """

    def __init__(
        self, open_range: OpenRange, segments: Sequence[Segment], head: bytes = b"", tail: bytes = b""
    ) -> None:
        """View ``segments``, of which ``open_range`` opens parts; ``head`` and ``tail`` are their first and
        last bytes, as far as known.
        """
        super().__init__()
        self._open_range = open_range
        self._segments = segments
        *self._starts, self._size = accumulate((segment.size for segment in segments), initial=0)
        self._at_hand = [(0, head), (self._size - len(tail), tail), (0, b"")]
        self._place = 0
        # A content that came in many pieces takes a fetch for each, each time that it is read.
        jumps = _JUMPS + 2 * max(0, len(segments) - 1)
        self._budget = 2 * self._size + jumps * _LEAST_PRICE

    def readable(self) -> bool:
        """Return true: this is a source."""
        return True

    def seekable(self) -> bool:
        """Return true: any place can be read."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to a place, as ``io.IOBase.seek``."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("negative seek position")
        self._place = base + offset
        return self._place

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill ``buffer`` from the current place; fewer bytes only at the end."""
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view) and self._place < self._size:
            start, block = self._block()
            data = memoryview(block)[self._place - start :][: len(view) - filled]
            view[filled : filled + len(data)] = data
            filled += len(data)
            self._place += len(data)
        return filled

    def _block(self) -> tuple[int, bytes]:
        """Return bytes that hold the one at the current place, and where they begin."""
        for start, block in self._at_hand:
            if start <= self._place < start + len(block):
                return start, block
        start, block = self._at_hand[-1]
        forwards = 0 <= self._place - start - len(block) < _AHEAD
        self._at_hand[-1] = (self._place, self._fetch(_AHEAD if forwards else _AFTER_JUMP))
        return self._at_hand[-1]

    def _fetch(self, length: int) -> bytes:
        """Fetch from the current place, within its segment."""
        number = bisect_right(self._starts, self._place) - 1
        segment, offset = self._segments[number], self._place - self._starts[number]
        length = min(length, segment.size - offset)
        self._budget -= max(length, _LEAST_PRICE)
        if self._budget < 0:
            raise OverBudget
        pieces, left = [], length
        with self._open_range(segment, offset, length) as source:
            while left and (piece := source.read(left)):
                pieces.append(piece)
                left -= len(piece)
        if left:
            raise ContentLost("the quarantined content is shorter than what was received")
        return b"".join(pieces)


def check_head(parts: Parts, name: str, head: bytes) -> tuple[FileType, str]:
    """Return the allow-list entry for ``name`` and the detected media type of ``head``.

    Raises ``TypeNotAllowed`` where either is not on the list or they do not fit each other.
    """
    kind = allowed_by_name(parts.policy, name)
    detected = parts.sniffer.media_type(head)
    check_content(kind, detected)
    return kind, detected


def check_package(
    parts: Parts,
    upload: Upload,
    kind: FileType,
    head: bytes = b"",
    tail: bytes = b"",
    opened: contents.Opened = contents.quarantined,
) -> Answer | None:
    """Look into an upload's segments, in quarantine or where they are ``opened``, if they are a packaged
    document; others pass.

    Returns an answer that overrules a clean scan, or ``None``. Raises ``TypeNotAllowed`` if the package
    is not the kind of document its extension says, ``StoreUnavailable`` or ``ContentLost`` if the bytes
    cannot be had.
    """
    if kind.container is None:
        return None
    content = _content(parts, upload, head, tail, opened)
    try:
        answer = inspect(kind.container, content)
        if answer is None and parts.sniffer.media_type(_start(content)) == _ENCRYPTED_TYPE:
            return _ENCRYPTED
    except OverBudget:
        return _SCATTERED
    return answer


def _content(
    parts: Parts,
    upload: Upload,
    head: bytes = b"",
    tail: bytes = b"",
    opened: contents.Opened = contents.quarantined,
) -> IO[bytes]:
    open_range = partial(opened, parts, upload)
    return io.BufferedReader(StoredContent(open_range, upload.segments, head, tail), WINDOW)


def _start(content: IO[bytes]) -> bytes:
    content.seek(0)
    return content.read(WINDOW)


def stored_start(parts: Parts, upload: Upload) -> bytes:
    """Return the first ``WINDOW`` bytes of what is stored. Raises ``StoreUnavailable``, ``ContentLost``."""
    return _start(_content(parts, upload))


def check_upload(parts: Parts, upload: Upload) -> Answer | None:
    """Look again into a stored upload's package, as ``check_package`` does. One that passed at the door and
    does not now is ``Malformed``.
    """
    try:
        return check_package(parts, upload, allowed_by_name(parts.policy, upload.name))
    except TypeNotAllowed:
        return _MISMATCH


def check_released(parts: Parts, upload: Upload) -> Answer | None:
    """Look into a released upload's package, as ``check_upload`` does. That a type is not taken any more is
    no finding.
    """
    kind = parts.policy.types.get(extension(upload.name))
    try:
        return check_package(parts, upload, kind, opened=contents.released) if kind else None
    except TypeNotAllowed:
        return _MISMATCH
