"""Records: what is told in an export beside the files, as JSON.

Of one person no other is told: who else downloaded a file is left out, and so are the reviewers, in an
account's export too.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from service.core.decision import Decision
from service.core.export import Export, member_name
from service.core.grant import Grant
from service.core.journal import Act, Entry
from service.core.meeting import Meeting
from service.core.representation import rfc3339, upload_document
from service.core.upload import State, Upload
from service.ports import KnownGrant
from service.stages.parts import Parts

#: Of one person's own downloads at most the newest so many are told.
MOST_DOWNLOADS: Final = 100_000
README: Final = """This is what is kept of {whom}, put together at {at}.

export.json     of whom it is, and when it was asked for
uploads.json    every upload: what was sent, what the scanner said of it, what happened to it since
grants.json     the grants that are still known: who might upload or download, from when to when
{more}
files/          the files that are released: files/MEETING/UPLOAD/NAME
files.json      those files with their SHA-256, and what could not be read

A file that is not released (held, blocked, refused, deleted) is told of and not contained: it may be harmful,
or it is gone. Times are RFC 3339 in UTC, sizes in bytes.
"""
_MEETINGS: Final = "meetings.json   what was said of meetings, beside the uploads for them"
_DOWNLOADS: Final = "downloads.json  what was downloaded with those grants, whoever had sent it"


def readme(export: Export, at: str) -> str:
    """Return what an export has for its reader."""
    whom = "the account" if export.person is None else "one person in the account"
    more = _MEETINGS if export.person is None else _DOWNLOADS
    return README.format(whom=f"{whom} {export.account_id}", at=at, more=more)


def about(export: Export, at: str) -> Mapping[str, Any]:
    """Return of whom an export is."""
    return {
        "export": export.id,
        "account": export.account_id,
        "region": export.region,
        "person": export.person,
        "asked_at": rfc3339(export.asked_at),
        "made_at": at,
    }


def upload_record(parts: Parts, export: Export, upload: Upload, own: Iterable[str]) -> Mapping[str, Any]:
    """Return all that is told of one upload. ``own`` are the actors that a person's downloads were made by.

    Raises ``LedgerUnavailable``.
    """
    document = upload_document(upload, parts.ledger.history(upload.id))
    lines = [line.entry for line in parts.journal.of_upload(upload.id)]
    downloads = [line for line in lines if line.event == Act.DOWNLOADED]
    released = upload.state is State.RELEASED
    return document | {
        "person": upload.person,
        "grant": upload.grant_id,
        "file": member_name(upload.meeting_id, upload.id, upload.name) if released else None,
        "downloads": [_download(export, line, frozenset(own)) for line in downloads],
        "decisions": [_decision(one) for one in reversed(parts.decisions.of_upload(upload.id))],
    }


def own_downloads(parts: Parts, export: Export, actors: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """Yield what the holders of grants downloaded. Raises ``LedgerUnavailable``."""
    found = parts.journal.downloads(export.account_id, list(actors), MOST_DOWNLOADS)
    for line in found:
        yield {
            "at": rfc3339(line.at),
            "upload": line.upload_id,
            "meeting": line.meeting_id,
            "by": line.actor,
        }


def grant_record(known: KnownGrant) -> Mapping[str, Any]:
    """Return what is told of a grant."""
    grant = known.grant
    return {
        "id": grant.id,
        "kind": grant.kind.value,
        "meeting": grant.meeting_id,
        "person": grant.person,
        "upload": grant.upload_id,
        "made_at": rfc3339(known.created_at),
        "expires_at": rfc3339(grant.expires_at),
        "revoked_at": known.revoked_at and rfc3339(known.revoked_at),
        "files": known.files,
        "bytes": known.bytes,
    }


def meeting_record(meeting: Meeting) -> Mapping[str, Any]:
    """Return what was said of a meeting."""
    starts_at = meeting.starts_at and rfc3339(meeting.starts_at)
    return {"id": meeting.id, "starts_at": starts_at, "retention": dict(meeting.retention)}


def actor_of(grant: Grant) -> str:
    """Return who the holder of a grant is in the log."""
    return f"grant:{grant.id}"


def listed(records: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield a JSON array of ``records``, one on each line, made while it is read."""
    before = b"[\n"
    for record in records:
        yield before + json.dumps(record, ensure_ascii=False).encode()
        before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"


def document(record: Mapping[str, Any]) -> bytes:
    """Return a record as a JSON document."""
    return json.dumps(record, ensure_ascii=False, indent=1).encode() + b"\n"


def _download(export: Export, line: Entry, own: frozenset[str]) -> Mapping[str, Any]:
    told = {"at": rfc3339(line.at)}
    if export.person is None or line.actor in own:
        return told | {"by": line.actor}
    return told


def _decision(decision: Decision) -> Mapping[str, Any]:
    return {
        "choice": decision.choice.value,
        "reason": decision.reason,
        "standing": decision.standing.value,
        "proposed_at": rfc3339(decision.proposed_at),
        "settled_at": decision.settled_at and rfc3339(decision.settled_at),
    }
