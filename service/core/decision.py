"""What people may say over the scanner: decisions that two of them make, and the allowances that follow.

A decision is proposed by one reviewer and confirmed by another. It is about one upload exactly as it stood:
any move of the upload, and seven days, end it. ``check_warrant`` is the law that the ledger keeps to in every
save: a move that only people may make is saved with the decision or allowance that covers it, or not at all.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, assert_never

from service.core.errors import BadRequest, IllegalMove
from service.core.naming import showable
from service.core.upload import Event, LogLine, Upload

#: How long a proposal waits for the second person.
PROPOSAL_LIFE: Final = timedelta(days=7)
#: How long an allowance may last, in days.
LONGEST_ALLOWANCE: Final = 365
#: Characters of a reason.
SHORTEST_REASON: Final = 10
LONGEST_REASON: Final = 2000
#: ``Upload.reason`` of what people, not the scanner, let go or stopped.
CLEARED_BY_REVIEWERS: Final = "reviewer_cleared"
BLOCKED_BY_REVIEWERS: Final = "reviewer_blocked"
CLEARED_BY_ALLOWANCE: Final = "allow_listed"


class Choice(StrEnum):
    """What can be decided: let this upload go, stop it, or excuse this finding in this content."""

    RELEASE = "release"
    BLOCK = "block"
    ALLOW = "allow"


class Standing(StrEnum):
    """What has become of a proposal. It lapses by its time or by a move of its upload."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Decision:
    """A proposal and what became of it.

    ``version``, ``sha256`` (hex) and ``signature`` are the upload's at the time of the proposal. ``days`` is
    how long an allowance is to last. ``reason`` may name people: it stays in the decision's row, and the log
    gets its digest. ``proposed_by`` and ``settled_by`` are ids of reviewers.
    """

    id: str
    upload_id: str
    account_id: str
    meeting_id: str
    choice: Choice
    reason: str
    days: int | None
    version: int
    sha256: str | None
    signature: str | None
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime
    standing: Standing = Standing.OPEN
    settled_by: str | None = None
    settled_at: datetime | None = None

    def standing_on(self, upload: Upload, at: datetime) -> Standing:
        """Return what the proposal is worth at a time, ``upload`` being as it is then."""
        lapsed = at >= self.expires_at or not self._is_about(upload)
        return Standing.LAPSED if self.standing is Standing.OPEN and lapsed else self.standing

    def settled(self, standing: Standing, reviewer_id: str, at: datetime) -> "Decision":
        """Return it confirmed or rejected by a reviewer."""
        return replace(self, standing=standing, settled_by=reviewer_id, settled_at=at)

    def covers(self, upload: Upload, line: LogLine) -> bool:
        """Tell whether it is the confirmed decision of two people for this move of ``upload``."""
        return (
            self.standing is Standing.CONFIRMED
            and self.settled_by not in {None, self.proposed_by}
            and _EVENTS[self.choice] is line.event
            and line.at < self.expires_at
            and self._is_about(upload)
            and (self.sha256 is not None or self.choice is not Choice.RELEASE)
        )

    def allowance(self, allowance_id: str) -> "Allowance":
        """Return the entry of the allow-list that follows from it.

        Raises ``IllegalMove`` unless two people confirmed just that, of a finding in a known content.
        """
        if (
            self.choice is not Choice.ALLOW
            or self.standing is not Standing.CONFIRMED
            or self.settled_at is None
            or self.settled_by in {None, self.proposed_by}
            or self.sha256 is None
            or self.signature is None
            or self.days is None
            or not 1 <= self.days <= LONGEST_ALLOWANCE
        ):
            raise IllegalMove("Nothing is allowed without two people's decision.")
        return Allowance(
            id=allowance_id,
            decision_id=self.id,
            sha256=self.sha256,
            signature=self.signature,
            proposed_by=self.proposed_by,
            confirmed_by=self.settled_by or "",
            created_at=self.settled_at,
            expires_at=self.settled_at + timedelta(days=self.days),
        )

    def _is_about(self, upload: Upload) -> bool:
        was = (self.upload_id, self.version, self.sha256, self.signature)
        return was == (upload.id, upload.version, upload.sha256, signature_of(upload))

    def detail(self) -> dict[str, Any]:
        """Return what lines of the log tell of it."""
        return {
            "decision": self.id,
            "choice": self.choice.value,
            "proposed_by": self.proposed_by,
            "reason_sha256": hashlib.sha256(self.reason.encode()).hexdigest(),
            "sha256": self.sha256,
            "signature": self.signature,
        }


_EVENTS: Final[Mapping[Choice, Event | None]] = {
    Choice.RELEASE: Event.REVIEWER_CLEARED,
    Choice.BLOCK: Event.REVIEWER_BLOCKED,
    Choice.ALLOW: None,
}


@dataclass(frozen=True, slots=True)
class Allowance:
    """An entry of the allow-list: the finding ``signature`` is excused in the content ``sha256`` (hex), and
    nowhere else, until ``expires_at``. ``decision_id`` is the confirmed decision that made it.
    """

    id: str
    decision_id: str
    sha256: str
    signature: str
    proposed_by: str
    confirmed_by: str
    created_at: datetime
    expires_at: datetime
    revoked_by: str | None = None
    revoked_at: datetime | None = None

    def is_live(self, at: datetime) -> bool:
        """Tell whether it counts at a time."""
        return self.revoked_at is None and at < self.expires_at

    def covers(self, upload: Upload, line: LogLine) -> bool:
        """Tell whether ``upload`` was cleared, by this move, of nothing but what is excused."""
        return (
            line.event is Event.REVIEWER_CLEARED
            and self.is_live(line.at)
            and upload.verdict is not None
            and upload.verdict.sha256 == upload.sha256 == self.sha256
            and upload.verdict.signature == self.signature
        )

    def detail(self) -> dict[str, Any]:
        """Return what lines of the log tell of it."""
        return {
            "allowance": self.id,
            "decision": self.decision_id,
            "proposed_by": self.proposed_by,
            "sha256": self.sha256,
            "signature": self.signature,
        }


#: What lets a move happen that no scanner can make.
Warrant = Decision | Allowance


def actor_of(warrant: Warrant) -> str:
    """Return who is named for what a warrant lets happen: whoever confirmed it."""
    match warrant:
        case Decision():
            return reviewer(warrant.settled_by or "")
        case Allowance():
            return reviewer(warrant.confirmed_by)
        case _:
            assert_never(warrant)


def reviewer(reviewer_id: str) -> str:
    """Return a reviewer as the actor of a line of the log."""
    return f"reviewer:{reviewer_id}"


def signature_of(upload: Upload) -> str | None:
    """Return the name of what was found in an upload, if anything was."""
    return upload.verdict.signature if upload.verdict else None


def check_warrant(upload: Upload, warrant: Warrant | None) -> None:
    """Raise ``IllegalMove`` unless ``warrant`` covers what only people may say among the unsaved moves.

    Exactly one such move, the last, which names the warrant's decision and its confirmer; without a warrant,
    none at all.
    """
    said = [line for line in upload.unsaved if line.event in _EVENTS.values()]
    if not said and warrant is None:
        return
    if (
        warrant is None
        or said != list(upload.unsaved[-1:])
        or not warrant.covers(upload, said[0])
        or said[0].actor != actor_of(warrant)
        or not warrant.detail().items() <= said[0].detail.items()
    ):
        raise IllegalMove("Nothing is cleared or blocked over the scanner without two people's decision.")


def written_reason(untrusted_reason: str) -> str:
    """Return a reason as text to keep: lines of words, without controls and formats.

    Raises ``BadRequest`` unless 10 to 2000 characters are left.
    """
    lines = (" ".join(filter(None, map(showable, line.split()))) for line in untrusted_reason.splitlines())
    text = "\n".join(lines).strip()
    if not SHORTEST_REASON <= len(text) <= LONGEST_REASON:
        raise BadRequest(
            f"Write a reason of {SHORTEST_REASON} to {LONGEST_REASON} characters; this one has {len(text)}."
        )
    return text
