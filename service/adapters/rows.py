"""Between the ledger's rows and the core's values."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from service.core.grant import Grant, GrantKind
from service.core.journal import Entry
from service.core.outcome import Engine
from service.core.search import Record, searchable
from service.core.upload import Event, Leftover, LogLine, Segment, State, Upload
from service.core.verdict import Kind, Protection, Verdict
from service.ports import ApiKey, GrantKey, KnownGrant, SigningKey

_PLAIN = (
    *("id", "account_id", "meeting_id", "name", "declared_type", "detected_type", "created_at", "updated_at"),
    *("size", "sha256", "reason", "attempts", "due_at", "lease_until", "version"),
    *("grant_id", "reserved", "expires_at", "waiting_since", "traceparent"),
    *("region", "content_key", "person"),
)

_RECORDED = (
    *("id", "account_id", "meeting_id", "name", "declared_type", "detected_type", "created_at", "updated_at"),
    *("size", "sha256", "reason", "attempts", "grant_id"),
)


def upload_to_row(upload: Upload) -> dict[str, Any]:
    """Return an upload's row, without its segments."""
    row = {name: getattr(upload, name) for name in _PLAIN}
    row |= {"state": upload.state.value, "leftover": upload.leftover.value}
    row["name_folded"] = searchable(upload.name)
    return row | _verdict_to_row(upload.verdict)


def row_to_upload(row: RowMapping, segments: Sequence[Segment]) -> Upload:
    """Return the upload of a row with its segments in order."""
    plain = {name: row[name] for name in _PLAIN}
    return Upload(
        **plain,
        state=State(row["state"]),
        leftover=Leftover(row["leftover"]),
        segments=tuple(segments),
        verdict=_row_to_verdict(row),
    )


def row_to_record(row: RowMapping) -> Record:
    """Return what a search shows of an upload's row."""
    plain = {name: row[name] for name in _RECORDED}
    return Record(**plain, state=State(row["state"]), verdict=_row_to_verdict(row))


def _verdict_to_row(verdict: Verdict | None) -> dict[str, Any]:
    engine = verdict.engine if verdict else None
    return {
        "verdict_kind": verdict.kind.value if verdict else None,
        "verdict_code": verdict.code if verdict else None,
        "verdict_signature": verdict.signature if verdict else None,
        "verdict_sha256": verdict.sha256 if verdict else None,
        "verdict_size": verdict.size if verdict else None,
        "verdict_engine": engine.version if engine else None,
        "verdict_signature_version": engine.signature_version if engine else None,
        "verdict_signatures_made_at": engine.signatures_made_at if engine else None,
        "verdict_protection": verdict.protection.value if verdict else None,
        "verdict_policy": verdict.policy if verdict else None,
        "verdict_duration": verdict.duration if verdict else None,
        "verdict_at": verdict.at if verdict else None,
    }


def _row_to_verdict(row: RowMapping) -> Verdict | None:
    if row["verdict_kind"] is None:
        return None
    return Verdict(
        kind=Kind(row["verdict_kind"]),
        code=row["verdict_code"],
        signature=row["verdict_signature"],
        sha256=row["verdict_sha256"],
        size=row["verdict_size"],
        engine=_engine(
            row["verdict_engine"], row["verdict_signature_version"], row["verdict_signatures_made_at"]
        ),
        protection=Protection(row["verdict_protection"]),
        policy=row["verdict_policy"],
        duration=row["verdict_duration"],
        at=row["verdict_at"],
    )


def _engine(version: str | None, signature_version: int | None, made_at: datetime | None) -> Engine | None:
    return None if version is None else Engine(version, signature_version, made_at)


def segment_to_row(upload: Upload, segment: Segment) -> dict[str, Any]:
    """Return one segment's row."""
    return {
        "upload_id": upload.id,
        "account_id": upload.account_id,
        "meeting_id": upload.meeting_id,
        "number": segment.number,
        "key": segment.key,
        "size": segment.size,
        "sha256": segment.sha256,
        "etag": segment.etag,
    }


def row_to_segment(row: RowMapping) -> Segment:
    """Return the segment of a row."""
    return Segment(row["number"], row["key"], row["size"], row["sha256"], row["etag"])


def entry_to_row(entry: Entry) -> dict[str, Any]:
    """Return the row of one line of the log."""
    return {
        "upload_id": entry.upload_id,
        "account_id": entry.account_id,
        "meeting_id": entry.meeting_id,
        "actor": entry.actor,
        "at": entry.at,
        "event": entry.event,
        "before": entry.before and entry.before.value,
        "after": entry.after and entry.after.value,
        "detail": dict(entry.detail),
    }


def row_to_entry(row: RowMapping) -> Entry:
    """Return the line of a row, without its place."""
    return Entry(
        at=row["at"],
        event=row["event"],
        detail=row["detail"],
        actor=row["actor"],
        upload_id=row["upload_id"],
        account_id=row["account_id"],
        meeting_id=row["meeting_id"],
        before=State(row["before"]) if row["before"] else None,
        after=State(row["after"]) if row["after"] else None,
    )


def row_to_line(row: RowMapping) -> LogLine:
    """Return the move that a row tells of."""
    return LogLine(
        row["at"],
        Event(row["event"]),
        State(row["before"]),
        State(row["after"]),
        row["detail"],
        row["actor"],
    )


def key_to_row(key: ApiKey) -> dict[str, Any]:
    """Return one API key's row."""
    return {
        "prefix": key.prefix,
        "account_id": key.account_id,
        "secret_sha256": key.secret_sha256,
        "label": key.label,
        "scopes": " ".join(sorted(key.scopes)),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }


def row_to_key(row: RowMapping) -> ApiKey:
    """Return the API key of a row."""
    return ApiKey(**{**dict(row), "scopes": frozenset(row["scopes"].split())})


def signing_key_to_row(key: SigningKey) -> dict[str, Any]:
    """Return one signing key's row."""
    return asdict(key)


def row_to_signing_key(row: RowMapping) -> SigningKey:
    """Return the signing key of a row."""
    return SigningKey(**row)


def grant_key_to_row(key: GrantKey) -> dict[str, Any]:
    """Return one row of an account's key."""
    return asdict(key)


def row_to_grant_key(row: RowMapping) -> GrantKey:
    """Return the account's key of a row."""
    return GrantKey(**row)


def grant_to_row(grant: Grant, at: datetime) -> dict[str, Any]:
    """Return the row of a grant that is stored at that time."""
    return asdict(grant) | {
        "kind": grant.kind.value,
        "types": sorted(grant.types),
        "created_at": at,
        "revoked_at": None,
    }


def row_to_grant(row: RowMapping, files: int, size: int) -> KnownGrant:
    """Return the grant of a row, of which that many files and bytes are used."""
    plain = dict(row)
    created_at, revoked_at = plain.pop("created_at"), plain.pop("revoked_at")
    rights: dict[str, Any] = {"kind": GrantKind(plain.pop("kind")), "types": frozenset(plain.pop("types"))}
    return KnownGrant(Grant(**plain, **rights), created_at, revoked_at, files, size)
