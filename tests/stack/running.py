"""Runs of `make run` for the tests: in a place of their own, one after another."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from stack import leftovers
from stack.clamd import DEMO_SIGNATURES, ROOT
from stack.processes import wait_until
from stack.store import PORT_OFFSETS

COMMAND = [sys.executable, "-m", "stack"]
WEB_OFFSET = max(offset for offset in PORT_OFFSETS if offset < 1000) + 1
DEMO_OFFSET = WEB_OFFSET + 1
METRICS_OFFSET = WEB_OFFSET + 2
CONSOLE_OFFSET = WEB_OFFSET + 3
OFFSETS = (*PORT_OFFSETS, WEB_OFFSET, DEMO_OFFSET, METRICS_OFFSET, CONSOLE_OFFSET)
"""Every port of a run, counted from its S3 port."""
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
            "GREENROOM_DEMO_PORT": str(self.s3_port + DEMO_OFFSET),
            "GREENROOM_CONSOLE_PORT": str(self.s3_port + CONSOLE_OFFSET),
            "GREENROOM_METRICS_PORT": str(self.s3_port + METRICS_OFFSET),
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

    def pid_of(self, part: str) -> int | None:
        """The process of `part` in the run that is going on, None before it was started."""
        log = self.state / "stack.log"
        found = re.search(rf"{part}\.1 started \(pid=(\d+)\)", log.read_text()) if log.exists() else None
        # The log of the run before lies there until the next one starts its processes.
        return int(found[1]) if found and int(found[1]) in leftovers.find(self.state) else None

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
