"""The main job through real processes: what goes in, what comes out, and that it is the same bytes (R4)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

import pytest

from stack.samples import EICAR, clean_deck
from stack.store import Store
from stack.store_policy import QUARANTINE, RELEASED
from tests.e2e.serving import Backend, Service, eventually, stored_keys

KIB, MIB = 1024, 1024 * 1024
_PRINTABLE = bytes(32 + value % 95 for value in range(256))
EDGES = [
    0,
    1,
    4,
    5,
    6,
    64 * KIB - 1,
    64 * KIB,
    64 * KIB + 1,
    256 * KIB,
    5 * MIB - 1,
    5 * MIB,
    5 * MIB + 1,
    10 * MIB + 1,
]
SEGMENT_EDGES = [64 * MIB - 1, 64 * MIB, 64 * MIB + 1]


def text(size: int) -> bytes:
    """Random printable text of that many bytes."""
    return os.urandom(size).translate(_PRINTABLE)


def in_chunks(content: bytes) -> Iterator[bytes]:
    """The content in pieces, so that it is sent chunked."""
    for start in range(0, len(content), 100_000):
        yield content[start : start + 100_000]


def test_clean_deck_is_released_and_comes_back(backend: Backend, store: Store) -> None:
    """A clean file is released by the time of the answer, identical, and gone from quarantine."""
    deck = clean_deck()
    upload = backend.upload(deck, "deck.pptx")
    assert upload["state"] == "released"
    assert backend.client.get(f"/v1/uploads/{upload['id']}/content").content == deck
    eventually(lambda: not stored_keys(store, {upload["id"]})[QUARANTINE], 20, "dropping the quarantine copy")
    assert len(stored_keys(store, {upload["id"]})[RELEASED]) == 1


def test_eicar_is_blocked_and_stays_in_quarantine(backend: Backend, store: Store) -> None:
    """A find never reaches the released bucket."""
    upload = backend.upload(EICAR, "eicar.txt")
    assert (upload["state"], upload["verdict"]["kind"]) == ("blocked", "infected")
    assert backend.client.get(f"/v1/uploads/{upload['id']}/content").status_code == 409
    keys = stored_keys(store, {upload["id"]})
    assert keys[RELEASED] == []
    assert len(keys[QUARANTINE]) == 1


def check_same_bytes(backend: Backend, size: int, *, chunked: bool) -> None:
    """Upload text of `size` bytes and follow its digest all the way."""
    content = text(size)
    digest = hashlib.sha256(content).hexdigest()
    upload = backend.upload(in_chunks(content) if chunked else content)
    assert (upload["state"], upload["size"], upload["sha256"]) == ("released", size, digest)
    received = hashlib.sha256()
    with backend.client.stream("GET", f"/v1/uploads/{upload['id']}/content") as answer:
        assert answer.headers["Content-Length"] == str(size)
        for piece in answer.iter_bytes():
            received.update(piece)
    assert received.hexdigest() == digest


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("size", EDGES)
def test_same_bytes(backend: Backend, size: int, chunked: bool) -> None:  # noqa: FBT001
    """R4: received = stored = scanned = released = downloaded at every edge of parts and windows."""
    check_same_bytes(backend, size, chunked=chunked)


@pytest.mark.parametrize("size", SEGMENT_EDGES)
def test_same_bytes_over_segments(backend: Backend, store: Store, size: int) -> None:
    """R4 where a content grows from one segment to two."""
    check_same_bytes(backend, size, chunked=False)
    upload = backend.uploads()[0]
    assert len(stored_keys(store, {upload["id"]})[RELEASED]) == (2 if size > 64 * MIB else 1)


@pytest.mark.parametrize("size", SEGMENT_EDGES)
def test_same_bytes_over_segments_in_chunks(backend: Backend, size: int) -> None:
    """The same where the sender did not tell the length."""
    check_same_bytes(backend, size, chunked=True)


def test_logs_hold_no_key_and_no_name(backend: Backend, service: Service) -> None:
    """Invariant 9, with the log of real processes: no secret of a key or of the store, no client name."""
    upload = backend.upload(b"minutes", "Merger with Initech.txt")
    backend.post(b"minutes", "Merger with Initech.exe")
    eventually(lambda: upload["id"] in service.logged(), 20, "the events of the upload")
    logged = service.logged()
    assert "Initech" not in logged
    assert backend.key.split(".")[1] not in logged
    secrets = [value for name, value in service.environ.items() if name.endswith("SECRET_KEY")]
    assert secrets
    assert not any(secret in logged for secret in secrets)
