"""What the tests ask of a tus client, whichever it is."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

SECONDS = 60.0


@dataclass(frozen=True)
class Job:
    """A file to upload.

    `chunk` are the bytes of a PATCH, all of the file where there is none; `with_creation` asks for the first
    ones to go with the creation. A client that is `patient` tries again on its own where it can. `key` makes
    a creation whose answer was lost the same one when it is asked for again.
    """

    endpoint: str
    token: str
    file: Path
    meeting: str
    key: str
    chunk: int | None = None
    with_creation: bool = False
    patient: bool = True

    def as_json(self) -> str:
        """For a client in another language or process."""
        return json.dumps(asdict(self), default=str)


@dataclass(frozen=True)
class Ending:
    """How an attempt ended: `status` and `code` are those of the answer that ended it, if one did."""

    ok: bool
    status: int = 0
    code: str = ""

    @classmethod
    def failed(cls, status: int, body: str) -> Ending:
        """With an answer of `status` whose body may be a problem document."""
        try:
            return cls(ok=False, status=status, code=json.loads(body)["code"])
        except (ValueError, KeyError):
            return cls(ok=False, status=status)


class Client(ABC):
    """A tus client, with what it remembers from one attempt to the next."""

    #: Whether it can send the first bytes with the creation, and a file by pieces.
    creates_with_bytes: ClassVar[bool] = False
    sends_chunks: ClassVar[bool] = True
    #: The statuses that make a patient one ask for the offset and go on without being told to.
    heals: ClassVar[frozenset[int]] = frozenset({409})

    @abstractmethod
    def start(self, job: Job) -> None:
        """Begin to upload, or go on with what it remembers of the same file."""

    @abstractmethod
    def wait(self) -> Ending:
        """Wait for the attempt's end."""

    @abstractmethod
    def vanish(self) -> None:
        """End at once, without a word, as by kill -9 or a reload of the page; what it kept remains."""

    @abstractmethod
    def give_up(self) -> None:
        """Delete what was begun, from the service too."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything."""

    def run(self, job: Job) -> Ending:
        """Upload from the start to an end."""
        self.start(job)
        return self.wait()
