"""Uploads as the console's pages must bear them, brought into a ledger by real moves, with their log."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from service.core.journal import Act, Entry, of_upload
from service.core.outcome import Engine
from service.core.upload import Event, State, Upload
from service.core.verdict import Kind, Protection, Verdict
from service.core.webhook import ordered_id
from service.stages.access import SCOPES, create_key
from service.stages.log.checkpoint import sign_when_due
from service.stages.log.place import place
from service.stages.parts import Parts

LONG: Final = "Protokoll der außerordentlichen Gesellschafterversammlung " * 4 + "endgültige Fassung (3).docx"
ARABIC: Final = "محضر الاجتماع السنوي للمساهمين - النسخة النهائية.pdf"
EMOJI: Final = "🎉 team offsite 👩‍👩‍👧‍👦 photos & résumé.pptx"
MARKUP: Final = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>.pdf"
UNBROKEN: Final = "quarterly_" * 20 + "figures.xlsx"
_POLICY: Final = hashlib.sha256(b"policy").hexdigest()
_ENCRYPTED: Final = "Heuristics.Encrypted.PDF"


@dataclass(frozen=True)
class Fate:
    """What becomes of an upload, and how long before `now` it is begun."""

    name: str
    kind: Kind | None
    ago: timedelta
    signature: str | None = None
    code: str = ""


_HOUR: Final = timedelta(hours=1)
FATES: Final = (
    Fate(MARKUP, Kind.CLEAN, 700 * _HOUR),
    Fate("board deck Q3.pptx", Kind.UNSCANNABLE, 200 * _HOUR, _ENCRYPTED, "encrypted"),
    Fate("all-hands.pptx", Kind.CLEAN, 26 * _HOUR),
    Fate(UNBROKEN, Kind.CLEAN, 22 * _HOUR),
    Fate("handout.pdf", Kind.CLEAN, 21 * _HOUR),
    Fate("agenda.docx", Kind.CLEAN, 9 * _HOUR),
    Fate("会議資料 第3版.pdf", Kind.MALFORMED, 8 * _HOUR, "Heuristics.Broken.Media.PNG.CRCMismatch"),
    Fate("photo.png", Kind.CLEAN, 7 * _HOUR),
    Fate("invoice 2026-11.pdf", Kind.INFECTED, 5 * _HOUR, "Win.Test.EICAR_HDB-1"),
    Fate(LONG, Kind.UNSCANNABLE, 4.5 * _HOUR, _ENCRYPTED, "encrypted"),
    Fate("minutes.docx", Kind.CLEAN, 4.2 * _HOUR),
    Fate("roadmap.pptx", Kind.CLEAN, 4 * _HOUR),
    Fate(EMOJI, Kind.SUSPICIOUS, 3 * _HOUR, "Heuristics.OLE2.ContainsMacros.VBA"),
    Fate("notes.pdf", Kind.CLEAN, 2 * _HOUR),
    Fate(ARABIC, Kind.CLEAN, _HOUR),
    Fate("just now.pdf", None, timedelta(minutes=2)),
)
_ENDS: Final = {
    Kind.CLEAN: Event.FOUND_CLEAN,
    Kind.INFECTED: Event.FOUND_INFECTED,
    Kind.UNSCANNABLE: Event.NOT_SCANNABLE,
    Kind.MALFORMED: Event.NOT_SCANNABLE,
    Kind.SUSPICIOUS: Event.NOT_SCANNABLE,
}


def fill(parts: Parts, now: datetime, account: str, fates: Sequence[Fate] = FATES) -> list[Upload]:
    """Give an account these uploads, oldest first, some with downloads; return them as they are at last."""
    create_key(parts, account, "made for a test", SCOPES, None)
    return [_bring(parts, number, fate, now, account) for number, fate in enumerate(fates)]


def downloaded(parts: Parts, upload: Upload, actor: str, at: datetime) -> None:
    """Log that somebody downloaded it."""
    parts.journal.append([of_upload(upload, Act.DOWNLOADED, at, actor)])


def tell_of_scanner(parts: Parts, now: datetime, failures: str = "") -> None:
    """Log what a worker's canaries said a minute ago, and that the signatures changed six hours ago."""

    def said(version: int) -> dict[str, Any]:
        return {"engine": "1.4.6", "signature_version": version, "worker": "0a1b2c3d"}

    parts.journal.append(
        [
            Entry(now - 30 * _HOUR, Act.SIGNATURES.value, said(27825)),
            Entry(now - 6 * _HOUR, Act.SIGNATURES.value, said(27826)),
            Entry(now - _HOUR, Act.SIGNATURES.value, said(27826)),
            Entry(
                now - timedelta(minutes=1), Act.CANARIES.value, {"failures": failures, "worker": "0a1b2c3d"}
            ),
        ]
    )


def keep(parts: Parts) -> None:
    """Give every line its place and sign a checkpoint, if one is due."""
    while place(parts):
        pass
    sign_when_due(parts)


def _bring(parts: Parts, number: int, fate: Fate, now: datetime, account: str) -> Upload:
    at = now - fate.ago
    # Each fourth is the same content again.
    digest = hashlib.sha256(f"{account} {number % 4 and number}".encode()).hexdigest()
    size = 184_320 * (number + 1) ** 2
    begun = Upload(
        id=ordered_id("up", at, hashlib.sha256(f"{account}{number}".encode()).hexdigest()[:20]),
        account_id=account,
        meeting_id=f"weekly-{number % 3}",
        name=fate.name,
        declared_type="application/octet-stream",
        detected_type="application/pdf",
        state=State.RECEIVING,
        created_at=at,
        updated_at=at,
    )
    begun = parts.ledger.save(begun)
    stored: dict[str, Any] = {"sha256": digest, "size": size}
    saved = parts.ledger.save(begun.moved(Event.STORED, at + _ms(300), stored, **stored))
    if fate.kind is None:
        return saved
    scanning = parts.ledger.save(saved.moved(Event.SCAN_BEGUN, at + _ms(350)))
    return _end(parts, scanning, _verdict(fate, scanning, at + _ms(900)))


def _end(parts: Parts, upload: Upload, verdict: Verdict) -> Upload:
    detail: dict[str, Any] = {"sha256": upload.sha256, "kind": verdict.kind.value, "code": verdict.code}
    detail |= {"signature": verdict.signature, "signature_version": 27826, "policy": verdict.policy}
    reason = None if verdict.kind is Kind.CLEAN else verdict.code
    done = upload.moved(_ENDS[verdict.kind], verdict.at, detail, verdict=verdict, reason=reason)
    done = parts.ledger.save(done)
    if done.state is not State.CLEARED:
        return done
    released = parts.ledger.save(done.moved(Event.COPIED_OUT, verdict.at + _ms(80)))
    downloaded(parts, released, "key:gr_5d1e0c7a9b2f", verdict.at + timedelta(minutes=3))
    return replace(released, unsaved=())


def _verdict(fate: Fate, upload: Upload, at: datetime) -> Verdict:
    assert fate.kind
    assert upload.sha256
    engine = Engine("1.4.6", 27826, at - timedelta(hours=7, minutes=12))
    code = fate.code or fate.kind.value
    return Verdict(
        *(fate.kind, code, fate.signature, upload.sha256, upload.size or 0, engine),
        *(Protection.OFFICIAL, _POLICY, 0.4182, at),
    )


def _ms(number: int) -> timedelta:
    return timedelta(milliseconds=number)
