from datetime import timedelta
from typing import Any

import pytest

from service.core.account import Plan
from service.core.errors import ConfigurationError
from service.core.policy import read_policy
from tests.core.shipped import POLICY, settings


def test_the_shipped_periods_are_those_that_were_promised() -> None:
    """A removed account is held for 60 days (trial) or 90 (paid), and that is published."""
    assert POLICY.periods[Plan.TRIAL].removed == timedelta(days=60)
    assert POLICY.periods[Plan.PAID].removed == timedelta(days=90)
    published = POLICY.published()["plans"]
    assert {plan: periods["removed"] for plan, periods in published.items()} == {"trial": 60, "paid": 90}


def test_the_periods_are_part_of_the_digest() -> None:
    """Whoever changes a promise makes another policy."""
    changed = settings()
    changed["plans"]["trial"]["removed"] += 1
    assert read_policy(changed).digest != POLICY.digest


@pytest.mark.parametrize("plans", [None, [], {}, {"trial": {}}, {"gold": {}}], ids=repr)
def test_every_plan_has_its_periods(plans: Any) -> None:
    """A plan that is missing or unknown is named: nothing has a silent default."""
    with pytest.raises(ConfigurationError, match=r"\[plans"):
        read_policy(settings() | {"plans": plans})


@pytest.mark.parametrize("name", list(settings()["plans"]["trial"]))
@pytest.mark.parametrize("days", [0, -1, 1.5, "60", True, None, 36_501, {}], ids=repr)
def test_an_odd_period_is_named(name: str, days: Any) -> None:
    """Periods are whole days, at least one and at most a hundred years."""
    changed = settings()
    changed["plans"]["paid"][name] = days
    with pytest.raises(ConfigurationError, match=rf"\[plans.paid\] {name}"):
        read_policy(changed)
    del changed["plans"]["paid"][name]
    with pytest.raises(ConfigurationError, match=r"\[plans.paid\]"):
        read_policy(changed)


def test_an_unknown_period_is_named() -> None:
    """A misspelt one is an error, not a default."""
    changed = settings()
    changed["plans"]["paid"]["removd"] = 90
    with pytest.raises(ConfigurationError, match=r"\[plans.paid\]"):
        read_policy(changed)
