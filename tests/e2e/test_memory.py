"""Bar R13, P6: a large file passes through without growing the web process or touching its disk.

How large makes no difference: the suite sends 256 MiB, on demand it is 1 GiB.
"""

from __future__ import annotations

import hashlib
import re
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from stack import clamd as stack_clamd
from stack import processes
from stack.clamd import DEMO_SIGNATURES, Signatures
from stack.processes import wait_until
from tests.e2e.large import MIB, pieces, resident
from tests.e2e.serving import Backend, prepare
from tests.e2e.variant import write_policy

LARGEST = 1024 * MIB
SMALLER = 256 * MIB
SIZES = [SMALLER, pytest.param(LARGEST, marks=pytest.mark.thorough)]
MOST_GROWTH = 32 * MIB
#: The ledger's and the log's own lines; a spooled file would write all of it.
MOST_WRITTEN = 8 * MIB
WARM_UP = 20 * MIB
_SIZES = re.compile(r"(?m)^(StreamMaxLength|MaxFileSize|PCREMaxFileSize) .*$")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the service of these tests keeps what it needs."""
    return tmp_path_factory.mktemp("roomy")


@pytest.fixture(scope="module")
def large_clamd(parts_folder: Path, folder: Path) -> Iterator[Path]:
    """A clamd with limits for a file of 1 GiB: the shipped ones, doubled."""
    own = parts_folder / "clamd-large"
    path = stack_clamd.prepare(own, Signatures(DEMO_SIGNATURES, "demo"))
    text, replaced = _SIZES.subn(r"\1 1040M", (own / "clamd.conf").read_text())
    assert replaced == 3
    (own / "clamd.conf").write_text(re.sub(r"(?m)^MaxScanSize .*$", "MaxScanSize 4000M", text))
    child = processes.start(
        "large clamd",
        stack_clamd.command(own),
        env=processes.bare_environment(own),
        log=folder / "log",
    )
    wait_until(lambda: stack_clamd.ping(path), 60, "clamd's start")
    yield path
    child.stop()


@dataclass(frozen=True)
class Roomy:
    """A backend, the one web process that serves it, and the memory of that process before any large file."""

    backend: Backend
    pid: int
    idle: int


@pytest.fixture(scope="module")
def roomy(
    environ: dict[str, str], large_clamd: Path, folder: Path, request: pytest.FixtureRequest
) -> Iterator[Roomy]:
    """A backend of a service that takes such files, in one web process so that its memory can be watched.

    Not larger ones: at its start it shows its scanner the largest file that it takes.
    """
    largest = LARGEST if "thorough" in request.config.option.markexpr else SMALLER
    changed = environ | {
        "GREENROOM_DATABASE_URL": f"sqlite:///{folder / 'roomy.db'}",
        "GREENROOM_CLAMD": f"unix:{large_clamd}",
        "GREENROOM_POLICY_FILE": str(write_policy(folder / "policy.toml", largest)),
    }
    service = prepare(changed, folder)
    web = service.begin("--workers", "1")
    backend = web.backend()
    (pid,) = web.processes()
    backend.upload(pieces(WARM_UP, hashlib.sha256()), "warm-up.wav")
    yield Roomy(backend, pid, resident(pid))
    backend.close()
    service.stop()


@dataclass
class Watch:
    """Samples one process while a block runs: its memory, and the regular files that it has open."""

    pid: int
    most: int = 0
    files: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            self.most = max(self.most, resident(self.pid))
            self.files |= open_files(self.pid)


def written(pid: int) -> int:
    """Bytes that the process caused to be written to a disk."""
    return int(Path(f"/proc/{pid}/io").read_text().split("\nwrite_bytes: ")[1].split()[0])


def open_files(pid: int) -> set[str]:
    """The regular files that the process has open, deleted ones too."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if stat.S_ISREG(descriptor.stat().st_mode):
                found.add(str(descriptor.readlink()))
        except FileNotFoundError:
            continue
    return found


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("length_known", [True, False], ids=["length", "chunked"])
def test_a_large_file_passes_through(
    roomy: Roomy,
    record_property: Callable[[str, object], None],
    length_known: bool,  # noqa: FBT001
    size: int,
) -> None:
    """Up and down: the same bytes, under 32 MiB more memory than after a small upload, no file."""
    backend, pid, idle = roomy.backend, roomy.pid, roomy.idle
    wrote, known = written(pid), open_files(pid)
    digest = hashlib.sha256()
    headers = {"Prefer": "wait=60"} | ({"Content-Length": str(size)} if length_known else {})
    with Watch(pid) as watch:
        upload = backend.upload(pieces(size, digest), "sound.wav", headers=headers)
    print(*(f"{step['event']} {step['at']}" for step in upload["history"]), sep="\n")  # noqa: T201
    assert (upload["state"], upload["size"], upload["sha256"]) == ("released", size, digest.hexdigest()), (
        upload
    )
    received = hashlib.sha256()
    with Watch(pid) as down, backend.client.stream("GET", f"/v1/uploads/{upload['id']}/content") as answer:
        for piece in answer.iter_bytes():
            received.update(piece)
    assert received.hexdigest() == digest.hexdigest()
    figures = {
        "idle": idle,
        "growth_up": watch.most - idle,
        "growth_down": down.most - idle,
        "written": written(pid) - wrote,
    }
    for name, value in figures.items():
        record_property(name, round(value / MIB, 1))
    print({name: f"{value / MIB:.1f} MiB" for name, value in figures.items()})  # noqa: T201
    assert figures["growth_up"] < MOST_GROWTH
    assert figures["growth_down"] < MOST_GROWTH
    assert figures["written"] < MOST_WRITTEN
    ledger = str(backend.web.service.environ["GREENROOM_DATABASE_URL"]).removeprefix("sqlite:///")
    assert {path for path in (watch.files | down.files) - known if not path.startswith(ledger)} == set()
    assert backend.client.delete(f"/v1/uploads/{upload['id']}").status_code == 204


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_a_large_file_passes_through_in_one_patch(
    roomy: Roomy, record_property: Callable[[str, object], None], size: int
) -> None:
    """What tus clients do unless told otherwise: one PATCH with all of it, in the same memory, released when
    it is answered.
    """
    backend, pid, idle = roomy.backend, roomy.pid, roomy.idle
    wrote = written(pid)
    digest = hashlib.sha256()
    tus = {"Tus-Resumable": "1.0.0"}
    metadata = "filename c291bmQud2F2,meeting bTE="
    begun = backend.client.post(
        "/v1/tus", headers={**tus, "Upload-Length": str(size), "Upload-Metadata": metadata}
    )
    headers = {
        **tus,
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(size),
        "Prefer": "wait=60",
    }
    with Watch(pid) as watch:
        answer = backend.client.patch(
            begun.headers["Location"], content=pieces(size, digest), headers=headers
        )
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(size))
    upload = backend.ask(begun.headers["Location"].rpartition("/")[2])
    assert (upload["state"], upload["sha256"]) == ("released", digest.hexdigest()), upload
    record_property("growth", round((watch.most - idle) / MIB, 1))
    assert watch.most - idle < MOST_GROWTH
    assert written(pid) - wrote < MOST_WRITTEN
    assert backend.client.delete(f"/v1/uploads/{upload['id']}").status_code == 204
