"""Retention: for how long what is in an account stays, by the account's plan."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from service.core.account import Plan
from service.core.errors import ConfigurationError

#: A hundred years: longer is a mistake, and no date.
_MOST_DAYS: Final = 36_500


@dataclass(frozen=True, slots=True)
class Periods:
    """What an account is promised. ``removed`` is how long it is held after it was removed."""

    removed: timedelta

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
        if not isinstance(days, int) or isinstance(days, bool) or not 0 < days <= _MOST_DAYS:
            raise ConfigurationError(f"policy: [plans.{plan}] {name} must be days from 1 to {_MOST_DAYS}")
    return Periods(**{name: timedelta(days=settings[name]) for name in names})
