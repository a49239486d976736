"""``ports.Clock``: the fake and the machine's own."""

from datetime import timedelta

import pytest

from service.adapters.clock import SystemClock
from service.ports import Clock
from tests.fakes.clock import FakeClock


@pytest.fixture(params=[FakeClock, SystemClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    """Each clock in turn."""
    made: Clock = request.param()
    return made


def test_now_is_utc(clock: Clock) -> None:
    """A time without a zone could mean anything."""
    assert clock.now().utcoffset() == timedelta(0)


def test_sleeping_moves_both_hands_by_at_least_that_long(clock: Clock) -> None:
    """Who sleeps a while finds that a while has passed."""
    now, monotonic = clock.now(), clock.monotonic()
    clock.sleep(0.02)
    assert clock.monotonic() - monotonic >= 0.019
    assert clock.now() - now >= timedelta(seconds=0.019)


def test_monotonic_never_runs_backwards(clock: Clock) -> None:
    """Not even when asked at once, or to sleep for no time."""
    seen = []
    for _ in range(100):
        seen.append(clock.monotonic())
        clock.sleep(0)
    assert seen == sorted(seen)
