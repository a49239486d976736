"""Processes that a killed run left behind.

A run that is killed takes its children along (see processes.start), unless its supervisor was killed at the
same time. Every process of a run carries its state folder in its environment, so whatever remains is found by
that, grandchildren included, and no other process on the machine is ever touched.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from stack import StackError
from stack.processes import MARK, wait_until

TERM_SECONDS = 15.0
KILL_SECONDS = 5.0


def find(state: Path) -> set[int]:
    """The ids of the processes that carry `state` as their mark, ours excepted."""
    mark = f"{MARK}={state}".encode()
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environ = (entry / "environ").read_bytes()
        except OSError:  # gone by now, or another user's
            continue
        if mark in environ.split(b"\0"):
            found.add(int(entry.name))
    return found


def stop(state: Path, term_seconds: float = TERM_SECONDS) -> set[int]:
    """Stop them: SIGTERM, after `term_seconds` SIGKILL. Returns the ids that there were.

    Raises StackError when even that does not help.
    """
    found = find(state)
    for sig, seconds in ((signal.SIGTERM, term_seconds), (signal.SIGKILL, KILL_SECONDS)):
        _send(find(state), sig)
        try:
            wait_until(lambda: not find(state), seconds, "stopping what an earlier run left behind")
        except StackError:
            continue
        return found
    raise StackError(f"processes of an earlier run cannot be stopped: {sorted(find(state))}")


def _send(pids: set[int], sig: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            continue
