"""Release: copy out, check, compare-and-swap to RELEASED; the quarantine copy goes afterwards.

A crash after the copy leaves a row CLEARED whose lease runs out and objects in the released bucket that
no download can reach, because downloads ask the ledger. The step is then simply done again.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from service.core.errors import ContentLost
from service.core.upload import Event, Leftover, Upload
from service.stages.parts import Parts
from service.stages.record import save
from service.stages.sweep import discard

_COPIES_AT_ONCE: Final = 4


def release(parts: Parts, upload: Upload) -> Upload:
    """Take an upload that is CLEARED to RELEASED and return it as saved.

    If the quarantined content is no longer the one that was cleared it is HELD instead. Raises
    ``StoreUnavailable``, and ``Conflict`` if another process was first.
    """
    at = parts.clock.now
    try:
        with parts.heartbeat.hold(upload):
            _copy_out(parts, upload)
    except ContentLost as error:
        held = save(
            parts,
            upload.moved(
                Event.COPY_FAILED,
                at(),
                {"code": "content_lost", "text": str(error)},
                reason="content_lost",
                lease_until=None,
                leftover=Leftover.COPIES,
            ),
        )
        # Only now that no other process can have released it: copies of its other segments are not wanted.
        discard(parts, held)
        return held
    return save(
        parts,
        upload.moved(
            Event.COPIED_OUT,
            at(),
            {"sha256": upload.sha256},
            lease_until=None,
            leftover=Leftover.QUARANTINE,
        ),
    )


def _copy_out(parts: Parts, upload: Upload) -> None:
    if len(upload.segments) == 1:
        parts.store.release(upload.segments[0])
        return
    with ThreadPoolExecutor(_COPIES_AT_ONCE) as pool:
        for _ in pool.map(parts.store.release, upload.segments):
            pass
