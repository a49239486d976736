"""How long it takes to verify a log: ``python -m benchmarks.verify_log [1000000]``.

Makes an export of so many lines as the service writes them, under a signed checkpoint, and then runs the
command that an auditor runs, as a process of its own. Prints seconds by the clock and of processors, its
largest memory, and the same for a receipt.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from service.core.journal import Entry
from service.core.line import canonical
from service.core.tree import TileId, grow, inclusion
from service.core.upload import State
from service.verify.checkpoint import Checkpoint
from service.verify.merkle import Frontier, leaf_hash
from service.verify.receipt import Receipt
from stack.clamd import ROOT
from tests.verify.signed import KEY, sign

_LINES: Final = "1000000"
_NOON: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
_BATCH: Final = 4096


def lines(count: int) -> Iterator[str]:
    """Return lines like those of verdicts, which are the longest that there are many of."""
    for number in range(count):
        detail = {
            "sha256": f"{number:064x}",
            "kind": "clean",
            "code": "clean",
            "engine": "ClamAV 1.4.3",
            "signature_version": 27826,
            "signatures_made_at": "2026-11-22T08:00:00+00:00",
            "protection": "official",
            "policy": "ab" * 32,
            "duration": 0.1234,
        }
        entry = Entry(
            _NOON + timedelta(milliseconds=number),
            "found_clean",
            detail,
            None,
            f"up_{number:032x}",
            "acme",
            f"meeting-{number % 1000}",
            State.SCANNING,
            State.CLEARED,
        )
        yield canonical(entry, b"k" * 32)


def make(folder: Path, count: int) -> int:
    """Write an export, its checkpoint, a receipt and the key into ``folder``; return the export's bytes."""
    frontier, tiles, leaves = Frontier(), dict[TileId, bytes](), list[bytes]()

    def tile(level: int, number: int) -> bytes:
        return tiles.get((level, number), b"")

    middle = ""
    with (folder / "log.jsonl").open("wb") as export:
        for number, text in enumerate(lines(count)):
            leaf = leaf_hash(text.encode())
            frontier.append(leaf)
            leaves.append(leaf)
            middle = text if number == count // 2 else middle
            if len(leaves) == _BATCH or number == count - 1:
                tiles |= grow(frontier.size - len(leaves), leaves, tile)
                leaves.clear()
            export.write(text.encode() + b"\n")
        written = export.tell()
    note = sign(Checkpoint(KEY.name, frontier.size, frontier.root()))
    (folder / "kept.note").write_text(note)
    (folder / "log.key").write_text(str(KEY))
    proof = tuple(inclusion(count // 2, count, tile))
    receipt = Receipt(middle, count // 2, proof, note, KEY)
    (folder / "receipt.json").write_text(json.dumps(receipt.document()))
    return written


def run(folder: Path, *words: str) -> tuple[float, float, float, str]:
    """Run a command of verify; return seconds by the clock and of processors, MiB, and what it said."""
    command = [sys.executable, "-m", "service", "verify", *words, "--key", "log.key"]
    begun = time.monotonic()
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    ) as process:
        said = process.stdout.read() if process.stdout else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"verify ended with {process.returncode}")
    return time.monotonic() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said.strip()


def main(count: int) -> None:
    """Make a log of ``count`` lines, verify it and print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written = make(folder, count)
        print(f"{count} lines, {written / 1e6:.0f} MB")
        for words in (("log", "log.jsonl", "--checkpoint", "kept.note"), ("receipt", "receipt.json")):
            clock, processors, memory, said = run(folder, *words)
            print(f"verify {words[0]}: {clock:.2f} s, {processors:.2f} s of processors, {memory:.0f} MiB")
            print(f"  {said[:100]}")


if __name__ == "__main__":
    main(int(next(iter(sys.argv[1:]), _LINES)))
