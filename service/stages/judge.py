"""Judge: from the scanner's outcome to the upload's next state."""

from datetime import datetime, timedelta
from typing import Final

from service.core.outcome import BLAMELESS, Answer, Clean, Engine, Failed, Failure, Outcome
from service.core.policy import CONSEQUENCES
from service.core.upload import Event, Upload
from service.core.verdict import Kind, Verdict, classify
from service.stages.heartbeat import LEASE
from service.stages.parts import Parts

#: Scans of one content that may fail before a person has to look.
MOST_ATTEMPTS: Final = 5
_LONGEST_PAUSE: Final = 30


def weigh(parts: Parts, outcome: Outcome, package: Answer | None, engine: Engine | None) -> Outcome:
    """Return the outcome that counts: a clean one only if the scanner may be believed just now, and only
    if the look into the ``package`` found nothing against it.
    """
    if not isinstance(outcome, Clean):
        return outcome
    if engine is None:
        return Failed(Failure.UNREACHABLE, "the scanner did not say who it is")
    doubt = parts.gate.doubt(engine)
    if doubt is not None:
        return Failed(*doubt)
    return outcome if package is None else package


def decide(parts: Parts, upload: Upload, outcome: Outcome, engine: Engine | None, duration: float) -> Upload:
    """Return an upload that is SCANNING after the weighed ``outcome`` of a scan (``duration`` in seconds)."""
    at = parts.clock.now()
    if isinstance(outcome, Failed):
        return _failed(parts, upload, outcome, at)
    kind, code, signature = classify(outcome)
    verdict = _verdict(parts, upload, kind, code, signature, engine, duration, at)
    detail = {
        "sha256": upload.sha256,
        "size": upload.size,
        "kind": kind.value,
        "code": code,
        "signature": signature,
    }
    return upload.moved(
        CONSEQUENCES[kind],
        at,
        detail | _provenance(verdict),
        verdict=verdict,
        reason=None if kind is Kind.CLEAN else code,
        lease_until=at + LEASE if kind is Kind.CLEAN else None,
    )


def give_up(parts: Parts, upload: Upload, reason: str) -> Upload:
    """Return an upload (QUARANTINED or SCANNING) held because no scan of it will be tried again."""
    at = parts.clock.now()
    verdict = _verdict(parts, upload, Kind.ERROR, reason, None, None, 0.0, at)
    return upload.moved(
        CONSEQUENCES[Kind.ERROR], at, {"code": reason}, verdict=verdict, reason=reason, lease_until=None
    )


def _failed(parts: Parts, upload: Upload, failed: Failed, at: datetime) -> Upload:
    blameless = failed.failure in BLAMELESS
    attempts = upload.attempts if blameless else upload.attempts + 1
    detail = {"failure": failed.failure.value, "text": failed.detail, "attempts": attempts}
    if attempts >= MOST_ATTEMPTS:
        return give_up(parts, upload, "scan_exhausted")
    pause = 0 if blameless else min(2**attempts, _LONGEST_PAUSE)
    if failed.failure in {Failure.STORE_UNAVAILABLE, Failure.SCANNER_FULL}:
        pause = _LONGEST_PAUSE
    return upload.moved(
        Event.SCAN_FAILED,
        at,
        detail,
        attempts=attempts,
        due_at=at + timedelta(seconds=pause),
        lease_until=None,
    )


def _verdict(
    parts: Parts,
    upload: Upload,
    kind: Kind,
    code: str,
    signature: str | None,
    engine: Engine | None,
    duration: float,
    at: datetime,
) -> Verdict:
    return Verdict(
        kind=kind,
        code=code,
        signature=signature,
        sha256=upload.sha256 or "",
        size=upload.size or 0,
        engine=engine,
        protection=parts.protection,
        policy=parts.policy.digest,
        duration=duration,
        at=at,
    )


def _provenance(verdict: Verdict) -> dict[str, object]:
    engine = verdict.engine
    return {
        "engine": engine.version if engine else None,
        "signature_version": engine.signature_version if engine else None,
        "signatures_made_at": engine.signatures_made_at.isoformat()
        if engine and engine.signatures_made_at
        else None,
        "protection": verdict.protection.value,
        "notice": verdict.protection.notice,
        "policy": verdict.policy,
        "duration": round(verdict.duration, 4),
    }
