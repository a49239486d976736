"""Refuse: end an upload that is RECEIVING, and delete what it has in the store."""

from service.core.errors import ContentRefused, TooSlow, Truncated
from service.core.upload import Event, Leftover, Upload
from service.stages.parts import Parts
from service.stages.record import save
from service.stages.sweep import SETTLED_AFTER, discard


def refuse(parts: Parts, upload: Upload, error: ContentRefused, request_id: str) -> None:
    """End an upload for what is wrong with its content. Raises ``Conflict`` and ``LedgerUnavailable``."""
    event = Event.GAVE_UP if isinstance(error, Truncated | TooSlow) else Event.REFUSED
    drop(parts, upload, event, error.code, request_id)


def drop(parts: Parts, upload: Upload, event: Event, reason: str, request_id: str) -> None:
    """End an upload by ``event``. Raises ``Conflict`` and ``LedgerUnavailable``."""
    at = parts.clock.now()
    stored = upload.version > 0
    dropped = upload.moved(
        event,
        at,
        {"code": reason, "request": request_id},
        reason=reason,
        lease_until=None,
        due_at=at + SETTLED_AFTER if stored else None,
        leftover=Leftover.EVERYTHING if stored else Leftover.NOTHING,
    )
    discard(parts, save(parts, dropped))
