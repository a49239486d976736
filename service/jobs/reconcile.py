"""Reconcile: find what nobody is at work on and set it going again. Every step may run twice."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from service.core.errors import Conflict, ScannerUnavailable, StoreUnavailable
from service.core.outcome import Failure
from service.core.upload import State, Upload
from service.ports import Queue, advancing, delivering
from service.stages import deliver, grants, judge, once, release
from service.stages.advance import recover
from service.stages.exporting import keep
from service.stages.parts import Parts
from service.stages.record import save
from service.stages.sweep import sweep

_BATCH: Final = 200
#: A job that was queued in its upload's own transaction gets this long before it is queued again.
_GRACE: Final = timedelta(seconds=3)
#: How long a content may wait for the scanner or the store before a person has to look.
LONGEST_WAIT: Final = timedelta(hours=24)
_STALE_MULTIPART: Final = timedelta(hours=24)
_KEEP_JOBS: Final = timedelta(hours=1)


def reconcile(parts: Parts, queue: Queue) -> None:
    """Recover what dead processes left, queue what is due, delete what must go.

    Raises ``PartUnavailable`` when the ledger or the store is away; the next round begins anew.
    """
    now = parts.clock.now()
    for upload in parts.ledger.unattended(now, [State.RECEIVING, State.SCANNING], _BATCH):
        _unless_lost(partial(recover, parts, upload))
    waiting = parts.ledger.unattended(now - _GRACE, [State.QUARANTINED, State.CLEARED], _BATCH)
    believed = scanner_doubt(parts) is None
    for upload in waiting:
        # Rows of earlier versions do not say: a resumable one waits since nobody could go on with it.
        since = upload.waiting_since or upload.expires_at or upload.created_at
        if now - since > LONGEST_WAIT:
            _unless_lost(partial(save, parts, _held(parts, upload)))
        elif upload.state is State.CLEARED or believed:
            queue.push(advancing(upload), now)
    for delivery in parts.webhook_deliveries.due(now - _GRACE, _BATCH):
        queue.push(delivering(delivery), now)
    sweep(parts, _BATCH)


def tidy(parts: Parts, queue: Queue) -> None:
    """Do what is only needed now and then: abort stale multipart uploads, forget what is old."""
    queue.purge(_KEEP_JOBS)
    grants.forget_old(parts, parts.clock.now())
    once.forget_old(parts)
    deliver.forget_old(parts)
    keep.forget_old(parts)
    parts.rate_limiter.purge()
    _discard_unfinished(parts)


def _discard_unfinished(parts: Parts) -> None:
    """Abort stale multipart uploads in every region; one whose store is away does not keep the others."""
    trouble: StoreUnavailable | None = None
    for store in parts.stores.values():
        try:
            store.discard_unfinished(parts.clock.now() - _STALE_MULTIPART)
        except StoreUnavailable as error:
            trouble = error
    if trouble is not None:
        raise trouble


def scanner_doubt(parts: Parts) -> tuple[Failure, str] | None:
    """Return why a clean answer would not count now, with a sentence, or ``None`` if it would."""
    try:
        engine = parts.scanner.engine()
    except ScannerUnavailable as error:
        return Failure.UNREACHABLE, str(error)
    return parts.gate.doubt(engine)


def _held(parts: Parts, upload: Upload) -> Upload:
    """Return an upload that no part has brought further for a day, held for a person to look at."""
    if upload.state is State.CLEARED:
        return release.held(upload, parts.clock.now(), "store_unavailable")
    return judge.give_up(parts, upload, "scan_exhausted")


def _unless_lost(step: Callable[[], Upload]) -> None:
    try:
        step()
    except Conflict:
        return
