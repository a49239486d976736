"""Resume: take an upload in by pieces that each go on where the one before ended.

Each piece becomes segments of the content. A segment is acknowledged when it is in the ledger, so what was
acknowledged is never lost and never ahead of what is stored. The last ones become durable together with the
move to QUARANTINED: an upload that is RECEIVING always lacks something.

One writer at a time: whoever goes on first claims the upload by a save of its own. A writer that another one
overtook finds its next save in conflict and deletes what it stored in vain. A crash leaves such objects below
the upload's prefix, where they go when the upload ends.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from service.core.caller import Caller
from service.core.errors import BadRequest, ContentRefused, NotFound, TooLarge, UploadEnded, WrongOffset
from service.core.upload import State, Upload
from service.ports import Claim, Source
from service.stages import read
from service.stages.begin import check_name, check_size, new_upload
from service.stages.heartbeat import LEASE
from service.stages.parts import Parts
from service.stages.piece import Piece, Writer
from service.stages.record import save
from service.stages.refuse import refuse
from service.stages.settle import Scan

#: As many as the slowest sender can need in a day: with a segment every 30 s it comes to 2880.
MOST_SEGMENTS: Final = 3000
#: Seconds between two looks at an upload that somebody writes to.
_EVERY: Final = 0.05
_ENDED: Final = frozenset({State.REFUSED, State.ABANDONED, State.ERASED})


@dataclass(frozen=True, slots=True)
class Creation:
    """A resumable upload as it is announced, ``length`` bytes long. ``untrusted_*`` is what a client sent,
    ``claim`` its Idempotency-Key.
    """

    caller: Caller
    untrusted_meeting: str
    untrusted_name: str
    untrusted_type: str
    length: int
    request_id: str
    claim: Claim | None = None
    untrusted_person: str | None = None


def create(parts: Parts, creation: Creation) -> Upload:
    """Make a resumable upload durable, with nothing of its content yet.

    Raises ``BadRequest``, ``Forbidden`` (``QuotaExceeded``) and, for what the policy or the grant does not
    allow, ``ContentRefused``; ``IdempotencyInProgress``, with nothing made, if another request took the key
    first.
    """
    upload = new_upload(
        parts,
        creation.caller,
        creation.untrusted_meeting,
        creation.untrusted_name,
        creation.untrusted_type,
        creation.untrusted_person,
    )
    upload = replace(_prolonged(parts, upload), reserved=creation.length, lease_until=None)
    try:
        check_name(parts, creation.caller, upload)
        check_size(parts, creation.length)
    except ContentRefused as error:
        refuse(parts, upload, error, creation.request_id, creation.claim)
        raise
    return save(parts, upload, claim=creation.claim)


def own_resumable(parts: Parts, caller: Caller, upload_id: str) -> Upload:
    """Return a resumable upload that the caller may know of and that has not ended, finished ones included.

    Raises ``NotFound`` and, for one that expired, was refused or deleted, ``UploadEnded``.
    """
    upload = read.own_upload(parts, caller, upload_id)
    if upload.expires_at is None:
        raise NotFound("There is no such resumable upload.")
    expired = upload.state is State.RECEIVING and upload.expires_at <= parts.clock.now()
    if expired or upload.state in _ENDED:
        raise UploadEnded("The upload has ended and cannot be gone on with. Begin a new one.")
    return upload


def check_not_behind(upload: Upload, piece: Piece) -> None:
    """Raise ``WrongOffset`` for a piece that will never fit, because offsets never fall."""
    if piece.offset < upload.offset:
        raise _wrong_offset(upload, piece)


def _wrong_offset(upload: Upload, piece: Piece) -> WrongOffset:
    return WrongOffset(f"The upload goes on at {upload.offset}, not at {piece.offset}.")


def at_rest(parts: Parts, caller: Caller, upload_id: str, patience: float) -> Upload:
    """Return a resumable upload when nobody writes to it, or after ``patience`` seconds as it then is.

    A line that broke ends its request at once, but what came of it is stored, and acknowledged, some moments
    later: a sender who asks meanwhile need not send it again. Raises what ``own_resumable`` does.
    """
    until = parts.clock.monotonic() + patience
    while True:
        upload = own_resumable(parts, caller, upload_id)
        lease = upload.lease_until if upload.state is State.RECEIVING else None
        if lease is None or lease <= parts.clock.now() or parts.clock.monotonic() >= until:
            return upload
        parts.clock.sleep(_EVERY)


def check_piece(upload: Upload, piece: Piece) -> None:
    """Raise ``WrongOffset``, ``TooLarge`` or ``BadRequest`` for a piece that does not fit ``upload``."""
    if piece.offset != upload.offset:
        raise _wrong_offset(upload, piece)
    length = upload.reserved or 0
    if piece.offset + (piece.announced or 0) > length:
        raise TooLarge(f"The piece goes beyond the {length} bytes that were announced.")
    if len(upload.segments) >= MOST_SEGMENTS:
        raise BadRequest("The upload came in too many pieces. Begin a new one and send larger ones.")


def go_on(parts: Parts, upload: Upload, piece: Piece, source: Source) -> Upload:
    """Go on with an upload as it was just found, and return it as it then is.

    When its last byte is in, a content that came in this one piece is brought to its verdict as far as the
    patience allows; any other is left to the background worker. Raises what ``check_piece`` does and

    - ``Interrupted`` when the piece broke off: what came is kept, unless it had a checksum;
    - ``ChecksumMismatch``, with nothing kept of the piece;
    - ``ContentRefused`` when policy or package say no: the upload is then REFUSED;
    - ``Conflict`` when another writer overtook this one;
    - ``StoreUnavailable``, ``LedgerUnavailable``, ``ContentLost``: what was saved before is kept.
    """
    check_piece(upload, piece)
    if upload.state is not State.RECEIVING:
        if piece.announced is None and source.read(1):
            raise TooLarge("The upload is complete.")
        return upload
    claimed = save(parts, _prolonged(parts, upload))
    # Only a content that comes whole can be scanned while it comes.
    whole = piece.offset == 0 and piece.announced in {None, upload.reserved}
    scan = Scan(parts, wanted=whole)
    try:
        return Writer(parts, claimed, piece, source, scan).run()
    finally:
        scan.leg.close()


def _prolonged(parts: Parts, upload: Upload) -> Upload:
    """Return an unfinished upload with a lease and all of its lifetime before it."""
    at = parts.clock.now()
    expires_at = at + timedelta(seconds=parts.policy.unfinished_lifetime)
    # The reconciler looks at an unfinished upload when it is due: not before it has expired.
    return replace(upload, updated_at=at, lease_until=at + LEASE, expires_at=expires_at, due_at=expires_at)
