"""The Python client against the real service."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from greenroom_client import (
    BadRequest,
    Client,
    ContentRefused,
    Gone,
    KeyReused,
    NotFound,
    NotReleased,
    Unauthenticated,
    Upload,
)
from stack.samples import EICAR, clean_deck
from tests.e2e import samples
from tests.e2e.lossy import Lossy
from tests.e2e.serving import Backend
from tests.e2e.test_main_way import MIB, text


@pytest.fixture
def client(backend: Backend) -> Iterator[Client]:
    """A client of an account of its own."""
    with Client(backend.web.url, backend.key, trust_env=False) as client:
        yield client


def test_a_deck_goes_in_and_comes_back(client: Client, backend: Backend, tmp_path: Path) -> None:
    """R4 through the client: sent with progress, released, listed, fetched, the same bytes; then deleted."""
    deck = tmp_path / "Q4 & Ünïcode.pptx"
    content = clean_deck()
    deck.write_bytes(content)
    told: list[tuple[int, int | None]] = []
    upload = client.upload(deck, meeting="m1", on_progress=lambda *how: told.append(how))
    assert client.wait_for_verdict(upload).released
    assert told[-1] == (deck.stat().st_size, deck.stat().st_size)
    assert (upload.name, upload.account, upload.sha256) == (
        deck.name,
        backend.account,
        hashlib.sha256(content).hexdigest(),
    )
    assert upload.verdict is not None
    assert (upload.verdict.kind, upload.verdict.signatures.protection) == ("clean", "demo")
    assert upload.verdict.notice == "demo signatures: not protection"
    assert upload.history[0].event == "arrived"
    assert [one.id for one in client.list("m1")] == [upload.id]
    saved = tmp_path / "saved.pptx"
    client.download(upload.id, saved)
    assert saved.read_bytes() == content
    client.delete(upload)
    client.delete(upload)
    with pytest.raises(Gone):
        client.download(upload, saved)
    assert saved.read_bytes() == content


@pytest.mark.parametrize("size", [0, 1, 256 * 1024, 256 * 1024 + 1, 5 * MIB + 1])
def test_every_source_and_target_gives_the_same_bytes(client: Client, tmp_path: Path, size: int) -> None:
    """R4: path, bytes and open file in; path and open file out; at the edges of the client's chunks."""
    content = text(size)
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with path.open("rb") as file:
        uploads = [
            client.upload(path, meeting="m1"),
            client.upload(content, meeting="m1", name="notes.txt"),
            client.upload(file, meeting="m1"),
        ]
    for upload in uploads:
        into = io.BytesIO()
        client.download(upload, into)
        client.download(upload, tmp_path / "saved.txt")
        assert (upload.size, upload.name) == (size, "notes.txt")
        assert into.getvalue() == content
        assert (tmp_path / "saved.txt").read_bytes() == content


def test_a_pipe_is_sent_as_it_comes(client: Client) -> None:
    """A stream without an end that is known goes out in chunks and arrives whole."""
    content = text(MIB)
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(reading, "rb") as pipe:
        upload = client.upload(pipe, meeting="m1", name="notes.txt")
    writer.join()
    assert upload.sha256 == hashlib.sha256(content).hexdigest()


def test_what_is_not_clean_is_told_and_not_given_out(client: Client, tmp_path: Path) -> None:
    """Blocked and held files come back as such, with what to do, and cannot be downloaded."""
    blocked = client.wait_for_verdict(client.upload(EICAR, meeting="m1", name="eicar.txt"))
    held = client.wait_for_verdict(client.upload(samples.locked_ooxml(), meeting="m1", name="a.docx"))
    assert (blocked.state, held.state, held.reason) == ("blocked", "held", "encrypted")
    assert "remove the password" in held.advice
    for upload in (blocked, held):
        assert not upload.released
        with pytest.raises(NotReleased):
            client.download(upload, tmp_path / "saved")
    assert list(tmp_path.iterdir()) == []


def test_without_waiting_each_state_is_seen(client: Client) -> None:
    """An upload that nobody waited for is followed to its rest, the last state told last."""
    seen: list[Upload] = []
    upload = client.upload(text(MIB), meeting="m1", name="notes.txt", wait=0)
    rested = client.wait_for_verdict(upload.id, on_state=seen.append)
    assert rested.released
    assert seen[-1] == rested


def test_refusals_are_errors_of_their_kind(client: Client, backend: Backend) -> None:
    """A type that is not taken, no name, an id of nobody and a wrong key are told apart."""
    with pytest.raises(ContentRefused) as refused:
        client.upload(b"MZ", meeting="m1", name="tool.exe")
    assert (refused.value.status, refused.value.code) == (415, "type_not_allowed")
    assert refused.value.request_id
    with pytest.raises(BadRequest):
        client.upload(b"x", meeting="m1")
    with pytest.raises(NotFound):
        client.get("up_" + "0" * 32)
    with Client(backend.web.url, "gr_0.x", trust_env=False) as stranger, pytest.raises(Unauthenticated):
        stranger.get("up_" + "0" * 32)


def test_pages_hold_every_upload_once(client: Client) -> None:
    """Listing by small pages finds all, newest first."""
    made = [client.upload(b"x", meeting="m2", name=f"{number}.txt").id for number in range(5)]
    assert [upload.id for upload in client.list("m2", page_size=2)] == made[::-1]


def test_the_policy_is_read(client: Client) -> None:
    """The published policy says how large a file may be."""
    assert client.policy()["max_file_size"] > 0


def test_a_lost_answer_makes_no_second_upload(client: Client, backend: Backend) -> None:
    """R19 through the client: the upload whose answer was lost is sent again by itself, and there is one."""
    line = Lossy(backend.web.port)
    with Client(line.url, backend.key, trust_env=False) as unlucky:
        upload = unlucky.upload(text(MIB), meeting="m1", name="notes.txt")
        grant = unlucky.grants.mint("upload", "m1")
    line.close()
    assert line.lost.startswith(b"HTTP/1.1 201")
    assert [one.id for one in client.list("m1")] == [upload.id]
    assert client.grants.get(grant).used is not None


def test_a_key_is_for_one_request(client: Client) -> None:
    """The caller's key gives the same upload again, and for another file an error of its own."""
    first = client.upload(b"minutes", meeting="m1", name="notes.txt", idempotency_key="file-7")
    again = client.upload(b"minutes", meeting="m1", name="notes.txt", idempotency_key="file-7")
    assert again.id == first.id
    with pytest.raises(KeyReused):
        client.upload(b"others", meeting="m1", name="notes.txt", idempotency_key="file-7")
