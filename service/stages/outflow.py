"""Outflow: a content on its way out of the released bucket, to a client.

Every segment is checked against its digest while it flows, and whether the content may still be given out is
asked again and again.
"""

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Final

from service.core.byterange import ByteRange
from service.core.errors import ContentLost
from service.core.upload import Segment
from service.stages import contents
from service.stages.contents import Holder
from service.stages.parts import Parts
from service.stages.receive import CHUNK

#: Seconds after which it is asked whether the content may still be given out.
ASK_EVERY: Final = 2.0


def outflow(
    parts: Parts,
    holder: Holder,
    segments: Sequence[Segment],
    part: ByteRange | None,
    check: Callable[[], None],
) -> Iterator[bytes]:
    """Return a holder's released ``segments``, or a stretch of them, as chunks of at most 256 KiB, the first
    one already fetched.

    The last chunk of a segment is only given when the segment's digest is right; else ``ContentLost`` is
    raised, so that a changed content never arrives whole. Of a segment of which a stretch is read, each frame
    is proved for itself: a ``part`` is for sealed contents alone. Every two seconds, and before the last
    chunk of a segment, ``check`` is called: what it raises ends the flow. For the first chunk whoever logs
    the download asks. Raises ``StoreUnavailable`` for a store that is away before anything was given.
    """
    size = sum(segment.size for segment in segments)
    chunks = _checked(parts, holder, segments, part or ByteRange(0, size - 1, size), check)
    return _resumed(next(chunks, b""), chunks)


def _resumed(first: bytes, chunks: Generator[bytes]) -> Iterator[bytes]:
    try:
        yield first
        yield from chunks
    finally:
        # A client that hangs up must not leave a connection to the store behind.
        chunks.close()


def _checked(
    parts: Parts, holder: Holder, segments: Sequence[Segment], part: ByteRange, check: Callable[[], None]
) -> Generator[bytes]:
    asked_at, begun, start = parts.clock.monotonic(), False, 0
    for segment in segments:
        offset, length = part.within(start, segment.size)
        start += segment.size
        for chunk, is_last in _segment(parts, holder, segment, offset, length):
            now = parts.clock.monotonic()
            if begun and (is_last or now - asked_at >= ASK_EVERY):
                check()
                asked_at = now
            yield chunk
            begun = True


def _segment(
    parts: Parts, holder: Holder, segment: Segment, offset: int, length: int
) -> Iterator[tuple[bytes, bool]]:
    """Give the chunks of a segment, or of a stretch of it, and of each whether it is the last."""
    whole = length == segment.size
    if not whole and not length:
        return
    digest = hashlib.sha256()
    held = b""
    with contents.released(parts, holder, segment, offset, None if whole else length) as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            if held:
                yield held, False
            held = chunk
    if whole and digest.hexdigest() != segment.sha256:
        raise ContentLost("the released content is not what was put there")
    yield held, True
