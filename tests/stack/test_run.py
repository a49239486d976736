"""`make run` as a developer meets it: one command, two verdicts, and nothing left when it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from stack import leftovers
from stack.clamd import DEMO_SIGNATURES, ROOT
from stack.ports import claim_block
from stack.processes import wait_until
from stack.store import PORT_OFFSETS
from tests.stack.listening import addresses, beyond_loopback

COMMAND = [sys.executable, "-m", "stack"]
PARTS = ("store", "clamd", "web", "worker")
WEB_OFFSET = max(offset for offset in PORT_OFFSETS if offset < 1000) + 1
READY_SECONDS = 120.0
STOP_SECONDS = 60.0


@dataclass(frozen=True)
class Place:
    """A state folder and ports that nobody else has."""

    state: Path
    s3_port: int

    @property
    def environ(self) -> dict[str, str]:
        """What a developer would set to run there."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("GREENROOM_")}
        return kept | {
            "GREENROOM_STATE_DIR": str(self.state),
            "GREENROOM_PORT": str(self.s3_port + WEB_OFFSET),
            "GREENROOM_S3_PORT": str(self.s3_port),
            "GREENROOM_SIGNATURES_DIR": str(DEMO_SIGNATURES),
        }

    @property
    def ready(self) -> Path:
        """The file that says that a run is ready."""
        return self.state / "ready"

    @property
    def printed(self) -> Path:
        """Where the runs' own output went."""
        return self.state.with_suffix(".out")

    def start(self) -> subprocess.Popen[bytes]:
        """Start a run, output to `printed`."""
        with self.printed.open("ab") as out:
            return subprocess.Popen(COMMAND, cwd=ROOT, env=self.environ, stdout=out, stderr=out)

    def refused(self) -> str:
        """Start a run that must be refused, and return the one line that it says."""
        result = subprocess.run(
            COMMAND, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert result.returncode == 1
        assert result.stdout == ""
        [line] = result.stderr.splitlines()
        assert line.startswith("greenroom: ")
        return line

    def dev_env(self) -> dict[str, str]:
        """What dev.env tells."""
        lines = (self.state / "dev.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def uploads(self) -> list[dict[str, object]]:
        """The uploads that the key of dev.env shows."""
        told = self.dev_env()
        answer = httpx.get(
            f"{told['API_URL']}/v1/uploads",
            params={"meeting": "make-run"},
            headers={"Authorization": f"Bearer {told['API_KEY']}"},
        )
        found: list[dict[str, object]] = answer.raise_for_status().json()["uploads"]
        return found


class Runs:
    """Runs in one place, one at a time: when a test has ended the run, the next test starts another."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.latest: subprocess.Popen[bytes] | None = None

    def begin(self) -> subprocess.Popen[bytes]:
        """The run that is going on, else a new one, ready or not."""
        if self.latest is None or self.latest.poll() is not None:
            self.latest = self.place.start()
        return self.latest

    def ready(self) -> subprocess.Popen[bytes]:
        """The run that is going on, else a new one, once it is ready."""
        run = self.begin()
        wait_until(lambda: self.place.ready.exists() or run.poll() is not None, READY_SECONDS, "make run")
        assert run.poll() is None, self.place.printed.read_text()
        return run

    def stop(self) -> int:
        """SIGTERM to the latest run, if there was one; returns its exit code."""
        if self.latest is None:
            return 0
        self.latest.terminate()
        return self.latest.wait(STOP_SECONDS)


@pytest.fixture(scope="module")
def place(parts_folder: Path) -> Iterator[Place]:
    """Where the runs of this module are, one after another."""
    s3_port, claim = claim_block([*PORT_OFFSETS, WEB_OFFSET])
    with claim:
        found = Place(parts_folder / uuid.uuid4().hex, s3_port)
        yield found
        leftovers.stop(found.state)


@pytest.fixture(scope="module")
def runs(place: Place) -> Iterator[Runs]:
    """The runs of this module."""
    found = Runs(place)
    yield found
    found.stop()


@pytest.fixture
def run(runs: Runs) -> subprocess.Popen[bytes]:
    """A run that is ready."""
    return runs.ready()


def test_two_verdicts_and_a_key(place: Place, run: subprocess.Popen[bytes]) -> None:
    """A clean deck is released, EICAR blocked, in print; dev.env holds a key and is its owner's alone."""
    printed = place.printed.read_text()
    assert re.search(r"welcome\.pptx\W+released\W+clean", printed)
    assert re.search(r"eicar\.txt\W+blocked\W+infected\W+Greenroom\.Demo\.EICAR", printed)
    assert "demo signatures: not protection" in printed
    assert stat.S_IMODE((place.state / "dev.env").stat().st_mode) == 0o600
    assert set(place.dev_env()) == {"API_URL", "API_KEY", "ACCOUNT_ID"}
    assert {upload["state"] for upload in place.uploads()} == {"released", "blocked"}
    assert run.poll() is None


def test_nothing_listens_beyond_loopback(place: Place, run: subprocess.Popen[bytes]) -> None:
    """All ports of all processes of the run are on 127.0.0.1: the store's ten and the web app's."""
    pids = leftovers.find(place.state)
    assert len(pids) > len(PARTS)
    found = addresses([*pids, run.pid])
    assert beyond_loopback(found) == set()
    assert {port for _, port in found} == {place.s3_port + offset for offset in (*PORT_OFFSETS, WEB_OFFSET)}


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
    wait_until(lambda: _pid_of(place, part) is not None or run.poll() is not None, READY_SECONDS, part)
    pid = _pid_of(place, part)
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


def _pid_of(place: Place, part: str) -> int | None:
    """The process of `part` in the run that is going on, None before it was started."""
    log = place.state / "stack.log"
    found = re.search(rf"{part}\.1 started \(pid=(\d+)\)", log.read_text()) if log.exists() else None
    # The log of the run before lies there until the next one starts its processes.
    return int(found[1]) if found and int(found[1]) in leftovers.find(place.state) else None


def _command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
