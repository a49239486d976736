"""Two workers keep one log, and one of them is killed: the tree goes on as if nothing had been."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from service.stages.log.checkpoint import sign_when_due
from service.stages.log.keys import public_key
from service.stages.log.place import place
from service.stages.parts import Parts
from service.verify.lines import check_lines
from service.verify.signature import check_checkpoint
from tests.contract.conftest import LedgerCase
from tests.contract.sequencer import Hasty, keeper

ROOT: Final = Path(__file__).parents[2]
ROUNDS: Final = 15


def start(url: str) -> "subprocess.Popen[str]":
    """Start a process that keeps the log."""
    command = [sys.executable, "-m", "tests.contract.sequencer", url]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def work(keeping: "subprocess.Popen[str]", rounds: int) -> None:
    """Wait until a process has done that many more rounds."""
    assert keeping.stdout
    for _ in range(rounds):
        assert keeping.stdout.readline(), "the process ended"


def end(keeping: "subprocess.Popen[str]") -> None:
    """Kill a process wherever it is."""
    keeping.kill()
    keeping.communicate(timeout=10)


def check(parts: Parts) -> int:
    """Check the whole log as an auditor does, against every checkpoint; return its length."""
    key = public_key(parts)
    checkpoints = [check_checkpoint(one.note, key) for one in parts.checkpoints.after(0, 10_000)]
    lines = parts.journal.lines(0, 100_000)
    assert [line.position for line in lines] == list(range(parts.journal.size()))
    assert check_lines((line.text.encode() + b"\n" for line in lines), checkpoints) == len(lines)
    assert checkpoints[-1].size == len(lines)
    return len(lines)


def test_two_workers_keep_one_log_and_either_may_be_killed(sql_case: LedgerCase) -> None:
    """Every line has one place, every checkpoint is of one log, and nothing waits for the dead."""
    assert sql_case.engine
    url = sql_case.engine.url.render_as_string(hide_password=False)
    lasting = start(url)
    for _ in range(2):
        killed = start(url)
        work(killed, ROUNDS)
        work(lasting, ROUNDS)
        end(killed)
    end(lasting)
    parts = keeper(sql_case.engine, Hasty())
    while place(parts):
        pass
    sign_when_due(parts)
    assert parts.journal.waiting(1) == []
    assert check(parts) > 3 * ROUNDS
