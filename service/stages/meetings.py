"""Meetings: what a backend says of one before or after files come for it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from service.core.caller import Caller
from service.core.errors import Conflict, Forbidden, NotFound
from service.core.journal import Act, Entry
from service.core.meeting import Meeting, start
from service.core.naming import identifier
from service.core.retention import shortened
from service.stages import accounts
from service.stages.parts import Parts


def own_meeting(parts: Parts, caller: Caller, untrusted_meeting: str) -> Meeting:
    """Return what was said of a meeting. Raises ``NotFound`` if nothing was, ``Forbidden`` for a grant."""
    _check_backend(caller)
    meeting = parts.meetings.find(caller.account_id, identifier(untrusted_meeting, "meeting"))
    if meeting is None:
        raise NotFound("Nothing was said of such a meeting.")
    return meeting


def set_meeting(
    parts: Parts,
    caller: Caller,
    untrusted_meeting: str,
    untrusted_start: datetime | None,
    untrusted_days: Mapping[str, int],
) -> Meeting:
    """Take the caller's word for when its meeting starts, ``None`` for no word, and for how many days the
    files of a state stay where that is less than the plan gives; return the meeting.

    Of two that speak at once the second's word counts. Raises ``Forbidden`` for a grant, ``BadRequest``,
    ``RangeNotAllowed``, ``LedgerUnavailable``.
    """
    _check_backend(caller)
    meeting_id, starts_at = identifier(untrusted_meeting, "meeting"), start(untrusted_start)
    plan = accounts.find(parts, caller.account_id).plan
    retention = shortened(untrusted_days, parts.policy.periods[plan])
    detail: dict[str, str | int | None] = {"starts_at": starts_at.isoformat() if starts_at else None}
    detail |= {f"{state}_days": days for state, days in retention.items()}
    while True:
        known = parts.meetings.find(caller.account_id, meeting_id) or Meeting(caller.account_id, meeting_id)
        line = Entry(
            parts.clock.now(),
            Act.MEETING_CHANGED.value,
            detail,
            caller.actor,
            account_id=caller.account_id,
            meeting_id=meeting_id,
        )
        try:
            return parts.meetings.save(replace(known, starts_at=starts_at, retention=retention), line)
        except Conflict:
            # Another was first: its word is there, and ours comes after it.
            continue


def _check_backend(caller: Caller) -> None:
    if caller.grant is not None:
        raise Forbidden(
            "A grant is for the files of a meeting; only an API key speaks of the meeting itself."
        )
