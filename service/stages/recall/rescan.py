"""Rescan: scan released files again, with the newest signatures, the most urgent first.

Nothing becomes released by it, and nothing is withdrawn but for what was found in it: a part that is away,
a scan that fails, a content that cannot be read mean that the file is scanned later.
"""

from datetime import timedelta
from typing import Final

from service.core.decision import CLEARED_BY_REVIEWERS, signature_of
from service.core.errors import ContentLost, ScannerUnavailable, StoreUnavailable
from service.core.outcome import Answer, Clean, Engine, Failed, Failure
from service.core.rescan import Rescan, Taken, Wanted
from service.core.upload import State, Upload
from service.core.verdict import classify
from service.stages import contents, judge, sniff
from service.stages.parts import Parts
from service.stages.recall.call_back import call_back
from service.stages.scan import read_back

#: Longer than a scan takes, or it may be done twice, which is a waste and no harm.
LEASE: Final = timedelta(minutes=5)
_SHORTEST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=1)


def begin_if_outdated(parts: Parts) -> Rescan | None:
    """Begin to scan again what was released under older signatures than this process's scanner has.

    Return the rescan, ``None`` if there is nothing to scan or a rescan for these signatures is under way.
    Raises ``LedgerUnavailable``.
    """
    engine = believed(parts)
    if engine is None or engine.signature_version is None:
        return None
    return parts.rescans.begin(Wanted(engine.signature_version), parts.clock.now())


def believed(parts: Parts) -> Engine | None:
    """Return who scans here, ``None`` if it is away or may not be believed now."""
    try:
        engine = parts.scanner.engine()
    except ScannerUnavailable:
        return None
    return engine if parts.gate.doubt(engine) is None else None


def scan_next(parts: Parts) -> bool:
    """Scan the file that comes next, and call it back if something is found; return whether there was one.

    There is none while a file that just came in waits for the scanner. Raises ``PartUnavailable``.
    """
    engine, now = believed(parts), parts.clock.now()
    if engine is None or parts.ledger.unattended(now, [State.QUARANTINED], 1):
        return False
    taken = parts.rescans.take(engine.signature_version, now, now + LEASE)
    if taken is None:
        return False
    upload = parts.ledger.find(taken.upload_id)
    if upload is None or upload.state is not State.RELEASED or _is_removed(parts, upload):
        parts.rescans.finish(taken, scanned=False)
        return True
    begun = parts.clock.monotonic()
    weighed = _scanned(parts, upload, engine)
    if isinstance(weighed.outcome, Failed):
        _put_off(parts, taken, weighed.outcome)
        return True
    finding = _finding(upload, weighed)
    if finding is not None:
        call_back(parts, upload, finding, engine, parts.clock.monotonic() - begun)
    parts.rescans.finish(taken)
    return True


def _is_removed(parts: Parts, upload: Upload) -> bool:
    """Tell whether the account was removed: its files are only held, and wanted again if it comes back."""
    account = parts.accounts.find(upload.account_id)
    return account is not None and account.removed_at is not None


def _scanned(parts: Parts, upload: Upload, engine: Engine) -> judge.Weighed:
    try:
        reading = read_back(parts, upload, contents.released)
        return judge.weigh(parts, upload, reading.outcome, sniff.check_released(parts, upload), engine)
    except (StoreUnavailable, ContentLost) as error:
        # A content that was changed is never handed out whole: nobody is in danger while it is looked for.
        return judge.Weighed(Failed(Failure.STORE_UNAVAILABLE, str(error)))


def _put_off(parts: Parts, taken: Taken, failed: Failed) -> None:
    pause = min(_SHORTEST_PAUSE * 2 ** min(taken.attempts - 1, 10), _LONGEST_PAUSE)
    parts.rescans.put_off(taken, parts.clock.now() + pause)
    detail = {"upload": taken.upload_id, "attempts": taken.attempts, "text": failed.detail}
    parts.log.emit("rescan_put_off", {"failure": failed.failure.value, **detail})


def _finding(upload: Upload, weighed: judge.Weighed) -> Answer | None:
    """Return what speaks against an upload now: not what two people let it go with, nor what is excused."""
    outcome = weighed.outcome
    if isinstance(outcome, Clean | Failed) or weighed.allowance is not None:
        return None
    _, _, signature = classify(outcome)
    known = upload.reason == CLEARED_BY_REVIEWERS and signature == signature_of(upload)
    return None if known else outcome
