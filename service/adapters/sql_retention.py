"""The query for uploads whose time may be over. The days that meetings have of their own are not in it: their
uploads are found whenever one day has gone by, and whoever asked reckons.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, and_, or_, select

from service.adapters.schema import accounts, meetings, uploads
from service.core.account import Plan
from service.core.retention import RETAINED, Periods

_SHORTEST: Final = timedelta(days=1)


def at_rest(periods: Mapping[Plan, Periods], at: datetime, after: str) -> Select[tuple[str]]:
    """Return the query, see ``ports.Ledger.at_rest``."""
    over = [
        and_(
            accounts.c.plan == plan.value, uploads.c.state == state.value, uploads.c.updated_at <= at - period
        )
        for plan, of_plan in periods.items()
        for state in sorted(RETAINED)
        if (period := of_plan.of(state)) is not None
    ]
    spoken_of = and_(
        meetings.c.version.is_not(None),
        uploads.c.state.in_([state.value for state in sorted(RETAINED)]),
        uploads.c.updated_at <= at - _SHORTEST,
    )
    same_meeting = (meetings.c.account_id == uploads.c.account_id) & (meetings.c.id == uploads.c.meeting_id)
    query = select(uploads.c.id).join(accounts, accounts.c.id == uploads.c.account_id)
    query = query.join(meetings, same_meeting, isouter=True)
    return query.where(
        uploads.c.id > after,
        accounts.c.removed_at.is_(None),
        or_(meetings.c.starts_at.is_(None), meetings.c.starts_at <= at - _SHORTEST),
        or_(spoken_of, *over),
    ).order_by(uploads.c.id)
