"""``ports.RateLimiter``: the same laws for the fake, memory, SQLite and PostgreSQL."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest
from sqlalchemy import Engine, func, select

from service.adapters.database import Database, open_engine
from service.adapters.memory_limiter import MemoryLimiter
from service.adapters.schema_answers import creations
from service.adapters.sql_limiter import SqlLimiter
from service.core.errors import LedgerUnavailable
from service.ports import RateLimiter
from tests.contract.databases import empty
from tests.contract.test_ledger_races import at_once, useless
from tests.fakes.clock import FakeClock
from tests.fakes.limiter import FakeLimiter

__all__ = ["useless"]  # a fixture

LIMIT: Final = 10
THREADS: Final = 50


@dataclass
class Case:
    """A limiter of ``LIMIT`` in ``window`` seconds, and a way to let some seconds pass."""

    limiter: RateLimiter
    window: int
    wait: Callable[[float], None]
    engine: Engine | None = None


def wait(seconds: float) -> None:
    """Let real time pass, by the clock that the library goes by."""
    until = time.time() + seconds
    while (left := until - time.time()) > 0:
        time.sleep(left)


@pytest.fixture(params=["fake", "memory", "sqlite", "postgresql"])
def case(request: pytest.FixtureRequest) -> Case:
    """Each limiter in turn, fresh."""
    clock = FakeClock()
    if request.param == "fake":
        return Case(FakeLimiter(clock, LIMIT, 60), 60, clock.advance)
    if request.param == "memory":
        # The library goes by real time, so the window is no longer than the tests can wait for.
        return Case(MemoryLimiter(LIMIT, 2), 2, wait)
    engine: Engine = request.getfixturevalue(f"{request.param.removesuffix('ql')}_engine")
    empty(engine)
    return Case(SqlLimiter(engine, clock, LIMIT, 60), 60, clock.advance, engine)


def test_the_limit_is_granted_and_no_more(case: Case) -> None:
    """Each one granted leaves one fewer; the one too many is refused, however often it is tried."""
    granted = [case.limiter.hit("acme", "key") for _ in range(LIMIT)]
    assert [one.granted for one in granted] == [True] * LIMIT
    assert [one.remaining for one in granted] == [*range(LIMIT - 1, -1, -1)]
    for one in (case.limiter.hit("acme", "key") for _ in range(3)):
        assert (one.granted, one.remaining) == (False, 0)
        assert (one.limit, one.window) == (LIMIT, case.window)
        assert 0 <= one.reset <= case.window


def test_each_name_of_each_account_counts_for_itself(case: Case) -> None:
    """What one has used up is no concern of another, be it a namesake in another account."""
    while case.limiter.hit("acme", "key").granted:
        pass
    for account, name in (("acme", "other"), ("other", "key"), ("acme", "key2")):
        assert case.limiter.hit(account, name).remaining == LIMIT - 1


def test_the_window_moves(case: Case) -> None:
    """Each one counts for one window from its own time, so at no moment do more than the limit lie in the
    window before; what was refused never counts.
    """
    half = LIMIT // 2
    for _ in range(half):
        assert case.limiter.hit("acme", "key").granted
    case.wait(case.window * 0.6)
    for _ in range(LIMIT - half):
        assert case.limiter.hit("acme", "key").granted
    refused = case.limiter.hit("acme", "key")
    assert not refused.granted
    assert refused.reset <= case.window * 0.4 + 0.01
    case.wait(refused.reset)
    again = [case.limiter.hit("acme", "key").granted for _ in range(half + 1)]
    assert again == [True] * half + [False]


def test_many_at_once_never_get_more_than_the_limit(case: Case) -> None:
    """Of 50 threads that ask together, as many are granted as the limit says."""

    def ask(_number: int) -> bool:
        return case.limiter.hit("acme", "key").granted

    granted = at_once(THREADS, ask)
    assert sum(granted) == LIMIT


def test_processes_that_count_in_the_ledger_count_together(
    sqlite_engine: Engine, postgres_engine: Engine
) -> None:
    """Two limiters with connections of their own grant the limit between them, asked by 50 threads."""
    for engine in (sqlite_engine, postgres_engine):
        empty(engine)
        other = open_engine(engine.url.render_as_string(hide_password=False))
        clock = FakeClock()
        limiters = [SqlLimiter(one, clock, LIMIT, 60) for one in (engine, other)]

        def ask(number: int) -> bool:
            return limiters[number % 2].hit("acme", "key").granted  # noqa: B023 - run within the round

        granted = at_once(THREADS, ask)
        other.dispose()
        assert sum(granted) == LIMIT


def test_what_counts_no_more_is_forgotten(case: Case) -> None:
    """A purge keeps what counts, and leaves nothing of names that came once and never again."""
    for number in range(5):
        case.limiter.hit("acme", f"gone{number}")
    case.wait(case.window * 0.6)
    case.limiter.hit("acme", "key")
    case.wait(case.window * 0.6)
    case.limiter.purge()
    assert case.limiter.hit("acme", "key").remaining == LIMIT - 2
    if case.engine is not None:
        with Database(case.engine).reading() as connection:
            assert connection.scalar(select(func.count()).select_from(creations)) == 2


def test_memory_forgets_idle_names_by_itself() -> None:
    """Grants come and go by the thousand: a name whose hits count no more leaves nothing behind."""
    limiter = MemoryLimiter(LIMIT, 1)
    for number in range(100):
        limiter.hit("acme", f"grant{number}")
    deadline = time.monotonic() + 30
    while len(limiter._storage.events) > 1 and time.monotonic() < deadline:
        limiter.hit("acme", "key")
        time.sleep(0.05)
    assert len(limiter._storage.events) == 1


def test_a_limiter_whose_database_is_away_grants_nothing(useless: Engine) -> None:
    """It raises ``LedgerUnavailable``: who cannot be counted is not let in."""
    limiter = SqlLimiter(useless, FakeClock(), LIMIT, 60)
    for call in (lambda: limiter.hit("acme", "key"), limiter.purge):
        with pytest.raises(LedgerUnavailable):
            call()
