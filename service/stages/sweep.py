"""Sweep and erase: what must go from the store goes, and the ledger remembers until it did."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from service.core.errors import Busy, Conflict, IllegalMove, StoreUnavailable
from service.core.upload import Event, Leftover, State, Upload
from service.stages.contents import store_of
from service.stages.parts import Parts
from service.stages.record import save

#: A write that was on its way when we gave up may still land: what must go is deleted again after this long,
#: which is well past every time limit of the store's client.
SETTLED_AFTER: Final = timedelta(minutes=5)


def discard(parts: Parts, upload: Upload) -> None:
    """Delete an upload's leftovers now, if the store answers. The ledger keeps the note for the sweep."""
    try:
        delete_leftovers(parts, upload)
    except StoreUnavailable:
        return


def delete_leftovers(parts: Parts, upload: Upload) -> None:
    """Delete what ``upload.leftover`` names. Raises ``StoreUnavailable``."""
    store = store_of(parts, upload.region)
    if upload.leftover in {Leftover.QUARANTINE, Leftover.EVERYTHING}:
        store.discard_quarantined(upload.id)
    if upload.leftover in {Leftover.COPIES, Leftover.EVERYTHING}:
        store.discard_released(upload.id)


def sweep(parts: Parts, limit: int) -> int:
    """Delete the leftovers of up to ``limit`` uploads that are due, note it, and return of how many.

    A crash between deleting and noting it means deleting once more what is no longer there. One that cannot
    be deleted does not keep the others: ``StoreUnavailable`` is raised after all were tried.
    """
    trouble: StoreUnavailable | None = None
    gone: list[Upload] = []
    for upload in parts.ledger.with_leftovers(parts.clock.now(), limit):
        try:
            if upload.leftover is Leftover.COPIES and _changed(parts, upload):
                continue
            delete_leftovers(parts, upload)
        except StoreUnavailable as error:
            trouble = error
        else:
            gone.append(upload)
    if gone:
        parts.ledger.swept(gone)
    if trouble is not None:
        raise trouble
    return len(gone)


def _changed(parts: Parts, upload: Upload) -> bool:
    """Tell whether another process swept the copies of an upload since it was found here: people may have let
    it go then, and its copies are wanted.
    """
    now = parts.ledger.find(upload.id)
    return now is None or (now.version, now.leftover) != (upload.version, upload.leftover)


def erase(parts: Parts, upload: Upload) -> Upload:
    """Erase an upload for its owner: the state first, so that downloads stop, then the bytes.

    The display name and the person go too. A resumable upload may be unfinished. Raises ``Busy`` where the
    upload is in the middle of a step.
    """
    at = parts.clock.now()
    if upload.state is State.RECEIVING and upload.expires_at is not None:
        upload = upload.moved(Event.GAVE_UP, at, {"code": "terminated"}, reason="terminated")
    try:
        erased = upload.moved(
            Event.DELETED,
            at,
            lease_until=None,
            due_at=at + SETTLED_AFTER,
            leftover=Leftover.EVERYTHING,
        )
        saved = save(parts, replace(erased, name="", person=None))
    except (IllegalMove, Conflict):
        raise Busy("The upload is being worked on. Try again in a few seconds.") from None
    discard(parts, saved)
    return saved
