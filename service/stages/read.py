"""Read: what an account may see of its uploads, and a released content as a stream.

The ledger is asked, never the bucket; every segment is checked against its digest while it flows.
"""

import hashlib
from collections.abc import Generator, Iterator, Sequence
from typing import Final

from service.core.byterange import ByteRange
from service.core.caller import Caller
from service.core.errors import ContentLost, Forbidden, Gone, NotFound, NotReleased
from service.core.grant import Grant, GrantKind
from service.core.naming import UPLOAD_ID, identifier
from service.core.upload import Segment, State, Upload
from service.stages import contents
from service.stages.parts import Parts
from service.stages.receive import CHUNK

MOST_PER_PAGE: Final = 200
#: Seconds after which a download under way asks whether the file is still released.
ASK_EVERY: Final = 2.0


def own_upload(parts: Parts, caller: Caller, upload_id: str) -> Upload:
    """Return an upload that the caller may know of. Raises ``NotFound`` for any other, there or not."""
    # Databases differ in what text they take: one that no id can be is not asked for.
    upload = parts.ledger.find(upload_id) if UPLOAD_ID.fullmatch(upload_id) else None
    if upload is None or upload.account_id != caller.account_id or not _visible(caller.grant, upload):
        raise NotFound("There is no such upload.")
    return upload


def _visible(grant: Grant | None, upload: Upload) -> bool:
    """Tell whether a grant shows an upload of its account: to a presenter what came under the grant, to a
    participant what the meeting released.
    """
    if grant is None:
        return True
    if grant.kind is GrantKind.UPLOAD:
        return upload.grant_id == grant.id
    return (
        upload.meeting_id == grant.meeting_id
        and upload.state is State.RELEASED
        and grant.upload_id in {None, upload.id}
    )


def page(
    parts: Parts, caller: Caller, untrusted_meeting: str, cursor: str | None, limit: int
) -> tuple[Sequence[Upload], str | None]:
    """Return a page of a meeting's uploads, newest first, and the next page's cursor if there is one.

    A participant sees what is released. Raises ``Forbidden`` for a grant that is for another meeting, for
    one file only, or for uploading.
    """
    meeting = identifier(untrusted_meeting, "meeting")
    grant = caller.grant
    if grant and (grant.meeting_id != meeting or grant.upload_id or grant.kind is not GrantKind.DOWNLOAD):
        raise Forbidden("This grant does not list the files of this meeting.")
    state = State.RELEASED if grant else None
    found = parts.ledger.page(caller.account_id, meeting, cursor, limit + 1, state)
    more = len(found) > limit
    return found[:limit], found[limit - 1].id if more else None


def check_released(upload: Upload) -> None:
    """Raise ``Gone`` or ``NotReleased`` unless the content may be handed out now."""
    if upload.state is State.ERASED:
        raise Gone("The file was deleted.")
    if upload.state is not State.RELEASED:
        raise NotReleased(f"The file is {upload.state} and cannot be downloaded.")


def released_content(parts: Parts, upload: Upload, part: ByteRange | None = None) -> Iterator[bytes]:
    """Return a released content, or a stretch of it, as chunks of at most 256 KiB, the first one already
    fetched.

    The last chunk of a segment is only given when the segment's digest is right; else ``ContentLost`` is
    raised, so that a changed content never arrives whole. Of a segment of which a stretch is read, each frame
    is proved for itself: a ``part`` is for sealed contents alone. Every two seconds, and before the last
    chunk of a segment, the ledger is asked: of an upload that is not released any more nothing is given from
    then on, but ``NotReleased`` or ``Gone`` raised. Raises ``StoreUnavailable``, for a store that is away
    before anything was given, and ``LedgerUnavailable``.
    """
    size = sum(segment.size for segment in upload.segments)
    chunks = _checked(parts, upload, part or ByteRange(0, size - 1, size))
    return _resumed(next(chunks, b""), chunks)


def _resumed(first: bytes, chunks: Generator[bytes]) -> Iterator[bytes]:
    try:
        yield first
        yield from chunks
    finally:
        # A client that hangs up must not leave a connection to the store behind.
        chunks.close()


def _checked(parts: Parts, upload: Upload, part: ByteRange) -> Generator[bytes]:
    asked_at, begun, start = parts.clock.monotonic(), False, 0
    for segment in upload.segments:
        offset, length = part.within(start, segment.size)
        start += segment.size
        for chunk, is_last in _segment(parts, upload, segment, offset, length):
            now = parts.clock.monotonic()
            # Of the first chunk whoever logs the download asks.
            if begun and (is_last or now - asked_at >= ASK_EVERY):
                check_released(parts.ledger.find(upload.id) or upload)
                asked_at = now
            yield chunk
            begun = True


def _segment(
    parts: Parts, upload: Upload, segment: Segment, offset: int, length: int
) -> Iterator[tuple[bytes, bool]]:
    """Give the chunks of a segment, or of a stretch of it, and of each whether it is the last."""
    whole = length == segment.size
    if not whole and not length:
        return
    digest = hashlib.sha256()
    held = b""
    with contents.released(parts, upload, segment, offset, None if whole else length) as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            if held:
                yield held, False
            held = chunk
    if whole and digest.hexdigest() != segment.sha256:
        raise ContentLost("the released content is not what was scanned")
    yield held, True
