"""Bar R3: whatever clamd does, nothing becomes clean by it, and nobody waits for it past the deadline."""

from __future__ import annotations

import hashlib
import secrets
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from service.adapters.clamd_scanner import ClamdScanner
from service.core.account import HOME
from service.core.errors import ScannerUnavailable
from service.core.outcome import Clean, Failed, Outcome
from service.core.upload import Segment, State, Upload
from service.ports import Source
from service.stages.parts import Parts
from service.stages.receive import Intake, Leg, SegmentSource
from service.stages.scan import read_back
from tests.faults.clamd_script import (
    BAD_VERSIONS,
    CHUNK_SIZE,
    CHUNKS,
    HONEST,
    SCRIPTS,
    FakeClamd,
    Script,
    playing,
)

DEADLINE = 0.5
#: For scripts that end by themselves: they must be judged by what they say, not by a slow machine.
LONG_DEADLINE = 10.0
SLACK = 1.0
#: What one command may take in all (clamd_scanner's own limit).
COMMAND_SECONDS = 5.0
CONTENT = secrets.token_bytes(CHUNKS * CHUNK_SIZE)
OVER_TCP = [script for script in SCRIPTS if "reset" in script.name or "close" in script.name or script.early]


class Body:
    """The content, from a client or from the store. At its end it lets an early script speak first."""

    def __init__(self, fake: FakeClamd) -> None:
        self._left = CONTENT
        self._fake = fake

    def read(self, size: int, /) -> bytes:
        """Give the next bytes."""
        if not self._left and self._fake.script.early:
            assert self._fake.spoke.wait(10)
        piece, self._left = self._left[:size], self._left[size:]
        return piece


class OneObject:
    """As much of an object store as reading back asks for."""

    def __init__(self, body: Body) -> None:
        self._body = body

    @contextmanager
    def read_quarantined(self, _key: str, _offset: int = 0, _length: int | None = None) -> Iterator[Source]:
        """Open the one object there is."""
        yield self._body


def through_the_pass(scanner: ClamdScanner, fake: FakeClamd) -> Outcome:
    """The outcome for content that is scanned while it is received."""
    leg = Leg(scanner)
    intake = Intake(Body(fake), head=b"", announced=None, expected_sha256=None, limit=1 << 30, leg=leg)
    try:
        received = SegmentSource(intake, first=True).read(len(CONTENT) + 1)
        assert received == CONTENT, "a scanner's fault must not harm the upload"
        while (outcome := leg.outcome(0.25)) is None:
            pass
        return outcome
    finally:
        leg.close()


def from_quarantine(scanner: ClamdScanner, fake: FakeClamd) -> Outcome:
    """The outcome for content that is read back from quarantine."""
    at = datetime.now(UTC)
    digest = hashlib.sha256(CONTENT).hexdigest()
    upload = Upload(
        id="up_0",
        account_id="a",
        meeting_id="m",
        name="sample.txt",
        declared_type="",
        detected_type="text/plain",
        state=State.SCANNING,
        created_at=at,
        updated_at=at,
        size=len(CONTENT),
        sha256=digest,
        segments=(Segment(0, "up_0/0", len(CONTENT), digest, "etag"),),
    )
    nothing = cast("Any", None)
    there = {"stores": {HOME: OneObject(Body(fake))}, "scanner": scanner}
    parts = Parts(**dict.fromkeys((field.name for field in fields(Parts)), nothing) | there)
    return read_back(parts, upload).outcome


WAYS = pytest.mark.parametrize("way", [through_the_pass, from_quarantine], ids=["pass", "read_back"])


def deadline_for(script: Script) -> float:
    """Seconds that a scan of `script` may take."""
    return DEADLINE if script.endless else LONG_DEADLINE


def by_name(scripts: list[Script]) -> pytest.MarkDecorator:
    """Run a test with each of `scripts`."""
    return pytest.mark.parametrize("script", scripts, ids=[script.name for script in scripts])


def test_kit_is_large_enough() -> None:
    """Bar R3 asks for at least 40 scripts; each has a name of its own."""
    assert len({script.name for script in SCRIPTS}) == len(SCRIPTS) >= 40


@WAYS
@by_name(HONEST)
def test_healthy_clamd_is_believed(tmp_path: Path, script: Script, way: Any) -> None:
    """The kit's healthy scripts give their answers, so its faults fail for what they do."""
    with playing(script, tmp_path) as fake:
        assert type(way(ClamdScanner(fake.address, deadline_for(script)), fake)) is script.expected


@WAYS
@by_name(SCRIPTS)
def test_no_fault_ends_in_clean(tmp_path: Path, script: Script, way: Any) -> None:
    """No fault raises, none ends in clean, and each is over one second after the deadline at the latest."""
    with playing(script, tmp_path) as fake:
        begun = time.monotonic()
        outcome = way(ClamdScanner(fake.address, deadline_for(script)), fake)
        took = time.monotonic() - begun
    assert not isinstance(outcome, Clean)
    assert type(outcome) is script.expected
    assert took <= deadline_for(script) + SLACK


@WAYS
@by_name(OVER_TCP)
def test_no_fault_over_tcp_ends_in_clean(tmp_path: Path, script: Script, way: Any) -> None:
    """The same where clamd is reached by TCP, which buffers more and has real resets."""
    with playing(script, tmp_path, tcp=True) as fake:
        begun = time.monotonic()
        outcome = way(ClamdScanner(fake.address, deadline_for(script)), fake)
        took = time.monotonic() - begun
    assert not isinstance(outcome, Clean)
    assert took <= deadline_for(script) + SLACK


def test_size_limit_is_named_although_the_stream_broke(tmp_path: Path) -> None:
    """A clamd that answers and closes in mid-stream is asked what it said: its reason reaches the log."""
    script = next(one for one in SCRIPTS if one.name == "size limit in mid-stream, then closes")
    with playing(script, tmp_path) as fake:
        outcome = from_quarantine(ClamdScanner(fake.address, DEADLINE), fake)
    assert isinstance(outcome, Failed)
    assert outcome.detail.startswith("INSTREAM size limit exceeded")


def _version_of(script: Script, folder: Path) -> tuple[str, float]:
    """What asking `script` for its version ends in, and after how many seconds."""
    folder.mkdir()
    with playing(script, folder) as fake:
        begun = time.monotonic()
        try:
            ClamdScanner(fake.address, DEADLINE).engine()
        except ScannerUnavailable:
            return "unavailable", time.monotonic() - begun
        return "believed", time.monotonic() - begun


def test_no_fault_of_version_hangs_or_raises_anything_else(tmp_path: Path) -> None:
    """A clamd that does not say who it is counts as away, within the limit of one command.

    Otherwise an upload, which begins by asking, would wait with it.
    """
    folders = [tmp_path / str(number) for number in range(len(BAD_VERSIONS))]
    with ThreadPoolExecutor(len(BAD_VERSIONS)) as pool:
        results = list(pool.map(_version_of, BAD_VERSIONS, folders))
    for script, (ending, took) in zip(BAD_VERSIONS, results, strict=True):
        assert ending == "unavailable", script.name
        assert took <= COMMAND_SECONDS + SLACK, script.name


def _nobody(folder: Path) -> str:
    return str(folder / "nobody.sock")


def _left_behind(folder: Path) -> str:
    """A socket's file whose process is gone."""
    path = str(folder / "left.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
    return path


def _plain_file(folder: Path) -> str:
    (folder / "file.sock").write_bytes(b"stream: OK\0")
    return str(folder / "file.sock")


def _too_long(folder: Path) -> str:
    return str(folder / ("x" * 120))


def _refusing(_: Path) -> tuple[str, int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return "127.0.0.1", int(listener.getsockname()[1])


@pytest.mark.parametrize("place", [_nobody, _left_behind, _plain_file, _too_long, _refusing])
def test_clamd_that_is_not_there_is_unavailable(tmp_path: Path, place: Any) -> None:
    """An address where nobody listens is `ScannerUnavailable` at once, for a scan and for VERSION."""
    scanner = ClamdScanner(place(tmp_path), DEADLINE)
    begun = time.monotonic()
    for call in (scanner.open, scanner.engine):
        with pytest.raises(ScannerUnavailable):
            call()
    assert time.monotonic() - begun <= SLACK


def test_full_queue_of_connections_does_not_hold_a_scan(tmp_path: Path) -> None:
    """A clamd too busy to accept, its queue full, is unavailable and not waited for past the deadline."""
    path = str(tmp_path / "busy.sock")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as waiting:
        listener.bind(path)
        listener.listen(0)
        waiting.connect(path)
        begun = time.monotonic()
        with pytest.raises(ScannerUnavailable):
            ClamdScanner(path, DEADLINE).open()
        assert time.monotonic() - begun <= DEADLINE + SLACK
