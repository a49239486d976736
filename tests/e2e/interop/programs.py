"""tuspy and curl, each in processes of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from abc import abstractmethod
from pathlib import Path

from stack.clamd import ROOT
from tests.e2e.interop.client import SECONDS, Client, Ending, Job

TUSPY = Path(__file__).with_name("tuspy_process.py")
PAGE = ROOT / "docs" / "tus.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Program(Client):
    """A program that ends with 0 when the upload is complete, and tells an error by its answer's body."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._job: Job | None = None

    @abstractmethod
    def _command(self, job: Job, *, give_up: bool) -> list[str]:
        """What uploads, or deletes what was begun."""

    def start(self, job: Job) -> None:
        """Start it."""
        self._job = job
        self._launch(give_up=False)

    def _launch(self, *, give_up: bool) -> None:
        job = self._job
        assert job is not None
        upload = {"API_URL": job.endpoint.removesuffix("/v1/tus"), "TOKEN": job.token, "KEY": job.key}
        self._process = subprocess.Popen(
            self._command(job, give_up=give_up),
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], **upload, "FILE": str(job.file), "MEETING": job.meeting},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait(self) -> Ending:
        """Wait for its end."""
        assert self._process is not None
        output, _ = self._process.communicate(timeout=SECONDS)
        if self._process.returncode == 0:
            return Ending(ok=True)
        # Of several problems the first one was the cause of the others.
        problem = json.JSONDecoder().raw_decode(output, output.find("{"))[0] if "{" in output else {}
        return Ending(ok=False, status=problem.get("status", 0), code=problem.get("code", ""))

    def vanish(self) -> None:
        """Kill -9, it and what it started."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def give_up(self) -> None:
        """End it, and have another one delete what it began."""
        self.vanish()
        self._launch(give_up=True)
        assert self.wait().ok

    def close(self) -> None:
        """End it if it runs."""
        if self._process is not None and self._process.poll() is None:
            self.vanish()


class Tuspy(Program):
    """tuspy, which remembers addresses in a file."""

    heals = frozenset({409, 460})

    def _command(self, job: Job, *, give_up: bool) -> list[str]:
        verb = "give-up" if give_up else "upload"
        return [sys.executable, str(TUSPY), verb, job.as_json(), str(self._folder / "tuspy.json")]


class Curl(Program):
    """curl, as docs/tus.md has it, which remembers the address in a file of its own."""

    sends_chunks = False
    heals = frozenset({409, 460})

    def _command(self, job: Job, *, give_up: bool) -> list[str]:
        upload, delete = BLOCK.findall(PAGE.read_text())
        return ["bash", "-euo", "pipefail", "-c", delete if give_up else upload]
