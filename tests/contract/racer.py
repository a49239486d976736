"""One of several processes that count up in the same row: ``python -m tests.contract.racer URL ID TIMES``."""

import sys
from dataclasses import replace

from service.adapters.database import open_engine
from service.adapters.sql_ledger import SqlLedger
from service.core.errors import Conflict
from service.ports import Ledger


def count_up(ledger: Ledger, upload_id: str, times: int) -> int:
    """Add one to ``attempts`` that many times, by compare-and-swap; return how often another was first."""
    conflicts = done = 0
    while done < times:
        upload = ledger.find(upload_id)
        assert upload
        try:
            ledger.save(replace(upload, attempts=upload.attempts + 1))
        except Conflict:
            conflicts += 1
        else:
            done += 1
    return conflicts


def main() -> None:
    """Say that we are ready, wait for the start, count, tell the conflicts."""
    url, upload_id, times = sys.argv[1:]
    engine = open_engine(url)
    ledger = SqlLedger(engine, lambda *_: None, lambda *_: None)
    ledger.ping()
    print("ready", flush=True)  # noqa: T201 - how the test is told
    sys.stdin.readline()
    print(count_up(ledger, upload_id, int(times)), flush=True)  # noqa: T201
    engine.dispose()


if __name__ == "__main__":
    main()
