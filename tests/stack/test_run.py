"""`make run` as a developer meets it: one command, two verdicts, and nothing left when it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
from pathlib import Path

import httpx
import pytest

from stack import leftovers, people
from stack.processes import wait_until
from tests.stack.listening import addresses, beyond_loopback
from tests.stack.running import OFFSETS, READY_SECONDS, STOP_SECONDS, WEB_OFFSET, Place, Runs

PARTS = ("store", "clamd", "web", "worker", "console", "demo")
TOLD = {"API_URL", "API_KEY", "ACCOUNT_ID", "DEMO_URL", "METRICS_URL", "CONSOLE_URL"}
LOGINS = (("CONSOLE_USER", "CONSOLE_PASSWORD"), ("CONSOLE_USER2", "CONSOLE_PASSWORD2"))


def test_two_verdicts_and_a_key(place: Place, run: subprocess.Popen[bytes]) -> None:
    """A clean deck is released, EICAR blocked, in print; dev.env holds a key and is its owner's alone."""
    printed = place.printed.read_text()
    assert re.search(r"welcome\.pptx\W+released\W+clean", printed)
    assert re.search(r"eicar\.txt\W+blocked\W+infected\W+Greenroom\.Demo\.EICAR", printed)
    assert "demo signatures: not protection" in printed
    assert stat.S_IMODE((place.state / "dev.env").stat().st_mode) == 0o600
    assert set(place.dev_env()) == TOLD.union(*LOGINS)
    assert {upload["state"] for upload in place.uploads()} == {"released", "blocked"}
    assert run.poll() is None


def test_two_reviewers_whose_passwords_stand_in_one_file(place: Place, run: subprocess.Popen[bytes]) -> None:
    """Both sign in to the console; neither the terminal nor a log of the run ever shows a password."""
    told = place.dev_env()
    shown = place.printed.read_bytes() + (place.state / "stack.log").read_bytes()
    for user, password in LOGINS:
        assert people.lets_in(told["CONSOLE_URL"], told[user], told[password])
        assert not people.lets_in(told["CONSOLE_URL"], told[user], told[password] + "x")
        assert told[password].encode() not in shown
    assert told["CONSOLE_USER"] != told["CONSOLE_USER2"]


def test_the_metrics_tell_of_all_processes_on_a_port_of_their_own(
    place: Place, run: subprocess.Popen[bytes]
) -> None:
    """What web processes counted is served at METRICS_URL, and not by the port that faces the world."""
    told = place.dev_env()
    served = httpx.get(told["METRICS_URL"], trust_env=False).text
    assert 'greenroom_verdicts_total{kind="clean"} 1.0' in served
    assert 'greenroom_verdicts_total{kind="infected"} 1.0' in served
    assert "greenroom_ledger_up 1.0" in served
    rounds = re.search(r'greenroom_canary_rounds_total{result="passed"} (\d+)', served)
    assert rounds
    assert int(rounds[1]) >= 1
    assert httpx.get(f"{told['API_URL']}/metrics", trust_env=False).status_code == 404


def test_nothing_listens_beyond_loopback(place: Place, run: subprocess.Popen[bytes]) -> None:
    """All ports of all processes are on 127.0.0.1: the store's, the web app's and all the others."""
    pids = leftovers.find(place.state)
    assert len(pids) > len(PARTS)
    found = addresses([*pids, run.pid])
    assert beyond_loopback(found) == set()
    assert {port for _, port in found} == {place.s3_port + offset for offset in OFFSETS}


def test_a_second_run_is_refused(place: Place, run: subprocess.Popen[bytes]) -> None:
    """One line, exit code 1, and the first run goes on."""
    assert f"already running from {place.state} (process {run.pid})" in place.refused()
    assert run.poll() is None
    assert place.ready.exists()


def test_ctrl_c_leaves_nothing(place: Place, run: subprocess.Popen[bytes]) -> None:
    """Every process ends, `ready` and the sockets in /tmp go, and the exit code is 0."""
    assert leftovers.find(place.state)
    run.send_signal(signal.SIGINT)
    assert run.wait(STOP_SECONDS) == 0
    assert leftovers.find(place.state) == set()
    assert not place.ready.exists()
    assert not list(Path("/tmp").glob(f"seaweedfs-*{place.s3_port}.sock"))


def test_after_kill_9_the_next_run_finds_its_data(place: Place, runs: Runs) -> None:
    """A killed run leaves `ready` and processes; the next one puts both right and keeps data and key."""
    killed = runs.ready()
    key, count = place.dev_env(), len(place.uploads())
    supervisor = {pid for pid in leftovers.find(place.state) if "honcho" in _command_line(pid)}
    # The supervisor too, which would otherwise stop the others when it loses its parent.
    for pid in (killed.pid, *supervisor):
        os.kill(pid, signal.SIGKILL)
    killed.wait()
    assert leftovers.find(place.state)
    assert place.ready.exists()
    again = runs.begin()
    wait_until(lambda: not place.ready.exists(), READY_SECONDS, "the removal of the stale `ready`")
    runs.ready()
    assert again.poll() is None
    assert place.dev_env() == key
    assert len(place.uploads()) == count + 2
    assert runs.stop() == 0
    assert leftovers.find(place.state) == set()


@pytest.mark.parametrize("part", PARTS)
def test_a_dead_part_ends_the_run(place: Place, runs: Runs, part: str) -> None:
    """When one process dies, ready or not, the others are stopped, a line says which, and the code is 1."""
    run = runs.ready() if part == "worker" else runs.begin()
    wait_until(lambda: place.pid_of(part) is not None or run.poll() is not None, READY_SECONDS, part)
    pid = place.pid_of(part)
    assert pid is not None, place.printed.read_text()
    os.kill(pid, signal.SIGKILL)
    assert run.wait(STOP_SECONDS) == 1
    assert place.printed.read_text().splitlines()[-1].startswith(f"greenroom: {part} ended with code")
    assert leftovers.find(place.state) == set()
    assert not place.ready.exists()


def test_a_taken_port_is_refused_in_one_line(place: Place, runs: Runs) -> None:
    """Before anything is started the run says which port is taken and which variable moves it."""
    runs.stop()
    port = place.s3_port + WEB_OFFSET
    with socket.create_server(("127.0.0.1", port)):
        assert re.search(rf"port {port} .*GREENROOM_PORT.* is taken", place.refused())
    assert leftovers.find(place.state) == set()


def _command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
