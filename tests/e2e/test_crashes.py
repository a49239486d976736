"""Processes that stop, hang or are killed: nothing is lost, nothing unscanned is released (R2, R10)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.clamd import Clamd
from stack.processes import wait_until
from stack.store import Store
from tests.e2e.gate import Gate
from tests.e2e.serving import Backend, Service, Web, eventually, kill, prepare, stored_keys
from tests.e2e.variant import write_policy

LIMIT = 32 * 1024 * 1024
#: Bar R2: what a killed process left is taken over within this time.
RECOVERY_SECONDS = 30.0
#: Far below the scan that hangs; how fast it is on a quiet machine is a matter for benchmarks.
STATUS_SECONDS = 5.0


def test_scanner_that_hangs_during_an_upload(backend: Backend, web: Web, clamd: Clamd) -> None:
    """SIGSTOP in mid-upload: the bytes are kept, the answer is 202, status stays quick, nothing is clean;
    after SIGCONT the file is released without anybody asking.
    """

    def body() -> Iterator[bytes]:
        yield b"x" * 300_000
        os.kill(clamd.child.pid, signal.SIGSTOP)
        yield b"y" * 300_000

    try:
        begun = time.monotonic()
        answer = backend.post(body(), headers={"Prefer": "wait=1"})
        assert time.monotonic() - begun < 15
        assert answer.status_code == 202, answer.text
        upload = answer.json()
        asked = time.monotonic()
        assert backend.ask(upload["id"])["verdict"] is None
        assert time.monotonic() - asked < STATUS_SECONDS
        assert backend.client.get(f"/v1/uploads/{upload['id']}/content").status_code == 409
    finally:
        os.kill(clamd.child.pid, signal.SIGCONT)
    done = backend.until(upload["id"], {"released", "held", "blocked"}, 60)
    assert done["state"] == "released"
    wait_until(web.ready, 60, "readiness after the scanner came back")


@pytest.fixture
def gated(
    service: Service, store: Store, clamd: Clamd, parts_folder: Path, tmp_path: Path
) -> Iterator[Service]:
    """A service of its own, with a gate between it and clamd; nothing runs yet."""
    policy = write_policy(tmp_path / "policy.toml", LIMIT)
    environ = {
        **service.environ,
        "GREENROOM_DATABASE_URL": f"sqlite:///{tmp_path / 'gated.db'}",
        "GREENROOM_POLICY_FILE": str(policy),
        "GREENROOM_CLAMD": f"unix:{parts_folder / 'gate.sock'}",
    }
    gated = prepare(environ, tmp_path)
    yield gated
    gated.stop()


@pytest.fixture
def gate(clamd: Clamd, parts_folder: Path) -> Iterator[Gate]:
    """The gate, open."""
    gate = Gate(parts_folder / "gate.sock", clamd.socket)
    yield gate
    gate.close()
    gate.path.unlink()


@pytest.mark.slow
def test_worker_killed_in_the_middle_of_a_scan(gate: Gate, gated: Service) -> None:
    """The worker that scans is killed: another takes the upload over within 30 s and ends it, once."""
    worker = gated.worker()
    web = gated.web("--workers", "1")
    wait_until(web.ready, 60, "readiness")
    backend = web.backend()
    gate.shut()
    upload = backend.upload(b"minutes", headers={"Prefer": "wait=0"})
    backend.until(upload["id"], {"scanning"}, 20)
    kill(worker.pid)
    worker.process.wait()
    killed = time.monotonic()
    gate.open()
    gated.worker()
    done = backend.until(upload["id"], {"released", "held", "blocked"}, RECOVERY_SECONDS + 10)
    took = time.monotonic() - killed
    backend.close()
    assert done["state"] == "released"
    assert took <= RECOVERY_SECONDS
    assert [step["event"] for step in done["history"]].count("found_clean") == 1


@pytest.mark.slow
def test_web_killed_in_the_middle_of_an_upload(gate: Gate, gated: Service, store: Store) -> None:
    """The web processes are killed: the upload was never acknowledged, is abandoned within 30 s, and nothing
    of it stays in the store, unfinished parts included.
    """
    gated.worker()
    web = gated.web("--workers", "1")
    wait_until(web.ready, 60, "readiness")
    backend = web.backend()
    with web.connect() as link:
        link.sendall(backend.head(LIMIT))
        link.sendall(b"x" * (LIMIT // 2))
        eventually(lambda: bool(backend.uploads()), 20, "the row's appearance")
        (upload,) = backend.uploads()
        assert upload["state"] == "receiving"
        eventually(lambda: bool(_quarantined(store, upload["id"])), 20, "the first part's arrival")
        killed = time.monotonic()
        for pid in web.processes():
            kill(pid)
    wait_until(web.answers, 30, "gunicorn's new process")
    done = backend.until(upload["id"], {"abandoned"}, RECOVERY_SECONDS + 10)
    took = time.monotonic() - killed
    assert done["reason"] == "interrupted"
    assert took <= RECOVERY_SECONDS
    eventually(lambda: not _quarantined(store, upload["id"]), 20, "removing what had arrived")
    backend.close()


def _quarantined(store: Store, upload_id: str) -> list[str]:
    return [key for keys in stored_keys(store, {upload_id}).values() for key in keys]


def test_gate_lets_through_what_it_should(gate: Gate, gated: Service) -> None:
    """The gate itself changes no answer: through it, open, the service is ready and releases."""
    gated.worker()
    web = gated.web("--workers", "1")
    wait_until(web.ready, 60, "readiness")
    backend = web.backend()
    assert backend.upload(b"minutes")["state"] == "released"
    backend.close()
