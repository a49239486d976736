"""Child processes of the stack: started so that they die with us, waited for by polling, stopped by pid."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stack import StackError

MARK = "GREENROOM_STACK_MARK"
"""Every process of a `make run` carries its state folder under this name, so that what a killed run left
behind can be told from anything else on the machine (see stack/leftovers.py)."""

POLL_SECONDS = 0.05
STOP_GRACE_SECONDS = 10.0


def wait_until(predicate: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll `predicate` until it is true.

    Raises StackError naming `what` when `seconds` have passed. An exception of the predicate goes through.
    """
    deadline = time.monotonic() + seconds
    while not predicate():
        if time.monotonic() > deadline:
            raise StackError(f"{what} took longer than {seconds:.0f} s")
        time.sleep(POLL_SECONDS)


@dataclass(frozen=True)
class Child:
    """One process that we started; `log` is where its output goes, None when it shares ours."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None

    @property
    def pid(self) -> int:
        """The process id, which is the part's own: nothing stands between it and us."""
        return self.process.pid

    def check_alive(self) -> None:
        """Raise StackError with the last line of its log if the process has ended."""
        code = self.process.poll()
        if code is not None:
            raise StackError(f"{self.name} ended at once with code {code}: {self._last_words()}")

    def stop(self, sig: signal.Signals = signal.SIGTERM, grace: float = STOP_GRACE_SECONDS) -> None:
        """Send `sig`, wait `grace` seconds, then SIGKILL. Safe to call twice; returns when it is gone."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _last_words(self) -> str:
        if self.log is None:
            return "its output is above"
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return f"{lines[-1].strip() if lines else 'no output'} ({self.log})"


def start(
    name: str,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    log: Path | None,
    death_signal: str = "TERM",
    as_user: str | None = None,
    cwd: Path | None = None,
    new_session: bool = False,
) -> Child:
    """Start `argv` with exactly the environment `env`, output to `log` (None: to our own output).

    The kernel sends it `death_signal` when the thread that called us ends, so a killed parent leaves nothing
    behind; setpriv sets that up and then becomes the program, which keeps the pid. `as_user` is for root
    only; with `new_session` a Ctrl-C at the terminal does not reach it.
    """
    switch = ["--reuid", as_user, "--regid", as_user, "--init-groups"] if as_user else []
    command = ["setpriv", *switch, "--pdeathsig", death_signal, "--", *argv]
    out = None
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        out = log.open("ab")
    try:
        process = subprocess.Popen(
            command,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT if out else None,
            start_new_session=new_session,
        )
    finally:
        if out:
            out.close()
    return Child(name, process, log)


def foreground(child: Child) -> int:
    """Stay until `child` ends and return its exit code; our SIGTERM and SIGINT are handed on to it."""

    def hand_on(_signum: int, _frame: object) -> None:
        child.process.terminate()

    signal.signal(signal.SIGTERM, hand_on)
    signal.signal(signal.SIGINT, hand_on)
    return child.process.wait()


def bare_environment(home: Path) -> dict[str, str]:
    """A minimal environment for the parts.

    They must not see ours: SeaweedFS makes AWS_ACCESS_KEY_ID an administrator, and both it and clamd would
    print times in the local zone, which cannot be read back without knowing it.
    """
    env = {"HOME": str(home), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    return env | {key: value for key, value in os.environ.items() if key == MARK}
