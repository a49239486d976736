"""Hand out: a finished export's bytes, whole or from somewhere in the middle."""

import hashlib
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Final

from service.core.byterange import ByteRange
from service.core.errors import Conflict, ContentLost, ExportNotReady, Gone
from service.core.export import Export, Phase
from service.core.journal import Act
from service.core.upload import Segment
from service.stages import contents
from service.stages.exporting.ask import entry
from service.stages.parts import Parts
from service.stages.read import ASK_EVERY
from service.stages.receive import CHUNK

#: Seconds after which to look again for an export that is being built.
_SOON: Final = 10


def check_ready(parts: Parts, export: Export) -> None:
    """Raise ``Gone`` or ``ExportNotReady`` unless the export may be handed out now.

    One with a file that is not released any more is not; it is built again without it.
    """
    now = parts.clock.now()
    over = export.expires_at is not None and export.expires_at <= now
    if export.phase is Phase.EXPIRED or over:
        raise Gone("The export has expired. Ask for a new one.")
    if export.phase is not Phase.READY or parts.exports.spoiled(1, export.id):
        raise ExportNotReady("The export is still being put together.", _SOON)


def content(parts: Parts, export: Export, part: ByteRange | None, actor: str) -> Iterator[bytes]:
    """Return an export's bytes as chunks, the first one already fetched, once it is logged who gets them.

    The last chunk of a segment that is read whole is only given when its digest is right; else
    ``ContentLost`` is raised. Every two seconds, and before the last chunk of a segment, it is asked whether
    the export may still be handed out, as by ``check_ready``. Raises ``StoreUnavailable`` and
    ``LedgerUnavailable`` too: what cannot be logged is not given.
    """
    size = export.size or 0
    wanted = part or ByteRange(0, size - 1, size)
    chunks = _chunks(parts, export, wanted)
    first = next(chunks, b"")
    line = entry(parts, export, Act.EXPORT_TAKEN, actor, first=wanted.first, last=wanted.last)
    try:
        if export.taken_at is None:
            parts.exports.save(replace(export, taken_at=parts.clock.now()), line)
        else:
            parts.journal.append([line])
    except Conflict:
        # Another download of it was first, and said so.
        parts.journal.append([line])
    return _resumed(first, chunks)


def _resumed(first: bytes, chunks: Generator[bytes]) -> Iterator[bytes]:
    try:
        yield first
        yield from chunks
    finally:
        # A client that hangs up must not leave a connection to the store behind.
        chunks.close()


def _chunks(parts: Parts, export: Export, wanted: ByteRange) -> Generator[bytes]:
    begin, asked_at, begun = 0, parts.clock.monotonic(), False
    for segment in export.segments:
        first, length = wanted.within(begin, segment.size)
        begin += segment.size
        if not length:
            continue
        for chunk, is_last in _segment(parts, export, segment, first, length):
            now = parts.clock.monotonic()
            # Of the first chunk whoever opened the export asked.
            if begun and (is_last or now - asked_at >= ASK_EVERY):
                check_ready(parts, parts.exports.find(export.id) or export)
                asked_at = now
            yield chunk
            begun = True


def _segment(
    parts: Parts, export: Export, segment: Segment, offset: int, length: int
) -> Iterator[tuple[bytes, bool]]:
    """Give the chunks of a part of a segment, and of each whether it is the last."""
    digest = hashlib.sha256()
    held = b""
    with contents.released(parts, export, segment, offset, length) as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            if held:
                yield held, False
            held = chunk
    if length == segment.size and digest.hexdigest() != segment.sha256:
        raise ContentLost("the export is not what was put together")
    yield held, True
