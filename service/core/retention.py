"""Retention: for how long what is in an account stays, by the account's plan, or its meeting's own.

Counted is from an upload's last move, or from the start of its meeting where that is later: nothing goes
before its meeting.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from service.core.account import Plan
from service.core.errors import BadRequest, ConfigurationError, RangeNotAllowed
from service.core.meeting import Meeting
from service.core.upload import RESTING, State, Upload

#: A hundred years: longer is a mistake, and no date.
MOST_DAYS: Final = 36_500
_LAST: Final = datetime.max.replace(tzinfo=UTC)
#: States in which an upload waits for its end. The others are on their way, or it is gone.
RETAINED: Final = RESTING - {State.ERASED}


@dataclass(frozen=True, slots=True)
class Periods:
    """What an account is promised. ``removed`` is how long it is held after it was removed; the others are
    how long an upload stays that is in the state of that name.
    """

    removed: timedelta
    released: timedelta
    held: timedelta
    blocked: timedelta
    refused: timedelta
    abandoned: timedelta

    def of(self, state: State) -> timedelta | None:
        """Return how long an upload stays in ``state``; ``None`` where it does not wait for its end."""
        found: timedelta | None = getattr(self, state.value) if state in RETAINED else None
        return found

    def published(self) -> dict[str, int]:
        """Return the periods in days, by their names."""
        return {one.name: getattr(self, one.name).days for one in fields(self)}


def read_periods(settings: object) -> Mapping[Plan, Periods]:
    """Return the periods of each plan that a policy file describes in days, in its table ``plans``.

    Raises ``ConfigurationError`` for a plan or a period that is missing, unknown or odd.
    """
    if not isinstance(settings, Mapping) or set(settings) != {plan.value for plan in Plan}:
        raise ConfigurationError(f"policy: [plans] must have {' and '.join(Plan)}, and nothing else")
    return MappingProxyType({plan: _periods(plan, settings[plan.value]) for plan in Plan})


def _periods(plan: Plan, settings: Any) -> Periods:  # noqa: ANN401 - parsed TOML
    names = [one.name for one in fields(Periods)]
    if not isinstance(settings, Mapping) or set(settings) != set(names):
        raise ConfigurationError(f"policy: [plans.{plan}] must have {', '.join(names)}, and nothing else")
    for name in names:
        days = settings[name]
        if not isinstance(days, int) or isinstance(days, bool) or not 0 < days <= MOST_DAYS:
            raise ConfigurationError(f"policy: [plans.{plan}] {name} must be days from 1 to {MOST_DAYS}")
    return Periods(**{name: timedelta(days=settings[name]) for name in names})


def shortened(untrusted_days: Mapping[str, int], periods: Periods) -> dict[str, int]:
    """Return for how many days a meeting's uploads are to stay, by the name of their state.

    Raises ``BadRequest`` for a state in which nothing waits for its end, and ``RangeNotAllowed`` for less
    than a day or more than the plan's ``periods`` give.
    """
    for name, days in untrusted_days.items():
        if name not in RETAINED:
            raise BadRequest(f"retention must name {', '.join(sorted(RETAINED))}, and nothing else.")
        most = getattr(periods, name).days
        if not 1 <= days <= most:
            raise RangeNotAllowed(f"retention: {name} must be days from 1 to {most}, which the plan gives.")
    return dict(untrusted_days)


@dataclass(frozen=True, slots=True)
class Term:
    """Until when an upload stays: ``days`` after ``since``. ``by_meeting`` tells whether they are its
    meeting's own, and not the plan's.
    """

    since: datetime
    days: int
    until: datetime
    by_meeting: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for the uploads of one meeting. ``meeting`` is ``None`` where nothing was said of it."""

    plan: Plan
    periods: Periods
    meeting: Meeting | None

    def of(self, upload: Upload) -> Term | None:
        """Return until when an upload of the meeting stays; ``None`` for one that is on its way or erased."""
        period = self.periods.of(upload.state)
        if period is None:
            return None
        since = upload.updated_at
        if self.meeting is not None and self.meeting.starts_at is not None:
            since = max(since, self.meeting.starts_at)
        said = self.meeting.retention.get(upload.state.value) if self.meeting is not None else None
        # A plan that was made shorter later counts.
        by_meeting = said is not None and said < period.days
        days = said if said is not None and by_meeting else period.days
        lasting = timedelta(days=days)
        until = since + lasting if since <= _LAST - lasting else _LAST
        return Term(since, days, until, by_meeting)
