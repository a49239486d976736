"""Retention: erase what has stayed for as long as was promised, and say until when the rest stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service.core.account import Plan
from service.core.errors import AccountRemoved, Busy, UnderHold
from service.core.hold import Hold
from service.core.retention import Term, Terms
from service.core.upload import Event, Upload
from service.stages import accounts
from service.stages.parts import Parts
from service.stages.sweep import erase

#: How many uploads are looked at in one step.
BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Ended:
    """An upload whose time is over, and why; under any of ``holds`` it stays all the same."""

    upload: Upload
    plan: Plan
    term: Term
    holds: Sequence[Hold]


def terms(parts: Parts, account_id: str, meeting_id: str) -> Terms:
    """Return what holds for a meeting's uploads. Raises ``NotFound`` for an account that is not there."""
    plan = accounts.find(parts, account_id).plan
    return Terms(plan, parts.policy.periods[plan], parts.meetings.find(account_id, meeting_id))


def retained_until(parts: Parts, upload: Upload) -> datetime | None:
    """Return when an upload's time is over, if nothing happens to it; ``None`` on its way and once erased."""
    term = terms(parts, upload.account_id, upload.meeting_id).of(upload)
    return term.until if term else None


def ended(parts: Parts, at: datetime, after: str) -> tuple[Sequence[Ended], str | None]:
    """Return the uploads whose time is over ``at`` then, a batch of those whose ids come after ``after``, and
    where the next batch begins if there is one. Raises ``LedgerUnavailable``.
    """
    ids = parts.ledger.at_rest(parts.policy.periods, at, after, BATCH)
    found = [_ended(parts, upload_id, at) for upload_id in ids]
    return [one for one in found if one is not None], ids[-1] if len(ids) == BATCH else None


def _ended(parts: Parts, upload_id: str, at: datetime) -> Ended | None:
    upload = parts.ledger.find(upload_id)
    if upload is None:
        return None
    its = terms(parts, upload.account_id, upload.meeting_id)
    term = its.of(upload)
    if term is None or term.until > at:
        return None
    holds = parts.holds.covering(upload.account_id, upload.meeting_id, upload.id)
    return Ended(upload, its.plan, term, holds)


def end(parts: Parts, one: Ended) -> bool:
    """Erase an upload whose time is over; tell whether it is. One that must stay, or that somebody is at work
    on, stays for now. Raises ``LedgerUnavailable``; a store that is away is gone back to by the sweep.
    """
    # What a backend said of its meeting since then counts, and what became of the upload.
    now = _ended(parts, one.upload.id, parts.clock.now())
    if now is None or now.holds:
        return False
    try:
        erase(parts, now.upload, Event.RETENTION_ENDED)
    except (Busy, UnderHold, AccountRemoved):
        return False
    return True


def work(parts: Parts, after: str) -> str | None:
    """Erase what is over in one batch; return where the next one begins, ``None`` after the last.

    May be ended at any place, and several may do the same. Raises ``LedgerUnavailable``.
    """
    found, following = ended(parts, parts.clock.now(), after)
    for one in found:
        end(parts, one)
    return following
