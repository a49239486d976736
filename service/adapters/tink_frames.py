"""``ports.ContentCipher`` on Tink's streaming AEAD (AES256-GCM-HKDF-1MB).

An object is a row of frames, each a whole ciphertext of Tink's for 256 KiB, with a salt of its own. Tink's
stream could hold an object of any size, but from Python it is only read from its beginning; with frames any
place is reached at the cost of one of them (docs/adr/0021-sealed-contents.md).
"""

import io
import json
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tink import TinkError, streaming_aead

from service.core.errors import ContentLost
from service.ports import Source, Stretch

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: Plain bytes of a frame; only an object's last one may have fewer.
FRAME: Final = 256 * 1024
#: What a frame is longer by once it is sealed: Tink's header (40) and one tag (16), as it is one segment.
_ADDED: Final = 56
_SEALED: Final = FRAME + _ADDED
_CHANGED: Final = "the stored content is not what was sealed"


def sealed_size(size: int) -> int:
    """Return the size of an object of ``size`` bytes, sealed. An empty one has one frame."""
    return size + _ADDED * max(1, -(-size // FRAME))


def stretch(size: int, offset: int, length: int) -> Stretch:
    """Return the frames that hold a range (see ``ports.Cipher``)."""
    first, last = offset // FRAME, max(offset + length - 1, offset) // FRAME
    start = first * _SEALED
    end = min((last + 1) * _SEALED, sealed_size(size))
    return Stretch(start, end - start, first, offset - first * FRAME, length)


class TinkContentCipher:
    """The objects of one content."""

    def __init__(self, primitive: streaming_aead.StreamingAead, *bound_to: str) -> None:
        """Seal with ``primitive``; the names in ``bound_to`` must be the same when it is opened."""
        self._primitive = primitive
        self._bound_to = bound_to

    def seal(self, number: int, source: Source) -> Source:
        """Return a source of sealed frames."""
        return _Sealing(self, number, source)

    def open(self, number: int, stretch: Stretch, sealed: Source) -> Source:
        """Return a source of plain bytes."""
        return _Opening(self._frames(number, stretch, sealed), stretch)

    def _frames(self, number: int, stretch: Stretch, sealed: Source) -> Iterator[bytes]:
        left, place = stretch.length, stretch.frame
        while left:
            size = min(left, _SEALED)
            yield self.opened(number, place, _exactly(sealed, size))
            left -= size
            place += 1

    def sealed(self, number: int, place: int, plain: bytes) -> list[bytes]:
        """Return one frame as pieces."""
        sink = _Sink()
        with self._primitive.new_encrypting_stream(sink, self._place(number, place)) as stream:
            stream.write(plain)
        return sink.pieces

    def opened(self, number: int, place: int, frame: bytes) -> bytes:
        """Return a frame's plain bytes, all of them proved. Raises ``ContentLost``."""
        try:
            with self._primitive.new_decrypting_stream(
                io.BytesIO(frame), self._place(number, place)
            ) as stream:
                plain: bytes = stream.read(len(frame))
        except TinkError:
            raise ContentLost(_CHANGED) from None
        if len(plain) != len(frame) - _ADDED:
            raise ContentLost(_CHANGED)
        return plain

    def _place(self, number: int, place: int) -> bytes:
        return json.dumps([*self._bound_to, number, place]).encode()


class _Sealing:
    """A source's bytes, sealed while they are read."""

    def __init__(self, cipher: TinkContentCipher, number: int, source: Source) -> None:
        self._cipher = cipher
        self._number = number
        self._source = source
        self._ready: deque[memoryview] = deque()
        self._place = 0
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """Return exactly ``size`` bytes, fewer only at the end, as ``SegmentSource`` does."""
        part = io.BytesIO()
        while size and (self._ready or self._seal_next()):
            piece = self._ready.popleft()
            if len(piece) > size:
                self._ready.appendleft(piece[size:])
            size -= part.write(piece[:size])
        return part.getvalue()

    def _seal_next(self) -> bool:
        plain = b"" if self._ended else _up_to(self._source, FRAME)
        self._ended = len(plain) < FRAME
        # What is empty has a frame too: that it is empty is proved like any other content.
        if not plain and self._place:
            return False
        self._ready.extend(map(memoryview, self._cipher.sealed(self._number, self._place, plain)))
        self._place += 1
        return True


class _Opening:
    """The plain bytes of a stretch."""

    def __init__(self, frames: Iterator[bytes], stretch: Stretch) -> None:
        self._frames = frames
        self._skip = stretch.start
        self._left = stretch.size
        self._at_hand = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes of one frame."""
        if not self._at_hand:
            frame = next(self._frames, b"")
            self._at_hand = memoryview(frame)[self._skip :][: self._left]
            self._skip = 0
            self._left -= len(self._at_hand)
        piece, self._at_hand = self._at_hand[:size], self._at_hand[size:]
        return bytes(piece)


class _Sink(io.RawIOBase):
    """Keeps what is written to it, without joining it."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        self.pieces.append(bytes(data))
        return len(self.pieces[-1])


def _up_to(source: Source, size: int) -> bytes:
    """Return ``size`` bytes, fewer only at the end of ``source``."""
    data = source.read(size)
    if len(data) in {0, size}:
        return data
    whole = io.BytesIO()
    while data:
        whole.write(data)
        data = source.read(size - whole.tell()) if whole.tell() < size else b""
    return whole.getvalue()


def _exactly(source: Source, size: int) -> bytes:
    data = _up_to(source, size)
    if len(data) != size:
        raise ContentLost("the stored content is shorter than what was sealed")
    return data
