"""Sniff: is the content what its name says? First from the head, then from the package's own directory.

A package (OOXML, ODF, iWork) keeps its directory at its end, so the second look waits until all bytes are
in quarantine. The pass keeps both ends of the content, so most packages need no read from the store.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from service.core.container import PackageTooComplex, inspect
from service.core.errors import ContentLost, StoreUnavailable, TypeNotAllowed
from service.core.filetype import allowed_by_name, check_content
from service.core.outcome import Answer
from service.core.policy import FileType
from service.core.upload import Segment, Upload
from service.ports import ObjectStore
from service.stages.parts import Parts
from service.stages.receive import WINDOW

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: A package's directory and content types need far less, in real documents.
_READ_BUDGET: Final = 16 * 1024 * 1024


class StoredContent(io.RawIOBase):
    """A seekable view of quarantined segments that answers from the content's two ends where it can.

    Raises ``PackageTooComplex`` when more than 16 MiB are asked for in all.
    """

    def __init__(
        self, store: ObjectStore, segments: Sequence[Segment], head: bytes = b"", tail: bytes = b""
    ) -> None:
        """View ``segments``; ``head`` and ``tail`` are their first and last bytes, as far as known."""
        super().__init__()
        self._store = store
        self._segments = segments
        self._size = sum(segment.size for segment in segments)
        self._head = head
        self._tail = tail
        self._place = 0
        self._budget = _READ_BUDGET
        self.failure: StoreUnavailable | ContentLost | None = None

    def readable(self) -> bool:
        """Return true: this is a source."""
        return True

    def seekable(self) -> bool:
        """Return true: any place can be read."""
        return True

    def tell(self) -> int:
        """Return the current place in bytes."""
        return self._place

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
        data = self._at(self._place, min(len(view), max(0, self._size - self._place)))
        view[: len(data)] = data
        self._place += len(data)
        return len(data)

    def _at(self, start: int, length: int) -> bytes:
        self._budget -= length
        if self._budget < 0:
            raise PackageTooComplex("the package's directory is too large")
        if start + length <= len(self._head):
            return self._head[start : start + length]
        behind = start - (self._size - len(self._tail))
        if behind >= 0:
            return self._tail[behind : behind + length]
        try:
            return b"".join(self._fetch(start, length))
        except (StoreUnavailable, ContentLost) as error:
            # The package reader turns what it meets into its own errors: keep ours for the caller.
            self.failure = error
            raise

    def _fetch(self, start: int, length: int) -> list[bytes]:
        pieces = []
        for segment in self._segments:
            if length and start < segment.size:
                stretch = min(length, segment.size - start)
                with self._store.read_quarantined(segment.key, start, stretch) as source:
                    while piece := source.read(stretch):
                        pieces.append(piece)
                start, length = 0, length - stretch
            else:
                start -= segment.size if length else 0
        return pieces


def check_head(parts: Parts, name: str, head: bytes) -> tuple[FileType, str]:
    """Return the allow-list entry for ``name`` and the detected media type of ``head``.

    Raises ``TypeNotAllowed`` where either is not on the list or they do not fit each other.
    """
    kind = allowed_by_name(parts.policy, name)
    detected = parts.sniffer.media_type(head)
    check_content(kind, detected)
    return kind, detected


def check_package(
    parts: Parts, kind: FileType, segments: Sequence[Segment], head: bytes = b"", tail: bytes = b""
) -> Answer | None:
    """Look into a packaged document; others pass.

    Returns an answer that overrules a clean scan, or ``None``. Raises ``TypeNotAllowed`` if the package
    is not the kind of document its extension says, ``StoreUnavailable`` or ``ContentLost`` if the bytes
    cannot be had.
    """
    if kind.container is None:
        return None
    content = StoredContent(parts.store, segments, head, tail)
    try:
        return inspect(kind.container, io.BufferedReader(content, WINDOW))
    except PackageTooComplex as error:
        raise TypeNotAllowed("The document is packed in a way that no real document is.") from error
    except TypeNotAllowed:
        if content.failure is not None:
            raise content.failure from None
        raise


def check_upload(parts: Parts, upload: Upload) -> Answer | None:
    """Look again into a stored upload's package, as ``check_package`` does."""
    return check_package(parts, allowed_by_name(parts.policy, upload.name), upload.segments)
