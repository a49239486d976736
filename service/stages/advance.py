"""Advance: take an upload that is on its way further, in the background.

Every step may run twice and in several processes at once: compare-and-swap lets one of them win, and the
others raise ``Conflict`` having changed nothing.
"""

from dataclasses import replace

from service.core.errors import (
    ContentLost,
    KeysUnavailable,
    ScannerUnavailable,
    StoreUnavailable,
)
from service.core.outcome import Failed, Failure
from service.core.upload import Event, Leftover, State, Upload
from service.stages import judge, sniff
from service.stages.conclude import conclude
from service.stages.heartbeat import LEASE
from service.stages.parts import Parts
from service.stages.record import save
from service.stages.release import release
from service.stages.scan import read_back
from service.stages.sweep import SETTLED_AFTER, discard


def advance(parts: Parts, upload_id: str) -> Upload | None:
    """Scan a quarantined upload, release a cleared one; return it as it then is.

    An upload in any other state, or one another process has a lease on, is returned untouched; so is one
    that waits for a scanner that is away or not to be believed. Raises ``Conflict`` and ``PartUnavailable``.
    """
    upload = parts.ledger.find(upload_id)
    now = parts.clock.now()
    if upload is None or (upload.lease_until is not None and upload.lease_until > now):
        return upload
    if upload.state is State.QUARANTINED:
        upload = _scan(parts, upload)
    elif upload.state is State.SCANNING:
        return recover(parts, upload)
    if upload.state is State.CLEARED:
        return release(parts, upload)
    return upload


def _scan(parts: Parts, upload: Upload) -> Upload:
    try:
        engine = parts.scanner.engine()
    except ScannerUnavailable:
        return upload
    if parts.gate.doubt(engine) is not None:
        return upload
    at = parts.clock.now()
    scanning = save(parts, upload.moved(Event.SCAN_BEGUN, at, lease_until=at + LEASE))
    begun = parts.clock.monotonic()
    try:
        with parts.heartbeat.hold(scanning):
            reading = read_back(parts, scanning)
            scanning = replace(scanning, sha256=scanning.sha256 or reading.sha256)
            package = sniff.check_upload(parts, scanning)
            weighed = judge.weigh(parts, scanning, reading.outcome, package, engine)
    except (StoreUnavailable, KeysUnavailable) as error:
        weighed = judge.Weighed(Failed(Failure.STORE_UNAVAILABLE, str(error)))
    except ContentLost:
        return save(parts, judge.give_up(parts, scanning, "content_lost"))
    return conclude(parts, scanning, weighed, engine, parts.clock.monotonic() - begun)


def recover(parts: Parts, upload: Upload) -> Upload:
    """Take over an upload whose process fell silent; return it as saved. Raises ``Conflict`` if it did not.

    RECEIVING was never acknowledged and is abandoned, a resumable one only when it has expired, because what
    came of it was; SCANNING goes back to quarantine with one attempt spent, because the content itself may be
    what felled the process.
    """
    at = parts.clock.now()
    if upload.state is State.RECEIVING:
        if upload.expires_at is not None and upload.expires_at > at:
            return upload
        reason = "interrupted" if upload.expires_at is None else "expired"
        abandoned = upload.moved(
            Event.GAVE_UP,
            at,
            {"code": reason},
            reason=reason,
            lease_until=None,
            due_at=at + SETTLED_AFTER,
            leftover=Leftover.EVERYTHING,
        )
        saved = save(parts, abandoned)
        discard(parts, saved)
        return saved
    crashed = Failed(Failure.CONNECTION_LOST, "the process that scanned it stopped")
    return conclude(parts, upload, judge.Weighed(crashed), None, 0.0)
