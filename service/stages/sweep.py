"""Sweep and erase: what must go from the store goes, and the ledger remembers until it did."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Final

from service.core.errors import (
    Busy,
    Conflict,
    ContentLost,
    IllegalMove,
    KeysUnavailable,
    PartUnavailable,
    StoreUnavailable,
)
from service.core.upload import Event, Leftover, Segment, State, Upload
from service.stages import contents
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
    be deleted, or brought back, does not keep the others: ``StoreUnavailable`` and ``KeysUnavailable`` are
    raised after all were tried.
    """
    trouble: PartUnavailable | None = None
    gone: list[Upload] = []
    for upload in parts.ledger.with_leftovers(parts.clock.now(), limit):
        try:
            if upload.leftover is Leftover.RETURN:
                with suppress(Conflict):
                    bring_back(parts, upload)
                continue
            if upload.leftover is not Leftover.EVERYTHING and _changed(parts, upload):
                continue
            delete_leftovers(parts, upload)
        except (StoreUnavailable, KeysUnavailable) as error:
            trouble = error
        else:
            gone.append(upload)
    if gone:
        parts.ledger.swept(gone, parts.clock.now())
    if trouble is not None:
        raise trouble
    return len(gone)


def bring_back(parts: Parts, upload: Upload) -> None:
    """Copy the content of a recalled upload back to quarantine; what is released is left over then.

    A content that is not there, or not what was scanned, is lost, and nobody can release it any more. Twice
    is once. Raises ``StoreUnavailable``, ``KeysUnavailable``, ``LedgerUnavailable``, and ``Conflict`` if
    another process was first.
    """
    back: list[Segment] = []
    try:
        for segment in upload.segments:
            if _changed(parts, upload):
                raise Conflict("The upload was changed by another process.")
            back.append(contents.bring_back(parts, upload, segment))
    except ContentLost as error:
        parts.log.failure("content_not_returned", error, {"upload": upload.id})
        back = list(upload.segments)
    parts.ledger.returned(replace(upload, segments=tuple(back), leftover=Leftover.COPIES))


def _changed(parts: Parts, upload: Upload) -> bool:
    """Tell whether another process swept an upload since it was found here: people may have let it go then,
    or it was recalled, and what would be deleted is wanted.
    """
    now = parts.ledger.find(upload.id)
    return now is None or (now.version, now.leftover) != (upload.version, upload.leftover)


def erase(parts: Parts, upload: Upload, event: Event = Event.DELETED, actor: str | None = None) -> Upload:
    """Erase an upload: the state first, so that downloads stop, then the bytes.

    What is personal of it goes too, and its key. A resumable upload may be unfinished. Raises ``Busy`` where
    the upload is in the middle of a step, ``UnderHold`` where it must stay, and ``AccountRemoved`` where its
    time ended in an account that is only held.
    """
    if upload.state is State.RECEIVING and upload.expires_at is not None:
        at = parts.clock.now()
        upload = upload.moved(Event.GAVE_UP, at, {"code": "terminated"}, reason="terminated")
    try:
        saved = end(parts, replace(upload, person=None), event, actor)
    except (IllegalMove, Conflict):
        raise Busy("The upload is being worked on. Try again in a few seconds.") from None
    discard(parts, saved)
    return saved


def end(parts: Parts, upload: Upload, event: Event = Event.DELETED, actor: str | None = None) -> Upload:
    """Make an upload ERASED in the ledger, which remembers what is to be deleted of it, and whose it was
    where nobody says otherwise. Raises ``IllegalMove`` and ``Conflict``.
    """
    at = parts.clock.now()
    erased = upload.moved(
        event,
        at,
        actor=actor,
        lease_until=None,
        due_at=at + SETTLED_AFTER,
        leftover=Leftover.EVERYTHING,
        name="",
        declared_type="",
        content_key=None,
    )
    return save(parts, erased)
