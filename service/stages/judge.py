"""Judge: from the scanner's outcome to the upload's next state."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from service.core.decision import CLEARED_BY_ALLOWANCE, Allowance, actor_of
from service.core.outcome import BLAMELESS, Answer, Clean, Engine, Failed, Failure, Outcome
from service.core.policy import CONSEQUENCES, RECALLS
from service.core.upload import Event, Leftover, Upload
from service.core.verdict import Kind, Verdict, classify
from service.stages.heartbeat import LEASE
from service.stages.parts import Parts
from service.stages.sweep import SETTLED_AFTER

#: Scans of one content that may fail before a person has to look.
MOST_ATTEMPTS: Final = 5
_LONGEST_PAUSE: Final = 30


@dataclass(frozen=True, slots=True)
class Weighed:
    """The outcome that counts, and, where it is a finding that people excused, their allowance."""

    outcome: Outcome
    allowance: Allowance | None = None


def weigh(
    parts: Parts, upload: Upload, outcome: Outcome, package: Answer | None, engine: Engine | None
) -> Weighed:
    """Return what counts of a scan of ``upload``: a clean outcome only if the scanner may be believed just
    now, and only if the look into the ``package`` found nothing against it.

    What is excused must be as good as clean: the one finding that there is, of a scanner that may be
    believed. Raises ``LedgerUnavailable``.
    """
    if isinstance(outcome, Failed):
        return Weighed(outcome)
    finding = package if isinstance(outcome, Clean) else outcome
    only_one = isinstance(outcome, Clean) or package is None
    allowance = _allowance(parts, upload, finding) if finding and only_one else None
    if not isinstance(outcome, Clean) and allowance is None:
        return Weighed(outcome)
    if engine is None:
        return Weighed(Failed(Failure.UNREACHABLE, "the scanner did not say who it is"))
    doubt = parts.gate.doubt(engine)
    if doubt is not None:
        return Weighed(Failed(*doubt))
    return Weighed(finding or outcome, allowance)


def _allowance(parts: Parts, upload: Upload, finding: Answer) -> Allowance | None:
    """Return the allowance for this finding in exactly this content."""
    _, _, signature = classify(finding)
    if upload.sha256 is None or signature is None:
        return None
    return parts.allowances.excusing(upload.sha256, signature, parts.clock.now())


def decide(parts: Parts, upload: Upload, weighed: Weighed, engine: Engine | None, duration: float) -> Upload:
    """Return an upload that is SCANNING after the ``weighed`` outcome of a scan (``duration`` in seconds)."""
    at = parts.clock.now()
    outcome = weighed.outcome
    if isinstance(outcome, Failed):
        return _failed(parts, upload, outcome, at)
    kind, code, signature = classify(outcome)
    verdict = _verdict(parts, upload, kind, code, signature, engine, duration, at)
    if weighed.allowance is not None:
        held = upload.moved(Event.NOT_SCANNABLE, at, _told(upload, verdict), verdict=verdict, reason=code)
        return _excused(held, weighed.allowance, at)
    return upload.moved(
        CONSEQUENCES[kind],
        at,
        _told(upload, verdict),
        verdict=verdict,
        reason=None if kind is Kind.CLEAN else code,
        lease_until=at + LEASE if kind is Kind.CLEAN else None,
    )


def _excused(held: Upload, allowance: Allowance, at: datetime) -> Upload:
    """Return an upload that was held for no more than what is excused. Its verdict stays what it is."""
    return held.moved(
        Event.REVIEWER_CLEARED,
        at,
        allowance.detail(),
        actor=actor_of(allowance),
        reason=CLEARED_BY_ALLOWANCE,
        lease_until=at + LEASE,
    )


def recall(parts: Parts, upload: Upload, finding: Answer, engine: Engine | None, duration: float) -> Upload:
    """Return an upload that is RELEASED after a scan that found something in it (``duration`` in seconds).

    Its content is to come back, but not while those who deleted its quarantined copies may still be at it.
    """
    at = parts.clock.now()
    kind, code, signature = classify(finding)
    verdict = _verdict(parts, upload, kind, code, signature, engine, duration, at)
    swept_at = max(upload.updated_at, upload.due_at or upload.updated_at)
    if upload.leftover is not Leftover.NOTHING:
        swept_at = at
    return upload.moved(
        RECALLS[kind],
        at,
        _told(upload, verdict),
        verdict=verdict,
        reason=code,
        lease_until=None,
        due_at=max(at, swept_at + SETTLED_AFTER),
        leftover=Leftover.RETURN,
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


def _told(upload: Upload, verdict: Verdict) -> dict[str, object]:
    """Return an upload's verdict as the log tells it."""
    engine = verdict.engine
    return {
        "sha256": upload.sha256,
        "size": upload.size,
        "kind": verdict.kind.value,
        "code": verdict.code,
        "signature": verdict.signature,
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
