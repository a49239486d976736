"""Children are waited for, stopped and never outlive us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stack import StackError, leftovers, processes
from stack.clamd import ROOT
from stack.processes import MARK, wait_until

DEADLINE = 20.0
STUBBORN = (
    "import signal,time;signal.signal(signal.SIGTERM,signal.SIG_IGN);print('up',flush=True);time.sleep(600)"
)


def gone(pid: int) -> bool:
    """Whether the process has ended: a zombie has, its parent just has not asked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_waiting_ends_at_the_deadline_and_names_what_did_not_come() -> None:
    """A part that never comes up is an error with a name and not a hang."""
    begun = time.monotonic()
    with pytest.raises(StackError, match="the moon took longer than"):
        wait_until(lambda: False, 0.2, "the moon")
    assert 0.2 <= time.monotonic() - begun < DEADLINE


def test_a_part_that_ends_at_once_says_its_last_words(tmp_path: Path) -> None:
    """The error holds the last line of the log and where the log is."""
    log = tmp_path / "log"
    child = processes.start("part", ["sh", "-c", "echo no such luck; exit 3"], env=dict(os.environ), log=log)
    child.process.wait()
    with pytest.raises(StackError, match=r"part ended at once with code 3: no such luck \(.*log\)"):
        child.check_alive()


def test_a_part_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """Stopping ends, whatever the part makes of SIGTERM."""
    log = tmp_path / "log"
    child = processes.start("part", [sys.executable, "-c", STUBBORN], env=dict(os.environ), log=log)
    wait_until(lambda: "up" in log.read_text(), DEADLINE, "the stubborn part")
    child.stop(grace=0.1)
    assert child.process.returncode == -signal.SIGKILL
    child.stop()


def test_a_killed_parent_takes_its_children_along(tmp_path: Path) -> None:
    """Nothing of the stack goes on after kill -9 of what started it."""
    script = (
        "import os,pathlib,time;from stack import processes;"
        f"c=processes.start('part',['sleep','600'],env=os.environ,log=pathlib.Path({str(tmp_path)!r})/'log');"
        "print(c.pid,flush=True);time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
    # Not before setpriv, which asks the kernel for the signal, has become the program.
    wait_until(lambda: Path(f"/proc/{pid}/comm").read_text() == "sleep\n", DEADLINE, "the child's start")
    parent.kill()
    parent.wait()
    wait_until(lambda: gone(pid), DEADLINE, "the child's end")


def test_leftovers_are_found_by_their_mark_and_stopped(tmp_path: Path) -> None:
    """Only processes marked with this very state folder are stopped, stubborn ones too."""
    stubborn = [sys.executable, "-c", STUBBORN]
    ours, other = tmp_path / "ours", tmp_path / "ours-not"
    marked = subprocess.Popen(stubborn, env={MARK: str(ours)}, stdout=subprocess.DEVNULL)
    stranger = subprocess.Popen(stubborn, env={MARK: str(other)}, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: leftovers.find(ours) == {marked.pid}, DEADLINE, "the marked process")
        assert leftovers.stop(ours, term_seconds=0.2) == {marked.pid}
        assert marked.wait() in (-signal.SIGKILL, -signal.SIGTERM)
        assert stranger.poll() is None
        assert leftovers.stop(ours) == set()
    finally:
        for process in (marked, stranger):
            process.kill()
            process.wait()
