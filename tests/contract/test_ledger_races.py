"""Two at once, in threads and in processes, and a database that is away or not prepared."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine

from service.adapters.database import open_engine
from service.adapters.sql_credentials import SqlCredentials
from service.adapters.sql_ledger import SqlLedger
from service.core.errors import Conflict, LedgerUnavailable
from service.core.upload import Event, State
from service.ports import Credentials, Ledger
from stack.ports import LOOPBACK, free_port
from tests.contract.conftest import LINE, NOON, LedgerCase, make_key, make_upload
from tests.contract.databases import migrate, sqlite_url
from tests.contract.racer import count_up

ROOT: Final = Path(__file__).parents[2]
TIMES: Final = 25


def at_once(jobs: int, job: Callable[[int], bool]) -> list[bool]:
    """Run ``job`` in that many threads that start together; return what each returned."""
    barrier = threading.Barrier(jobs)

    def run(number: int) -> bool:
        barrier.wait(10)
        return job(number)

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(run, range(jobs)))


def test_no_update_is_lost_between_two_threads(ledger_case: LedgerCase) -> None:
    """Two threads that count in one row by compare-and-swap count every step once."""
    upload = ledger_case.ledger.save(make_upload(1))

    def count(_number: int) -> bool:
        return count_up(ledger_case.ledger, upload.id, TIMES) >= 0

    assert at_once(2, count) == [True, True]
    row = ledger_case.ledger.find(upload.id)
    assert row
    assert (row.attempts, row.version) == (2 * TIMES, 2 * TIMES + 1)


def test_no_update_is_lost_between_two_processes(sql_case: LedgerCase) -> None:
    """The same between processes, started together."""
    assert sql_case.engine
    upload = sql_case.ledger.save(make_upload(1))
    url = sql_case.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.contract.racer", url, upload.id, str(TIMES)]
    racers = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    for racer in racers:
        racer.communicate(timeout=60)
        assert racer.returncode == 0
    row = sql_case.ledger.find(upload.id)
    assert row
    assert (row.attempts, row.version) == (2 * TIMES, 2 * TIMES + 1)


def test_of_two_who_move_at_once_one_wins_and_one_line_is_written(ledger_case: LedgerCase) -> None:
    """The loser's move is nowhere: not in the row, not in the log, not in the queue."""
    ledger = ledger_case.ledger
    for number in range(10):
        upload = ledger.save(make_upload(number))

        def move(choice: int) -> bool:
            event = (Event.GAVE_UP, Event.REFUSED)[choice]
            try:
                ledger.save(upload.moved(event, NOON), wake=True)  # noqa: B023 - run within the round
            except Conflict:
                return False
            return True

        won = at_once(2, move)
        assert sorted(won) == [False, True]
        (line,) = ledger.history(upload.id)
        assert line.event is (Event.GAVE_UP, Event.REFUSED)[won.index(True)]
        assert len(ledger_case.jobs) == number + 1


def test_of_two_who_insert_at_once_one_wins(ledger_case: LedgerCase) -> None:
    """The same id is inserted once."""

    def insert(choice: int) -> bool:
        try:
            ledger_case.ledger.save(make_upload(1, name=str(choice)))
        except Conflict:
            return False
        return True

    won = at_once(2, insert)
    assert sorted(won) == [False, True]
    row = ledger_case.ledger.find(make_upload(1).id)
    assert row
    assert row.name == str(won.index(True))


def test_a_migration_may_run_twice(sqlite_engine: Engine, postgres_engine: Engine) -> None:
    """Bringing up to date what is up to date changes nothing."""
    for engine in (sqlite_engine, postgres_engine):
        migrate(engine.url.render_as_string(hide_password=False))


@pytest.fixture(params=["sqlite: no such folder", "postgresql: nobody listens", "sqlite: no tables"])
def useless(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database that is away or was never prepared."""
    url = {
        "sqlite: no such folder": sqlite_url(tmp_path / "nowhere" / "ledger.db"),
        "postgresql: nobody listens": f"postgresql+psycopg://nobody@{LOOPBACK}:{free_port()}/none",
        "sqlite: no tables": sqlite_url(tmp_path / "empty.db"),
    }[request.param]
    engine = open_engine(url)
    yield engine
    engine.dispose()


CALLS: Final[dict[str, Callable[[Ledger], object]]] = {
    "ping": lambda ledger: ledger.ping(),
    "save": lambda ledger: ledger.save(make_upload(1)),
    "renew": lambda ledger: ledger.renew(make_upload(1, version=1), NOON),
    "find": lambda ledger: ledger.find("up_1"),
    "history": lambda ledger: ledger.history("up_1"),
    "page": lambda ledger: ledger.page("acme", "m1", None, 1),
    "unattended": lambda ledger: ledger.unattended(NOON, [State.RECEIVING], 1),
    "with_leftovers": lambda ledger: ledger.with_leftovers(NOON, 1),
    "returned": lambda ledger: ledger.returned(make_upload(1, version=1)),
    "downloaded": lambda ledger: ledger.downloaded(LINE),
    "swept": lambda ledger: ledger.swept([make_upload(1, version=1)], NOON),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_ledger_that_is_away_says_so(useless: Engine, call: str) -> None:
    """Every call raises ``LedgerUnavailable`` and nothing else."""
    ledger = SqlLedger(useless, lambda *_: None, lambda *_: None)
    with pytest.raises(LedgerUnavailable):
        CALLS[call](ledger)


KEY_CALLS: Final[dict[str, Callable[[Credentials], object]]] = {
    "add_key": lambda credentials: credentials.add_key(make_key(1), NOON, 2, LINE),
    "key": lambda credentials: credentials.key("gr_1"),
    "keys": lambda credentials: credentials.keys(),
    "revoke_key": lambda credentials: credentials.revoke_key("gr_1", NOON, LINE),
}


@pytest.mark.parametrize("call", KEY_CALLS)
def test_credentials_that_are_away_say_so(useless: Engine, call: str) -> None:
    """Every call raises ``LedgerUnavailable`` and nothing else."""
    with pytest.raises(LedgerUnavailable):
        KEY_CALLS[call](SqlCredentials(useless))
