from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from service.core.account import Plan
from service.core.errors import BadRequest, ConfigurationError, RangeNotAllowed
from service.core.meeting import Meeting
from service.core.policy import read_policy
from service.core.retention import RETAINED, Terms, shortened
from service.core.upload import TRANSITIONS, Event, State, Upload
from tests.core.shipped import POLICY, settings

NOON: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY: Final = timedelta(days=1)
UPLOAD: Final = Upload("up_1", "acme", "m1", "a.pdf", "", "", State.RELEASED, NOON - DAY, NOON)
PAID: Final = POLICY.periods[Plan.PAID]


def terms(meeting: Meeting | None = None) -> Terms:
    """Return what holds in a paid account as shipped: what is released stays for 365 days."""
    return Terms(Plan.PAID, PAID, meeting)


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


@pytest.mark.parametrize("state", State)
def test_each_state_has_an_end_or_none(state: State) -> None:
    """Whatever rests ends by the period of its state, and the table of moves lets it; what is on its way, or
    erased, has no end of its own.
    """
    term = terms().of(replace(UPLOAD, state=state))
    ends = (state, Event.RETENTION_ENDED) in TRANSITIONS
    assert (state in RETAINED) is ends
    assert (term is not None) is ends
    if term is not None:
        assert term.until == NOON + timedelta(days=PAID.published()[state.value])


def test_it_is_counted_from_the_last_move_or_the_meeting() -> None:
    """Whichever is later: nothing goes before its meeting."""
    for starts_at, since in ((None, NOON), (NOON - DAY, NOON), (NOON + 400 * DAY, NOON + 400 * DAY)):
        term = terms(Meeting("acme", "m1", starts_at)).of(UPLOAD)
        assert term
        assert (term.since, term.until, term.by_meeting) == (since, since + 365 * DAY, False)


def test_a_meeting_so_late_that_its_end_is_no_date_is_kept_to_the_last_one() -> None:
    """Nobody can make a date that cannot be reckoned."""
    term = terms(Meeting("acme", "m1", datetime(9999, 12, 31, tzinfo=UTC))).of(UPLOAD)
    assert term
    assert term.until.year == term.since.year


def test_a_meeting_may_have_less_but_never_more() -> None:
    """Also where the plan had more when it was said."""
    short = terms(Meeting("acme", "m1", retention={"released": 7})).of(UPLOAD)
    long = terms(Meeting("acme", "m1", retention={"released": 366})).of(UPLOAD)
    other = terms(Meeting("acme", "m1", retention={"held": 7})).of(UPLOAD)
    assert short
    assert long
    assert (short.days, short.by_meeting, short.until) == (7, True, NOON + 7 * DAY)
    assert (long.days, long.by_meeting) == (365, False)
    assert other == terms().of(UPLOAD)


def test_a_meetings_own_days_are_bounded_by_the_plan() -> None:
    """What may be said is from a day to what the plan gives, for states in which something waits."""
    most = {state.value: PAID.published()[state.value] for state in RETAINED}
    assert shortened(most, PAID) == most
    assert shortened(dict.fromkeys(most, 1), PAID) == dict.fromkeys(most, 1)
    for name, days in most.items():
        for odd in (0, -1, days + 1):
            with pytest.raises(RangeNotAllowed, match=name):
                shortened({name: odd}, PAID)
    for unknown in ("removed", "erased", "scanning", ""):
        with pytest.raises(BadRequest):
            shortened({unknown: 1}, PAID)
