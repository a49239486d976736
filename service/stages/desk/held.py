"""Held: the files that wait for people, the longest waiting first, and the proposals that wait for a second
person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from service.core.decision import Decision
from service.core.search import OLDEST_FIRST, Cursor, Filters, Record, Way
from service.core.upload import State
from service.stages.desk import Desk
from service.stages.desk.proceedings import names

#: Files on a page, and proposals above them.
_ROWS: Final = 50
_PROPOSALS: Final = 25


@dataclass(frozen=True, slots=True)
class Queue:
    """How it stood ``at`` that time.

    ``held`` are files that were begun first, each with the proposal about it if there is one; ``after`` is
    the id to go on after where there are more. ``waiting`` are the oldest proposals of all, with their files,
    those about blocked files too. ``names`` are the reviewers' by their ids.
    """

    at: datetime
    held: Sequence[tuple[Record, Decision | None]]
    after: str | None
    waiting: Sequence[tuple[Decision, Record]]
    names: Mapping[str, str]


def queue(desk: Desk, filters: Filters, after: str | None) -> Queue:
    """Return the held files that ``filters`` let through, whatever state they ask for.

    Raises ``LedgerUnavailable``.
    """
    at = desk.parts.clock.now()
    cursor = Cursor(Way.NEWER, after) if after else OLDEST_FIRST
    found = desk.archive.page(replace(filters, state=State.HELD), cursor, _ROWS + 1)[::-1]
    shown = found[:_ROWS]
    about = desk.parts.decisions.waiting(at, [record.id for record in shown], _ROWS)
    proposals = {decision.upload_id: decision for decision in about}
    return Queue(
        at=at,
        held=[(record, proposals.get(record.id)) for record in shown],
        after=shown[-1].id if len(found) > len(shown) else None,
        waiting=_waiting(desk, at),
        names=names(desk),
    )


def _waiting(desk: Desk, at: datetime) -> Sequence[tuple[Decision, Record]]:
    decisions = desk.parts.decisions.waiting(at, None, _PROPOSALS)
    return [
        (decision, record)
        for decision in decisions
        for record in desk.archive.page(Filters(upload_id=decision.upload_id), None, 1)
    ]
