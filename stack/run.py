"""`make run`: check, bring the ledger up to date, run the Procfile, try it, and stay until told to stop."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
from rich.console import Console

from stack import StackError, environment, leftovers, people, preflight, processes, settings, tryout
from stack.clamd import ROOT
from stack.processes import Child
from stack.settings import Settings
from stack.store import remove_sockets
from stack.store_policy import load_or_make

MIGRATE_SECONDS = 300.0
POLL_SECONDS = 0.25
# Until then "not ready" only means that it is still starting.
QUIET_SECONDS = 20.0
# Longer than the 5 s that honcho gives its children after the first of them has ended.
STOP_SECONDS = 20.0
STOPPED = re.compile(r"system\s+\| (\w+)\.\d+ stopped \(rc=(-?\d+)\)")
LAST_LINES = 15


class Stop(Exception):
    """SIGINT, SIGTERM or SIGHUP arrived."""


def main() -> int:
    """Run the stack; the exit code: 0 after a signal, 1 with one line on stderr when something failed."""
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, _raise_stop)
    try:
        wanted = settings.read(os.environ)
        with preflight.lock(wanted.state):
            _run(wanted)
    except Stop:
        return 0
    except StackError as error:
        print(f"greenroom: {error}", file=sys.stderr)
        return 1
    return 0


def _run(wanted: Settings) -> None:
    """Run the stack until Stop or StackError is raised; nothing of it is left then."""
    ready = wanted.state / "ready"
    ready.unlink(missing_ok=True)
    leftovers.stop(wanted.state)
    preflight.check(wanted)
    env = environment.compose(os.environ, wanted, load_or_make(wanted.store_folder / "s3.json"))
    _migrate(env)
    log = wanted.state / "stack.log"
    log.unlink(missing_ok=True)
    # Counters of processes that are no more would be added to those of this run.
    shutil.rmtree(wanted.metrics_folder, ignore_errors=True)
    console = Console(highlight=False, soft_wrap=True)
    parts = "store, clamd, web, worker, metrics, console and demo"
    console.print(f"greenroom: starting {parts} (Ctrl-C stops them); log: {log}")
    honcho = _start_honcho(env, log)
    try:
        _wait_ready(wanted, honcho, console)
        _wait_answer(wanted.console_url, honcho)
        access = tryout.developer_access(wanted, env, people.console_access(wanted, env))
        tryout.show(console, tryout.submit(access), wanted.protection)
        _wait_answer(wanted.demo_url, honcho)
        _wait_answer(wanted.metrics_url, honcho)
        _explain(console, wanted)
        ready.write_text(f"{wanted.api_url}\n")
        while True:
            _check_alive(honcho)
            time.sleep(POLL_SECONDS)
    finally:
        _stop(wanted, honcho, ready)


def _migrate(env: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "service", "migrate"]
    result = subprocess.run(
        command, cwd=ROOT, env=dict(env), capture_output=True, text=True, timeout=MIGRATE_SECONDS, check=False
    )
    if result.returncode != 0:
        words = result.stderr.strip().splitlines() or ["no output"]
        raise StackError(f"the database was not set up: {words[-1].removeprefix('greenroom: ')}")


def _start_honcho(env: Mapping[str, str], log: Path) -> Child:
    # --env: without it honcho would also read a file .env that lies about.
    command = [sys.executable, "-m", "honcho", "--no-colour", "--env", os.devnull]
    command += ["--app-root", str(ROOT), "--procfile", str(ROOT / "Procfile"), "start"]
    return processes.start("the stack", command, env=env, log=log, cwd=ROOT, new_session=True)


def _wait_ready(wanted: Settings, honcho: Child, console: Console) -> None:
    """Wait until /readyz says 200, for as long as it takes; after a while tell each new reason why not."""
    told = ""
    quiet_until = time.monotonic() + QUIET_SECONDS
    with httpx.Client(timeout=10, trust_env=False) as client:
        while True:
            _check_alive(honcho)
            try:
                answer = client.get(f"{wanted.api_url}/readyz")
            except httpx.TransportError:
                time.sleep(POLL_SECONDS)
                continue
            if answer.is_success:
                return
            why = _reasons(answer)
            if why != told and time.monotonic() > quiet_until:
                told = why
                console.print(f"greenroom: not ready yet: {why}", markup=False)
            time.sleep(POLL_SECONDS)


def _wait_answer(url: str, honcho: Child) -> None:
    """Wait until somebody answers at `url`, for as long as the stack runs."""
    with httpx.Client(timeout=10, trust_env=False) as client:
        while True:
            _check_alive(honcho)
            try:
                client.get(url)
            except httpx.TransportError:
                time.sleep(POLL_SECONDS)
            else:
                return


def _reasons(answer: httpx.Response) -> str:
    """The checks of /readyz that failed, each with its reason."""
    try:
        checks: dict[str, str] = answer.json()["checks"]
    except (ValueError, KeyError):
        return f"the web app answered {answer.status_code}"
    return "; ".join(f"{name}: {said}" for name, said in checks.items() if said != "ok")


def _check_alive(honcho: Child) -> None:
    """Raise StackError naming the process that ended: honcho then stops the others and ends too."""
    log = honcho.log
    if honcho.process.poll() is None or log is None:
        return
    text = log.read_text(errors="replace")
    first = STOPPED.search(text)
    if first is None:
        raise StackError(f"honcho ended with code {honcho.process.returncode}; see {log}")
    name, code = first.groups()
    said = [line for line in text[: first.start()].splitlines() if f" {name}.1" in line][-LAST_LINES:]
    print("\n".join(said), file=sys.stderr)
    raise StackError(f"{name} ended with code {code}, so the others were stopped; see {log}")


def _explain(console: Console, wanted: Settings) -> None:
    console.print(f"API       {wanted.api_url}/v1/uploads   policy {wanted.api_url}/v1/policy")
    console.print(f"health    {wanted.api_url}/readyz")
    console.print(f"your key  {wanted.dev_env}   (API_URL, API_KEY, ACCOUNT_ID, DEMO_URL, METRICS_URL)")
    console.print(f"demo      {wanted.demo_url}   a meeting room to try it in")
    console.print(f"console   {wanted.console_url}   sign in as CONSOLE_USER or CONSOLE_USER2 of dev.env")
    console.print(f"metrics   {wanted.metrics_url}   for Prometheus")
    console.print("Ctrl-C stops everything.")


def _stop(wanted: Settings, honcho: Child, ready: Path) -> None:
    """Stop every process of this run; a second Ctrl-C must not break it off half-way."""
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, signal.SIG_IGN)
    ready.unlink(missing_ok=True)
    honcho.stop(grace=STOP_SECONDS)
    leftovers.stop(wanted.state)
    remove_sockets(wanted.s3_port)


def _raise_stop(_signum: int, _frame: object) -> None:
    raise Stop
