"""How much memory and time an export takes: ``python -m benchmarks.console_export [postgresql=1000000]``.

Each export runs in a process of its own, a tenth of the uploads first and then all: a peak of memory that
is the same for both does not grow with what is exported.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from benchmarks.console_search import database
from benchmarks.made_uploads import NOW, YEAR, load
from service.adapters.database import open_engine
from service.adapters.sql_archive import SqlArchive
from service.core.search import Filters
from service.ports import Archive
from service.stages.desk.export import csv_export, json_export


def export(url: str, write: Callable[[Archive, Filters], Iterator[bytes]], filters: Filters) -> str:
    """Export to nowhere; return a row of the table."""
    engine = open_engine(url)
    begun, lines, size = time.perf_counter(), 0, 0
    for piece in write(SqlArchive(engine), filters):
        lines += piece.count(b"\n")
        size += len(piece)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"| {write.__name__} | {lines:,} | {size / 2**20:.0f} | {seconds:.0f} | {peak:.0f} |"


def measure(url: str) -> None:
    """Print the table for one database."""
    print("| export | lines | MiB | seconds | peak of memory, MiB |\n|---|---:|---:|---:|---:|")
    for write in (csv_export, json_export):
        for filters in (Filters(until=NOW - YEAR * 0.9), Filters()):
            with ProcessPoolExecutor(1, get_context("spawn")) as own:
                print(own.submit(export, url, write, filters).result(), flush=True)


def main() -> None:
    """Measure what was asked for."""
    asked = dict(argument.split("=") for argument in sys.argv[1:]) or {"postgresql": "1000000"}
    for kind, size in asked.items():
        with database(kind) as engine:
            load(engine, int(size))
            measure(engine.url.render_as_string(hide_password=False))


if __name__ == "__main__":
    main()
