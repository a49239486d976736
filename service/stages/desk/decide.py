"""Decide: one reviewer proposes what is to become of an upload, another confirms or rejects it.

Each step is one transaction, so a crash leaves it done or not done. A release that was confirmed is a row
CLEARED and a queued job; the worker copies it out as it does any other.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never

from service.core.decision import (
    BLOCKED_BY_REVIEWERS,
    CLEARED_BY_REVIEWERS,
    LONGEST_ALLOWANCE,
    PROPOSAL_LIFE,
    Choice,
    Decision,
    Standing,
    actor_of,
    reviewer,
    signature_of,
    written_reason,
)
from service.core.errors import (
    BadRequest,
    Conflict,
    DecisionClosed,
    NotFound,
    OwnProposal,
    ProposerGone,
)
from service.core.journal import Act, of_upload
from service.core.reviewer import Reviewer, Role
from service.core.upload import Event, Upload
from service.core.webhook import ordered_id
from service.ports import Reviewers
from service.stages.desk.decidable import check_decidable, check_swept, check_there, not_before
from service.stages.parts import Parts
from service.stages.record import save

_CHANGED: Final = "The file changed since you looked at it: it is {state} now. Look at it again."


@dataclass(frozen=True, slots=True)
class Wanted:
    """A proposal as a reviewer makes it, of an upload as it was shown: at ``version``. ``days`` is how long
    an allowance is to last, ``None`` for what is no allowance.
    """

    upload_id: str
    version: int
    choice: Choice
    untrusted_reason: str
    days: int | None = None


def propose(parts: Parts, reviewer_id: str, wanted: Wanted) -> Decision:
    """Propose a decision and return it, open for seven days or until its upload moves.

    Raises ``BadRequest`` for an odd reason or number of days, ``NotFound``, ``NotDecidable``,
    ``AlreadyProposed``, ``Conflict`` if the upload is not what was shown any more, ``LedgerUnavailable``.
    """
    reason = written_reason(wanted.untrusted_reason)
    days = _days(wanted)
    upload = _upload(parts, wanted.upload_id)
    if upload.version != wanted.version:
        raise Conflict(_CHANGED.format(state=upload.state))
    check_decidable(upload, wanted.choice)
    check_there(parts, upload)
    at = parts.clock.now()
    decision = Decision(
        id=ordered_id("de", at, secrets.token_hex(10)),
        upload_id=upload.id,
        account_id=upload.account_id,
        meeting_id=upload.meeting_id,
        choice=wanted.choice,
        reason=reason,
        days=days,
        version=upload.version,
        sha256=upload.sha256,
        signature=signature_of(upload),
        proposed_by=reviewer_id,
        proposed_at=at,
        expires_at=at + PROPOSAL_LIFE,
    )
    detail = decision.detail() | {"days": days, "expires_at": decision.expires_at.isoformat()}
    entry = of_upload(upload, Act.DECISION_PROPOSED, at, reviewer(reviewer_id), **detail)
    parts.decisions.propose(decision, entry)
    return decision


def confirm(parts: Parts, reviewers: Reviewers, reviewer_id: str, decision_id: str) -> Decision:
    """Confirm what another reviewer proposed, let it happen, and return the decision. Twice is once.

    Raises ``NotFound``, ``OwnProposal``, ``DecisionClosed``, ``NotDecidable``, ``AlreadyAllowed``,
    ``ProposerGone``, ``LedgerUnavailable``, and ``Busy`` while copies of an earlier release are still to be
    deleted.
    """
    decision, upload = _found(parts, reviewer_id, decision_id)
    if _is_done(decision, Standing.CONFIRMED, reviewer_id):
        return decision
    _check_open(decision, upload, parts.clock.now())
    check_decidable(upload, decision.choice)
    check_there(parts, upload)
    _check_may_decide(reviewers.get(decision.proposed_by))
    confirmed = decision.settled(Standing.CONFIRMED, reviewer_id, parts.clock.now())
    try:
        _carry_out(parts, upload, confirmed)
    except Conflict:
        _tell_what_happened(parts, reviewer_id, decision_id)
        raise
    return confirmed


def reject(parts: Parts, reviewer_id: str, decision_id: str) -> Decision:
    """Reject what another reviewer proposed, and return the decision. The upload stays as it is.

    Raises ``NotFound``, ``OwnProposal``, ``DecisionClosed``, ``LedgerUnavailable``.
    """
    decision, upload = _found(parts, reviewer_id, decision_id)
    if _is_done(decision, Standing.REJECTED, reviewer_id):
        return decision
    at = parts.clock.now()
    _check_open(decision, upload, at)
    rejected = decision.settled(Standing.REJECTED, reviewer_id, at)
    actor = actor_of(rejected)
    try:
        parts.decisions.reject(
            rejected, of_upload(upload, Act.DECISION_REJECTED, at, actor, **rejected.detail())
        )
    except Conflict:
        _tell_what_happened(parts, reviewer_id, decision_id)
        raise
    return rejected


def _days(wanted: Wanted) -> int | None:
    if wanted.choice is not Choice.ALLOW:
        return None
    if wanted.days is None or not 1 <= wanted.days <= LONGEST_ALLOWANCE:
        raise BadRequest(f"An entry of the allow-list lasts 1 to {LONGEST_ALLOWANCE} days.")
    return wanted.days


def _upload(parts: Parts, upload_id: str) -> Upload:
    upload = parts.ledger.find(upload_id)
    if upload is None:
        raise NotFound("There is no such upload.")
    return upload


def _found(parts: Parts, reviewer_id: str, decision_id: str) -> tuple[Decision, Upload]:
    """Return a decision for its second person, with its upload as it is now."""
    decision = parts.decisions.find(decision_id)
    if decision is None:
        raise NotFound("There is no such proposal.")
    if decision.proposed_by == reviewer_id:
        raise OwnProposal("You proposed this yourself: somebody else has to confirm or reject it.")
    return decision, _upload(parts, decision.upload_id)


def _is_done(decision: Decision, standing: Standing, reviewer_id: str) -> bool:
    """Tell whether this reviewer settled it so already: an answer was lost, or a button pressed twice."""
    return decision.standing is standing and decision.settled_by == reviewer_id


def _check_open(decision: Decision, upload: Upload, at: datetime) -> None:
    standing = decision.standing_on(upload, at)
    if standing is Standing.OPEN:
        return
    if standing is not Standing.LAPSED:
        raise DecisionClosed(f"The proposal was {standing} by somebody else meanwhile.")
    if decision.version == upload.version:
        raise DecisionClosed("The proposal has expired. Propose it again if it is still right.")
    raise DecisionClosed(
        f"The file changed since this was proposed: it is {upload.state} now. Look at it again."
    )


def _check_may_decide(proposer: Reviewer | None) -> None:
    """Raise ``ProposerGone`` unless the first of the two people is still one who may decide."""
    if proposer is None or proposer.disabled_at is not None or not proposer.role.includes(Role.REVIEWER):
        raise ProposerGone(
            "Whoever proposed this may decide no more. Reject it, and propose it yourself if it is right."
        )


def _tell_what_happened(parts: Parts, reviewer_id: str, decision_id: str) -> None:
    """Raise what the loser of a race is to be told."""
    decision, upload = _found(parts, reviewer_id, decision_id)
    _check_open(decision, upload, parts.clock.now())


def _carry_out(parts: Parts, upload: Upload, confirmed: Decision) -> None:
    """Make a confirmed decision true, in one transaction with it."""
    at, actor = confirmed.settled_at or parts.clock.now(), actor_of(confirmed)
    match confirmed.choice:
        case Choice.RELEASE:
            check_swept(upload)
            pause = not_before(parts, upload, at)
            cleared = upload.moved(
                Event.REVIEWER_CLEARED, at, confirmed.detail(), actor=actor, reason=CLEARED_BY_REVIEWERS
            )
            waiting = replace(cleared, waiting_since=at, due_at=pause, lease_until=pause)
            save(parts, waiting, wake=True, warrant=confirmed)
        case Choice.BLOCK:
            blocked = upload.moved(
                Event.REVIEWER_BLOCKED, at, confirmed.detail(), actor=actor, reason=BLOCKED_BY_REVIEWERS
            )
            save(parts, blocked, warrant=confirmed)
        case Choice.ALLOW:
            allowance_id = ordered_id("al", at, secrets.token_hex(10))
            detail = confirmed.detail() | {"allowance": allowance_id, "days": confirmed.days}
            entry = of_upload(upload, Act.DECISION_CONFIRMED, at, actor, **detail)
            parts.decisions.allow(confirmed, allowance_id, entry)
        case _:
            assert_never(confirmed.choice)
