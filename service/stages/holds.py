"""Holds: placed and lifted by whoever runs the service, for a reason that is written down.

What is under hold is kept to by the ledger (see ``ports.Ledger.save``); nothing here deletes or keeps.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.core.decision import written_reason
from service.core.errors import BadRequest, NotFound
from service.core.hold import Hold
from service.core.journal import Act, Entry
from service.core.naming import UPLOAD_ID, identifier
from service.core.webhook import ordered_id
from service.stages.parts import Parts

MOST_PER_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """A hold as somebody asks for it: on an account, or on one meeting or one upload in it."""

    untrusted_account: str
    untrusted_reason: str
    untrusted_meeting: str | None = None
    untrusted_upload: str | None = None


def place(parts: Parts, wanted: Wanted, actor: str) -> Hold:
    """Place a hold and return it: from now on nothing it covers is erased.

    Raises ``BadRequest`` for odd names or an odd reason, ``NotFound`` for an account or upload that is not
    there, ``Gone`` and ``AccountRemoved`` for what was erased, ``LedgerUnavailable``.
    """
    reason = written_reason(wanted.untrusted_reason)
    account_id = identifier(wanted.untrusted_account, "account")
    meeting_id, upload_id = _place_of(parts, wanted)
    now = parts.clock.now()
    hold = Hold(
        id=ordered_id("hd", now, secrets.token_hex(10)),
        account_id=account_id,
        reason=reason,
        placed_by=actor,
        placed_at=now,
        meeting_id=meeting_id,
        upload_id=upload_id,
    )
    parts.holds.place(hold, _line(parts, hold, Act.HOLD_PLACED, actor))
    return hold


def _place_of(parts: Parts, wanted: Wanted) -> tuple[str | None, str | None]:
    """Return the meeting and the upload that are to be held, where one is named."""
    if wanted.untrusted_upload is None:
        named = wanted.untrusted_meeting
        return None if named is None else identifier(named, "meeting"), None
    if wanted.untrusted_meeting is not None:
        raise BadRequest("Name a meeting or an upload, not both.")
    known = UPLOAD_ID.fullmatch(wanted.untrusted_upload)
    upload = parts.ledger.find(wanted.untrusted_upload) if known else None
    if upload is None or upload.account_id != wanted.untrusted_account:
        raise NotFound("There is no such upload in that account.")
    return upload.meeting_id, upload.id


def lift(parts: Parts, hold_id: str, actor: str) -> Hold:
    """Lift a hold and return it: what is due to be erased goes on. One that is lifted stays as it is.

    Raises ``NotFound`` and ``LedgerUnavailable``.
    """
    hold = find(parts, hold_id)
    line = _line(parts, hold, Act.HOLD_LIFTED, actor)
    parts.holds.lift(hold_id, actor, line.at, line)
    return find(parts, hold_id)


def find(parts: Parts, hold_id: str) -> Hold:
    """Return a hold, live or lifted. Raises ``NotFound``."""
    hold = parts.holds.find(hold_id)
    if hold is None:
        raise NotFound("There is no such hold.")
    return hold


def page(
    parts: Parts, before: str | None, limit: int, account_id: str | None = None
) -> tuple[Sequence[Hold], str | None]:
    """Return holds, newest first, and where the next page begins if there is one."""
    found = parts.holds.page(before, limit + 1, account_id)
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def _line(parts: Parts, hold: Hold, act: Act, actor: str) -> Entry:
    now = parts.clock.now()
    return Entry(now, act, hold.detail(), actor, hold.upload_id, hold.account_id, hold.meeting_id)
