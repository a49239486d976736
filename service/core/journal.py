"""The log: one line for everything that happened, whether it moved an upload or not.

A line's ``event`` is a move of the table in ``service.core.upload`` or one of ``Act``. Lines are written in
the transaction that made them true and are never changed; what makes them tamper-evident is in
``service.verify``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from service.core.upload import LogLine, State, Upload


class Act(StrEnum):
    """What is logged beside the moves of uploads."""

    DOWNLOADED = "downloaded"
    CANARIES = "canaries"
    SIGNATURES = "signatures"
    ACCOUNT_CREATED = "account_created"
    ACCOUNT_REMOVED = "account_removed"
    ACCOUNT_REACTIVATED = "account_reactivated"
    HOLD_PLACED = "hold_placed"
    HOLD_LIFTED = "hold_lifted"
    HOLDS_VIEWED = "holds_viewed"
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    MASTER_KEY_ROTATED = "master_key_rotated"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    OVERVIEW_VIEWED = "overview_viewed"
    SEARCHED = "searched"
    UPLOAD_VIEWED = "upload_viewed"
    HELD_VIEWED = "held_viewed"
    ALLOW_LIST_VIEWED = "allow_list_viewed"
    RECEIPT_TAKEN = "receipt_taken"
    LOG_VIEWED = "log_viewed"
    REVIEWERS_VIEWED = "reviewers_viewed"
    EXPORTED = "exported"
    REVIEWER_ADDED = "reviewer_added"
    REVIEWER_CHANGED = "reviewer_changed"
    DECISION_PROPOSED = "decision_proposed"
    DECISION_CONFIRMED = "decision_confirmed"
    DECISION_REJECTED = "decision_rejected"
    ALLOWANCE_REVOKED = "allowance_revoked"
    ERASURE_ASKED = "erasure_asked"
    ERASURE_DONE = "erasure_done"
    EXPORT_ASKED = "export_asked"
    EXPORT_BUILT = "export_built"
    EXPORT_TAKEN = "export_taken"
    EXPORT_WITHDRAWN = "export_withdrawn"
    EXPORT_EXPIRED = "export_expired"
    REQUESTS_VIEWED = "requests_viewed"
    MEETING_CHANGED = "meeting_changed"
    RESCAN_BEGUN = "rescan_begun"
    RESCAN_ENDED = "rescan_ended"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line, as it is to be written.

    ``actor`` says who did it, as ``kind:id`` with an id of ours that tells nothing of the person:
    ``key:gr_...``, ``grant:...``, ``reviewer:rv_...``; ``None`` is the service itself. ``detail`` holds JSON
    scalars only and no personal data; what the account named (itself, its meetings) stands in fields of its
    own, so that the published line can carry pseudonyms for it.
    """

    at: datetime
    event: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    actor: str | None = None
    upload_id: str | None = None
    account_id: str | None = None
    meeting_id: str | None = None
    before: State | None = None
    after: State | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line that was written and has no place in the tree yet. ``id`` is the row's."""

    id: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Placed:
    """A line in its place: ``position`` counts from 0 without gaps, ``text`` is the canonical JSON of
    ``service.core.line`` that was hashed into the tree. ``entry`` is the row it was made of.
    """

    position: int
    text: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint over the first ``size`` lines, as it was signed: ``note`` is c2sp.org/tlog-checkpoint."""

    size: int
    at: datetime
    note: str


def of_move(upload: Upload, line: LogLine) -> Entry:
    """Return the entry of a move of ``upload``."""
    return Entry(
        at=line.at,
        event=line.event.value,
        detail=line.detail,
        actor=line.actor,
        upload_id=upload.id,
        account_id=upload.account_id,
        meeting_id=upload.meeting_id,
        before=line.before,
        after=line.after,
    )


def of_upload(upload: Upload, act: Act, at: datetime, actor: str | None, **detail: Any) -> Entry:  # noqa: ANN401 - JSON scalars
    """Return the entry of something that happened to ``upload`` without moving it."""
    return Entry(at, act.value, detail, actor, upload.id, upload.account_id, upload.meeting_id)
