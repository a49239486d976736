"""Release: copy out, check, compare-and-swap to RELEASED; the quarantine copy goes afterwards.

A crash after the copy leaves a row CLEARED whose lease runs out and objects in the released bucket that
no download can reach, because downloads ask the ledger. The step is then simply done again.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Final

from service.core.errors import ContentLost
from service.core.upload import Event, Leftover, Upload
from service.stages import contents
from service.stages.parts import Parts
from service.stages.record import save
from service.stages.sweep import SETTLED_AFTER, discard

_COPIES_AT_ONCE: Final = 4


def release(parts: Parts, upload: Upload) -> Upload:
    """Take an upload that is CLEARED to RELEASED and return it as saved.

    If the quarantined content is no longer the one that was cleared it is HELD instead. Raises
    ``StoreUnavailable``, and ``Conflict`` if another process was first.
    """
    try:
        with parts.heartbeat.hold(upload):
            _copy_out(parts, upload)
    except ContentLost as error:
        lost = save(parts, held(upload, parts.clock.now(), "content_lost", str(error)))
        # Only now that no other process can have released it: copies of its other segments are not wanted.
        discard(parts, lost)
        return lost
    at = parts.clock.now()
    released = upload.moved(
        Event.COPIED_OUT,
        at,
        {"sha256": upload.sha256},
        lease_until=None,
        leftover=Leftover.QUARANTINE,
        # A write that failed while the pieces of a resumable upload came may still land below its prefix.
        due_at=at + SETTLED_AFTER if upload.expires_at else upload.due_at,
    )
    return save(parts, released)


def held(upload: Upload, at: datetime, code: str, text: str = "") -> Upload:
    """Return an upload that is CLEARED and cannot be copied out, held for a person to look at."""
    return upload.moved(
        Event.COPY_FAILED,
        at,
        {"code": code, "text": text},
        reason=code,
        lease_until=None,
        due_at=at + SETTLED_AFTER,
        leftover=Leftover.COPIES,
    )


def _copy_out(parts: Parts, upload: Upload) -> None:
    if len(upload.segments) == 1:
        contents.copy_out(parts, upload, upload.segments[0])
        return
    with ThreadPoolExecutor(_COPIES_AT_ONCE) as pool:
        for _ in pool.map(partial(contents.copy_out, parts, upload), upload.segments):
            pass
