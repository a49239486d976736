"""What the API shows, in its own words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from service.core.advice import advice
from service.core.trust import signature_age
from service.core.upload import LogLine, Upload
from service.core.verdict import Verdict


def upload_document(
    upload: Upload, history: Sequence[LogLine] | None = None, retained_until: datetime | None = None
) -> dict[str, Any]:
    """Return the document of one upload, with the times of its steps and of its end where they are given.

    Times are RFC 3339 in UTC, sizes in bytes, durations and ages in seconds.
    """
    document: dict[str, Any] = {
        "id": upload.id,
        "account": upload.account_id,
        "meeting": upload.meeting_id,
        "name": upload.name,
        "size": upload.size,
        "sha256": upload.sha256,
        "declared_type": upload.declared_type or None,
        "detected_type": upload.detected_type or None,
        "state": upload.state.value,
        "reason": upload.reason,
        "verdict": _verdict(upload.verdict) if upload.verdict else None,
        "advice": advice(upload),
        "created_at": rfc3339(upload.created_at),
        "updated_at": rfc3339(upload.updated_at),
    }
    if retained_until is not None:
        document["retained_until"] = rfc3339(retained_until)
    if history is not None:
        first = {"state": "receiving", "event": "arrived", "at": rfc3339(upload.created_at)}
        steps = [
            {"state": line.after.value, "event": line.event.value, "at": rfc3339(line.at)} for line in history
        ]
        document["history"] = [first, *steps]
    return document


def _verdict(verdict: Verdict) -> dict[str, Any]:
    engine = verdict.engine
    age = signature_age(engine, verdict.at) if engine else None
    document: dict[str, Any] = {
        "kind": verdict.kind.value,
        "code": verdict.code,
        "signature": verdict.signature,
        "engine": f"ClamAV {engine.version}" if engine else None,
        "signatures": {
            "version": engine.signature_version if engine else None,
            "made_at": rfc3339(engine.signatures_made_at) if engine and engine.signatures_made_at else None,
            "age_seconds": None if age is None else round(age),
            "protection": verdict.protection.value,
        },
        "policy": verdict.policy,
        "duration_seconds": round(verdict.duration, 4),
        "at": rfc3339(verdict.at),
    }
    if verdict.protection.notice:
        document["notice"] = verdict.protection.notice
    return document


def rfc3339(at: datetime) -> str:
    """Return ``at`` as the API writes times: UTC, milliseconds, a Z."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
