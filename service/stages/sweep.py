"""Sweep and erase: what must go from the store goes, and the ledger remembers until it did."""

from dataclasses import replace

from service.core.errors import Busy, Conflict, IllegalMove, PartUnavailable
from service.core.upload import Event, Leftover, Upload
from service.stages.parts import Parts
from service.stages.record import save


def discard(parts: Parts, upload: Upload) -> None:
    """Delete an upload's leftovers now, if the store and the ledger answer; else the next sweep does."""
    if upload.leftover is Leftover.NOTHING:
        return
    try:
        delete_leftovers(parts, upload)
        parts.ledger.swept([upload])
    except PartUnavailable:
        return


def delete_leftovers(parts: Parts, upload: Upload) -> None:
    """Delete what ``upload.leftover`` names. Raises ``StoreUnavailable``."""
    if upload.leftover in {Leftover.QUARANTINE, Leftover.EVERYTHING}:
        parts.store.discard_quarantined(upload.id)
    if upload.leftover in {Leftover.COPIES, Leftover.EVERYTHING}:
        parts.store.discard_released(upload.id)


def sweep(parts: Parts, limit: int) -> int:
    """Delete the leftovers of up to ``limit`` uploads and return of how many. Raises ``StoreUnavailable``.

    A crash between deleting and noting it means deleting once more what is no longer there.
    """
    uploads = parts.ledger.with_leftovers(limit)
    for upload in uploads:
        delete_leftovers(parts, upload)
    if uploads:
        parts.ledger.swept(uploads)
    return len(uploads)


def erase(parts: Parts, upload: Upload) -> Upload:
    """Erase an upload for its owner: the state first, so that downloads stop, then the bytes.

    The display name goes too. Raises ``Busy`` where the upload is in the middle of a step.
    """
    try:
        erased = upload.moved(
            Event.DELETED, parts.clock.now(), lease_until=None, due_at=None, leftover=Leftover.EVERYTHING
        )
        saved = save(parts, replace(erased, name=""))
    except (IllegalMove, Conflict):
        raise Busy("The upload is being worked on. Try again in a few seconds.") from None
    discard(parts, saved)
    return saved
