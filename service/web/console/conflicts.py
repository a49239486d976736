"""What is told to a reviewer who came too late: what happened instead, and who did it."""

from typing import Final

from service.core.decision import Choice, Decision, Standing
from service.core.errors import AlreadyProposed, Conflict, DecisionClosed, GreenroomError
from service.core.upload import Event, LogLine
from service.stages.desk import Desk
from service.stages.desk.proceedings import names
from service.web.console.words import age

#: What each choice is, after "proposed to".
DEEDS: Final = {
    Choice.RELEASE: "release the file",
    Choice.BLOCK: "block the file",
    Choice.ALLOW: "put its finding on the allow-list",
}
_MOVES: Final = {
    Event.REVIEWER_CLEARED: "confirmed its release",
    Event.REVIEWER_BLOCKED: "confirmed that it is blocked",
    Event.RESCAN_ASKED: "had it scanned again",
    Event.DELETED: "deleted it",
}


def happened(desk: Desk, error: GreenroomError, upload_id: str, decision_id: str | None = None) -> str:
    """Return why nothing was done, and who did what before. Raises ``LedgerUnavailable``."""
    told = f"Nothing was done. {error}"
    match error:
        case AlreadyProposed():
            return f"{told} {_proposed(desk, upload_id)}".strip()
        case DecisionClosed() if decision_id is not None:
            decision = desk.parts.decisions.find(decision_id)
            if decision is not None and decision.settled_at is not None:
                return f"Nothing was done. {_settled(desk, decision)}"
            return f"{told} {_moved(desk, upload_id)}".strip()
        case Conflict() | DecisionClosed():
            return f"{told} {_moved(desk, upload_id)}".strip()
        case _:
            return told


def _proposed(desk: Desk, upload_id: str) -> str:
    now = desk.parts.clock.now()
    there = desk.parts.decisions.waiting(now, [upload_id], 1)
    return "".join(
        f"{_name(desk, each.proposed_by)} proposed to {DEEDS[each.choice]} {age(now - each.proposed_at)} ago."
        for each in there
    )


def _settled(desk: Desk, decision: Decision) -> str:
    since = desk.parts.clock.now() - (decision.settled_at or decision.proposed_at)
    verb = "rejected" if decision.standing is Standing.REJECTED else "confirmed"
    return f"{_name(desk, decision.settled_by)} {verb} this proposal before you, {age(since)} ago."


def _moved(desk: Desk, upload_id: str) -> str:
    """Return the last thing that somebody did to an upload."""
    lines = [line for line in desk.parts.ledger.history(upload_id) if line.event in _MOVES]
    if not lines:
        return ""
    line = lines[-1]
    return f"{_who(desk, line)} {_MOVES[line.event]} {age(desk.parts.clock.now() - line.at)} ago."


def _who(desk: Desk, line: LogLine) -> str:
    kind, _, name = (line.actor or "").partition(":")
    if line.event is Event.DELETED:
        return "Its owner"
    return _name(desk, name) if kind == "reviewer" else "Somebody"


def _name(desk: Desk, reviewer_id: str | None) -> str:
    return names(desk).get(reviewer_id or "", reviewer_id or "Somebody")
