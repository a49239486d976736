"""A client, its line and the backend that gave it a grant; and the laws that every upload keeps."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.interop.client import Client, Ending, Job
from tests.e2e.interop.line import Line
from tests.e2e.serving import Backend

KIBI, MEBI = 1024, 1024 * 1024
ENDS = {"released", "held", "blocked", "refused", "erased", "abandoned"}
_PRINTABLE = bytes(32 + value % 95 for value in range(256))
_PATTERN = MEBI
PATIENCE = 60.0


def text(size: int) -> bytes:
    """Text of `size` bytes, random for the most part, but not more of it than takes no time to make."""
    pattern = os.urandom(min(size, _PATTERN)).translate(_PRINTABLE)
    return (pattern * (size // _PATTERN + 1))[:size]


@dataclass
class Scene:
    """One upload's surroundings."""

    client: Client
    line: Line
    backend: Backend
    folder: Path

    def grant(self, **wanted: Any) -> dict[str, Any]:
        """A grant for one file."""
        wanted = {"kind": "upload", "meeting": self.backend.meeting, "max_files": 1, **wanted}
        answer = self.backend.client.post("/v1/grants", json=wanted)
        assert answer.status_code == 201, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def create_with(self, token: str) -> tuple[int, str]:
        """Ask for one more upload with a grant's token, and return the refusal's status and code."""
        metadata = f"filename {base64.b64encode(b'more.txt').decode()}"
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "1", "Upload-Metadata": metadata}
        answer = self.backend.client.post("/v1/tus", headers=headers | {"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.json()["code"]

    def needs(self, **capabilities: bool) -> None:
        """Skip the test for a client that lacks what it needs."""
        for name, needed in capabilities.items():
            if needed and not getattr(self.client, name):
                pytest.skip(f"this client never {name.replace('_', ' ')}")

    def job(self, content: bytes, name: str = "notes.txt", **options: Any) -> Job:
        """A job with a grant for one file."""
        file = self.folder / name
        file.write_bytes(content)
        return self.job_of(file, **options)

    def job_of(self, file: Path, **options: Any) -> Job:
        """The same with a file that is there."""
        options = {"token": "", **options}
        job = Job(
            endpoint=f"{self.line.url}/v1/tus",
            file=file,
            meeting=self.backend.meeting,
            key=secrets.token_hex(16),
            **options,
        )
        return job if job.token else replace(job, token=self.grant()["token"])

    def start_and_hold(self, job: Job, count: int) -> None:
        """Start, and wait until `count` bytes are over the line and the next ones are held."""
        self.line.hold_after(count)
        self.client.start(job)
        assert self.line.held.wait(PATIENCE)

    def verdict(self) -> dict[str, Any]:
        """The document of the meeting's one upload, at its end."""
        (upload,) = self.backend.uploads()
        return self.backend.until(upload["id"], ENDS, PATIENCE)

    def check(self, job: Job, ending: Ending, *, sent_again: int | None = 0) -> None:
        """The laws: one upload exists, it is released and is the file byte for byte; what was acknowledged
        stayed; of the file at most `sent_again` bytes, if that is a number, went over the line twice.
        """
        assert ending == Ending(ok=True), self.line.told()
        done, content = self.verdict(), job.file.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        assert (done["state"], done["size"], done["sha256"]) == ("released", len(content), sha256), done
        released = self.backend.client.get(f"/v1/uploads/{done['id']}/content").content
        assert hashlib.sha256(released).hexdigest() == sha256
        offsets = [
            exchange.offset
            for exchange in self.line.of("POST", "PATCH", "HEAD")
            if exchange.offset is not None
        ]
        assert offsets == sorted(offsets)
        assert offsets[-1] == len(content)
        again = self.line.sent - len(content)
        assert 0 <= again <= (again if sent_again is None else sent_again), self.line.told()
