"""``ports.Witness``: the fake, a file, a server behind HTTP and a locked bucket of the real store."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pytest
from minio.error import S3Error

from service.adapters.bucket_witness import BucketWitness
from service.adapters.file_witness import FileWitness
from service.adapters.http_witness import HttpWitness
from service.core.errors import WitnessUnavailable
from service.ports import Witness
from service.verify.note import split_notes
from stack.ports import LOOPBACK, free_port
from stack.store import REGION, Store
from stack.store_policy import CHECKPOINTS, RELEASED
from tests.fakes.faults import Faults
from tests.fakes.witness import FakeWitness
from tests.faults.receiver import Behaviour, Receiver, answering, saying, trickling

DAY: Final = timedelta(days=1)


def note(origin: str, size: int) -> str:
    """Return what looks like a checkpoint."""
    return f"{origin}\n{size}\nAAAA\n\n\u2014 {origin} AAAAAAAA\n"


class Keeper(BaseHTTPRequestHandler):
    """The least server that is a witness: it keeps what is posted and tells the newest."""

    notes: Final[list[bytes]] = []

    def do_GET(self) -> None:
        """Tell the newest."""
        newest = max(self.notes, key=lambda note: int(note.split(b"\n")[1]), default=b"")
        self._answer(200 if newest else 404, newest)

    def do_POST(self) -> None:
        """Keep one."""
        assert self.headers["Content-Type"].startswith("text/plain")
        self.notes.append(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(204, b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called
        """Say nothing."""

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def a_server() -> Iterator[HttpWitness]:
    """A witness behind HTTP that nobody has told anything yet."""
    Keeper.notes.clear()
    server = ThreadingHTTPServer((LOOPBACK, 0), Keeper)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield HttpWitness(f"http://{LOOPBACK}:{server.server_port}/log")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def a_bucket(store: Store, bucket: str = CHECKPOINTS, role: str = "witness") -> BucketWitness:
    """Return the witness in a bucket of the store."""
    identity = store.identities[role]
    return BucketWitness(
        store.endpoint,
        secure=False,
        region=REGION,
        bucket=bucket,
        access_key=identity.access_key,
        secret_key=identity.secret_key,
        retention=DAY,
    )


@pytest.fixture(params=["fake", "file", "http", "bucket"])
def witness(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Witness]:
    """Each witness in turn."""
    match request.param:
        case "fake":
            yield FakeWitness(Faults())
        case "file":
            yield FileWitness(tmp_path / "checkpoints.log")
        case "http":
            with a_server() as server:
                yield server
        case _:
            yield a_bucket(request.getfixturevalue("store"))


@pytest.fixture
def origin() -> str:
    """The name of a log of its own: the store's bucket is never emptied."""
    return f"greenroom/log/{secrets.token_hex(6)}"


def test_a_witness_tells_the_newest_that_it_was_given(witness: Witness, origin: str) -> None:
    """Nothing of a log it does not know; the same one may come twice."""
    assert witness.newest(origin) is None
    for size in (1, 9, 10, 10, 1_000_000):
        witness.keep(origin, size, note(origin, size))
        assert witness.newest(origin) == note(origin, size)


def test_the_newest_is_the_one_over_the_most_lines(witness: Witness, origin: str) -> None:
    """Whatever came last: of two workers one may hand over late what the other did long before."""
    for size in (9, 10, 1000, 10, 9):
        witness.keep(origin, size, note(origin, size))
    assert witness.newest(origin) == note(origin, 1000)


def test_a_witness_does_not_take_one_log_for_another(witness: Witness, origin: str) -> None:
    """Of a log that nobody told it of it knows nothing, not what it knows of one with a like name."""
    witness.keep(origin, 5, note(origin, 5))
    assert witness.newest(origin[:-1]) is None
    assert witness.newest(f"{origin}0") is None


def test_a_witness_has_a_name_that_tells_nothing(witness: Witness) -> None:
    """It stands in the log of the operator and in the database."""
    assert 0 < len(witness.name) <= 40
    assert LOOPBACK not in witness.name


# ------------------------------------------------------------------------ a file


def test_a_file_holds_every_note_in_the_form_that_verify_reads(tmp_path: Path, origin: str) -> None:
    """So that an auditor gets the file as it is."""
    path = tmp_path / "checkpoints.log"
    for size in (3, 4, 5):
        FileWitness(path).keep(origin, size, note(origin, size))
    assert split_notes(path.read_text()) == [note(origin, size) for size in (3, 4, 5)]


def test_a_note_that_was_cut_off_spoils_no_other(tmp_path: Path, origin: str) -> None:
    """As when the disk was full in the middle of it."""
    path = tmp_path / "checkpoints.log"
    witness = FileWitness(path)
    witness.keep(origin, 3, note(origin, 3))
    with path.open("a") as file:
        file.write(f"\n{note(origin, 4)}"[:-40])
    assert witness.newest(origin) == note(origin, 3)
    witness.keep(origin, 5, note(origin, 5))
    assert witness.newest(origin) == note(origin, 5)


def test_the_newest_is_found_at_the_end_of_a_large_file(tmp_path: Path, origin: str) -> None:
    """Without reading all of it."""
    path = tmp_path / "checkpoints.log"
    with path.open("w") as file:
        for size in range(20_000):
            file.write(f"\n{note(origin, size)}")
    assert FileWitness(path).newest(origin) == note(origin, 19_999)


def test_a_file_that_cannot_be_used_says_so(tmp_path: Path, origin: str) -> None:
    """A folder in its place, or no folder for it."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(WitnessUnavailable):
        FileWitness(tmp_path / "folder").newest(origin)
    for path in (tmp_path / "folder", tmp_path / "missing" / "checkpoints.log"):
        with pytest.raises(WitnessUnavailable):
            FileWitness(path).keep(origin, 1, note(origin, 1))
    with pytest.raises(WitnessUnavailable):
        FileWitness(Path("/dev/full")).keep(origin, 1, note(origin, 1))
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


# ------------------------------------------------------------------------ HTTP


@pytest.mark.parametrize(
    "behaviour", [answering(s) for s in (301, 307, 400, 403, 500, 503)] + [saying(b"no HTTP\r\n\r\n")]
)
def test_a_server_that_does_not_take_a_note_is_not_believed(behaviour: Behaviour, origin: str) -> None:
    """Only 2xx means that it was kept; a redirect is not followed. Nor does it mean that nothing is known."""
    with Receiver(behaviour) as receiver:
        witness = HttpWitness(f"http://{LOOPBACK}:{receiver.port}/log")
        with pytest.raises(WitnessUnavailable):
            witness.keep(origin, 1, note(origin, 1))
        with pytest.raises(WitnessUnavailable):
            witness.newest(origin)


@pytest.mark.parametrize("status", [204, 404, 405])
def test_a_server_may_keep_what_it_knows_to_itself(status: int, origin: str) -> None:
    """One that only collects is a witness for the auditor, if not for the service."""
    with Receiver(answering(status)) as receiver:
        assert HttpWitness(f"http://{LOOPBACK}:{receiver.port}/").newest(origin) is None


def test_a_page_is_not_taken_for_a_witness_that_knows_nothing(origin: str) -> None:
    """As of something that stands before the witness: what it knows was not asked then."""
    page = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<!doctype html><title>Sign in</title>\n"
    with Receiver(saying(page)) as receiver, pytest.raises(WitnessUnavailable):
        HttpWitness(f"http://{LOOPBACK}:{receiver.port}/").newest(origin)


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"."),
    ],
)
def test_a_server_that_never_ends_its_answer_is_left(first: bytes, piece: bytes, origin: str) -> None:
    """In whichever part of it: the notary waits for it, and the other witnesses for the notary."""
    stop = threading.Event()
    with Receiver(trickling(piece, stop, first)) as receiver:
        witness = HttpWitness(f"http://{LOOPBACK}:{receiver.port}/", deadline=0.5)
        with pytest.raises(WitnessUnavailable):
            witness.newest(origin)
        stop.set()


def test_a_server_that_is_away_says_so(origin: str) -> None:
    """And one that answers without end is left."""
    with pytest.raises(WitnessUnavailable):
        HttpWitness(f"http://{LOOPBACK}:{free_port()}/").keep(origin, 1, note(origin, 1))
    endless = saying(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + bytes(1024 * 1024))
    with Receiver(endless) as receiver, pytest.raises(WitnessUnavailable):
        HttpWitness(f"http://{LOOPBACK}:{receiver.port}/").newest(origin)


# ------------------------------------------------------------------------ a bucket


def test_what_the_bucket_keeps_is_not_taken_back(store: Store, origin: str) -> None:
    """By the identity that put it there: another note under the same name is one more beside it, and hides
    nothing.
    """
    witness, client = a_bucket(store), store.client("witness")
    witness.keep(origin, 5, note(origin, 5))
    (kept,) = client.list_objects(CHECKPOINTS, f"{origin}/", include_version=True)
    assert kept.object_name
    for version in (kept.version_id, None):
        with pytest.raises(S3Error, match="AccessDenied"):
            client.remove_object(CHECKPOINTS, kept.object_name, version_id=version)
    witness.keep(origin, 5, "another")
    versions = [
        client.get_object(CHECKPOINTS, kept.object_name, version_id=one.version_id).data.decode()
        for one in client.list_objects(CHECKPOINTS, f"{origin}/", include_version=True)
    ]
    assert sorted(versions) == sorted([note(origin, 5), "another"])
    assert witness.newest(origin) == note(origin, 5)


def test_a_bucket_that_locks_nothing_is_refused(store: Store, origin: str) -> None:
    """Else the operator would believe in a witness that forgets when it is told to."""
    unlocked = a_bucket(store, RELEASED, "release")
    with pytest.raises(WitnessUnavailable, match="InvalidRequest"):
        unlocked.keep(origin, 5, note(origin, 5))


def _away(store: Store) -> list[Callable[[str], object]]:
    nobody = BucketWitness(
        f"{LOOPBACK}:{free_port()}",
        secure=False,
        region=REGION,
        bucket=CHECKPOINTS,
        access_key="a",
        secret_key="s",
        retention=DAY,
    )
    forbidden = a_bucket(store, role="download")
    return [
        call
        for witness in (nobody, forbidden)
        for call in (witness.newest, lambda origin, witness=witness: witness.keep(origin, 1, "x"))
    ]


def test_a_bucket_that_cannot_be_used_says_so(store: Store, origin: str) -> None:
    """A store that is away, and one that does not let us in."""
    for call in _away(store):
        with pytest.raises(WitnessUnavailable):
            call(origin)
