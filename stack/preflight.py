"""What must hold before anything is started; each failure is one line that says what to do."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path
from typing import IO

from stack import StackError, clamd
from stack.ports import is_free
from stack.settings import Settings, ports

GIB = 1024**3
LEAST_FREE = 2 * GIB
"""Bytes: room for a file of the largest size in the store and in clamd's temporary folder, and some more."""


def lock(state: Path) -> IO[str]:
    """Make the state folder and take its lock, which is held until the returned file is closed or we die.

    Raises StackError when another run holds it, or the folder cannot be made.
    """
    try:
        # Only its owner may look in: the quarantine lies here, and the secrets to it.
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        state.chmod(0o700)
        held = (state / "lock").open("a+")
    except OSError as error:
        raise StackError(f"{state} cannot be used: {error.strerror}; see GREENROOM_STATE_DIR") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.seek(0)
        who = held.read().strip() or "unknown"
        held.close()
        raise StackError(
            f"already running from {state} (process {who}): "
            "stop that one first, or name another folder in GREENROOM_STATE_DIR"
        ) from None
    held.truncate(0)
    held.write(f"{os.getpid()}\n")
    held.flush()
    return held


def check(settings: Settings) -> None:
    """Raise StackError unless clamd is installed and can run here, the disk has room, every port is free."""
    clamd.find_program()
    clamd.socket_path(settings.clamd_folder)
    check_disk(settings.state, LEAST_FREE)
    for port, whose in ports(settings).items():
        if not is_free(port):
            raise StackError(f"port {port} ({whose}) is taken: free it, or set that variable to another port")


def check_disk(folder: Path, least: int) -> None:
    """Raise StackError unless the disk of `folder` has `least` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < least:
        raise StackError(
            f"the disk of {folder} is nearly full: {free / GIB:.1f} GiB free, {least / GIB:.0f} GiB needed; "
            "make room, or name a folder elsewhere in GREENROOM_STATE_DIR"
        )
