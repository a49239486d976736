"""How long the console's searches take:
``python -m benchmarks.console_search [sqlite=100000] [postgresql=1000000]``.

Every key and mixes of them are searched for what is common, what is rare and what is not there, as pages of
50 from the newest on and from the middle of the found; then what the overview counts. Prints
milliseconds by the clock, and of processors, which is what the clock would say on an idle machine.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import product
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, text

from benchmarks.made_uploads import ACCOUNTS, NOW, SIGNATURES, YEAR, load
from service.adapters.database import open_engine
from service.adapters.sql_archive import SqlArchive
from service.core.search import OLDEST_FIRST, Cursor, Filters, Way, first_id
from service.core.upload import State
from service.core.verdict import Kind
from service.ports import Archive
from stack import postgres
from tests.contract.databases import migrate, sqlite_url

Times = tuple[float, float]

_PAGE: Final = 51
_TIMES: Final = 4
_SIZES: Final = {"sqlite": "100000", "postgresql": "1000000"}
WEEK: Final = timedelta(days=7)
WEEKS: Final = [NOW - YEAR * share for share in (0.02, 0.3, 0.9)]
#: One with very many uploads, one with some, one with few, one with none.
OWNERS: Final = (ACCOUNTS[0], ACCOUNTS[40], ACCOUNTS[499], "nobody")
NAMES: Final = (
    *("deck", "DECK AGENDA", "präsentation", "会議", "zebra", "zebra zebra", "payroll 17", "xq"),
    "nowhere to be",
)
NAMED: Final = ("eicar", "Trojan.Agent", "Heuristics", "no.such")


def of_one_key(archive: Archive) -> dict[str, list[Filters]]:
    """Return searches by one key each: for what is common, for what is rare, for what is not there."""
    known = archive.page(Filters(), Cursor(Way.OLDER, first_id(NOW - YEAR / 3)), 6)
    signatures = (*NAMED, SIGNATURES[0], SIGNATURES[1700])
    return {
        "nothing": [Filters()],
        "id": [Filters(upload_id=record.id) for record in known] + [Filters(upload_id="up_" + "0" * 32)],
        "sha256": [Filters(sha256=f"{digest:064x}") for digest in (7, 8, 999, 1 << 199)],
        "name": [Filters(name=name) for name in NAMES],
        "account": [Filters(account_id=account) for account in OWNERS],
        "meeting": [
            Filters(meeting_id=name) for name in ("weekly", f"{OWNERS[0]}-3", f"{OWNERS[2]}-1", "none")
        ],
        "signature": [Filters(signature=name) for name in signatures],
        "verdict": [Filters(kind=kind) for kind in Kind],
        "state": [Filters(state=state) for state in State],
        "time": [Filters(since=at, until=at + WEEK) for at in WEEKS],
    }


def mixed() -> dict[str, list[Filters]]:
    """Return searches by several keys, some of which go together more or less often than chance has it."""
    names, states = ("deck", "zebra", "payroll 17"), (State.RELEASED, State.HELD, State.ERASED)
    ruled = ((Kind.CLEAN, State.RELEASED), (Kind.CLEAN, State.HELD), (Kind.UNSCANNABLE, State.HELD))
    both = {"kind": Kind.CLEAN, "state": State.RELEASED}
    return {
        "account, name": [
            Filters(account_id=account, name=name) for account, name in product(OWNERS, (*names, "nowhere"))
        ],
        "name, state": [Filters(name=name, state=state) for name, state in product(names, states)],
        "name, time": [Filters(name=name, since=at, until=at + WEEK) for name, at in product(NAMES, WEEKS)],
        "account, verdict, state": [
            Filters(account_id=account, kind=kind, state=state)
            for account, (kind, state) in product(OWNERS[:3], ruled)
        ],
        "account, meeting of another": [Filters(account_id=OWNERS[0], meeting_id=f"{OWNERS[2]}-1")],
        "signature, time": [
            Filters(signature=name, since=at, until=at + WEEK) for name, at in product(NAMED, WEEKS)
        ],
        "verdict, signature, name": [
            Filters(kind=Kind.INFECTED, signature=signature, name=name)
            for signature, name in product(NAMED, names)
        ],
        "all but id": [
            Filters(sha256=f"{digest:064x}", name="deck", account_id=OWNERS[0], since=WEEKS[2], **both)  # type: ignore[arg-type]
            for digest in (7, 8)
        ],
    }


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Takes the time of calls, and what of it processors worked: this process's and its database's."""

    backend: Path | None

    def times(self, call: Callable[[], object]) -> list[Times]:
        """Return the milliseconds of several calls, by the clock and of processors."""
        return [self._timed(call) for _ in range(_TIMES)]

    def _timed(self, call: Callable[[], object]) -> Times:
        begun, worked = time.perf_counter(), self._worked()
        call()
        return (time.perf_counter() - begun) * 1000, (self._worked() - worked) * 1000

    def _worked(self) -> float:
        # Linux tells how many nanoseconds a process has run (Documentation/scheduler/sched-stats).
        there = int(self.backend.read_text().split()[0]) / 1e9 if self.backend else 0.0
        return time.process_time() + there


def stopwatch(engine: Engine) -> Stopwatch:
    """Return a stopwatch for ``engine``, which is used by one thread alone and so has one connection."""
    if engine.dialect.name != "postgresql":
        return Stopwatch(None)
    with engine.connect() as connection:
        return Stopwatch(Path(f"/proc/{connection.scalar(text('SELECT pg_backend_pid()'))}/schedstat"))


def table(title: str, rows: dict[str, list[Times]]) -> str:
    """Return a Markdown table of the quantiles of ``rows``."""
    lines = [
        f"| {title} | calls | p50 | p95 | longest | p95 of processors |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, times in rows.items():
        clock = statistics.quantiles((one for one, _ in times), n=20, method="inclusive")
        worked = statistics.quantiles((one for _, one in times), n=20, method="inclusive")
        figures = (clock[9], clock[18], max(one for one, _ in times), worked[18])
        lines.append(f"| {name} | {len(times)} | " + " | ".join(f"{one:.0f}" for one in figures) + " |")
    return "\n".join(lines)


def measure(engine: Engine, number: int) -> None:
    """Print the tables for one database."""
    archive, watch = SqlArchive(engine), stopwatch(engine)
    starts = (None, Cursor(Way.OLDER, first_id(NOW - YEAR / 2)), OLDEST_FIRST)
    rows: dict[str, list[Times]] = {}
    hardest: list[tuple[float, str]] = []
    for name, wanted in (of_one_key(archive) | mixed()).items():
        rows[name] = []
        for filters, cursor in product(wanted, starts):
            times = watch.times(partial(archive.page, filters, cursor, _PAGE))
            rows[name] += times
            way = cursor.way if cursor else "newest"
            worked = statistics.median(one for _, one in times)
            hardest.append((worked, f"{filters.parameters()} {way}"))
    rows["all of them"] = [one for times in rows.values() for one in times]
    print(table(f"{engine.dialect.name}, {number:,} uploads", rows), flush=True)
    for median, search in sorted(hardest, reverse=True)[:10]:
        print(f"hardest: {median:.0f} ms of processors (median) for {search}")
    print(table("counted for the overview", counted(archive, watch)))


def counted(archive: Archive, watch: Stopwatch) -> dict[str, list[Times]]:
    """Return how long it takes to count what the overview shows."""
    hours = [NOW - timedelta(hours=hour) for hour in range(24, -1, -1)]
    days = [NOW - timedelta(days=day) for day in range(30, -1, -1)]
    calls: dict[str, Callable[[], object]] = {
        "uploads and verdicts of 24 hours": lambda: archive.activity(hours),
        "uploads and verdicts of 30 days": lambda: archive.activity(days),
        "held and waiting": lambda: archive.standings([State.HELD, State.QUARANTINED, State.SCANNING]),
        "ages of the held": lambda: archive.moved_before(State.HELD, days[-8:]),
    }
    return {name: watch.times(call) for name, call in calls.items()}


@contextmanager
def database(kind: str) -> Iterator[Engine]:
    """Lend a fresh migrated database."""
    with tempfile.TemporaryDirectory() as folder:
        server = postgres.start(None) if kind == "postgresql" else None
        try:
            url = server.fresh_database() if server else sqlite_url(Path(folder) / "ledger.db")
            migrate(url)
            engine = open_engine(url)
            yield engine
            engine.dispose()
        finally:
            if server:
                server.stop()


def main() -> None:
    """Measure what was asked for."""
    asked = dict(argument.split("=") for argument in sys.argv[1:]) or _SIZES
    for kind, size in asked.items():
        with database(kind) as engine:
            begun = time.perf_counter()
            load(engine, int(size))
            print(f"loaded in {time.perf_counter() - begun:.0f} s", flush=True)
            measure(engine, int(size))


if __name__ == "__main__":
    main()
