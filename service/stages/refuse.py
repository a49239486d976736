"""Refuse: end an upload that is RECEIVING, and delete what it has in the store."""

from service.core.errors import ContentRefused, TooSlow, Truncated
from service.core.upload import Event, Leftover, Upload
from service.ports import Claim
from service.stages.parts import Parts
from service.stages.record import save
from service.stages.sweep import SETTLED_AFTER, discard


def refuse(
    parts: Parts, upload: Upload, error: ContentRefused, request_id: str, claim: Claim | None = None
) -> None:
    """End an upload for what is wrong with its content. Raises ``Conflict`` and ``LedgerUnavailable``.

    ``claim`` is its Idempotency-Key, if the upload is not saved yet.
    """
    broken_off = isinstance(error, Truncated | TooSlow)
    # A refusal is an answer, so it takes the key; what was only broken off leaves the key free.
    kept = None if broken_off or upload.version > 0 else claim
    drop(parts, upload, Event.GAVE_UP if broken_off else Event.REFUSED, error.code, request_id, kept)


def drop(
    parts: Parts, upload: Upload, event: Event, reason: str, request_id: str, claim: Claim | None = None
) -> None:
    """End an upload by ``event``, and take the key of ``claim`` with it.

    Raises ``Conflict`` and ``LedgerUnavailable``.
    """
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
    discard(parts, save(parts, dropped, claim=claim))
