"""Senders that are too large or too slow, over real connections (bar R12)."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from stack.store import Store
from tests.e2e.serving import Backend, Service, Web, eventually, read_answer, stored_keys
from tests.e2e.variant import LIMIT, write_policy

SHIPPED_LIMIT = 512 * 1024 * 1024
SLOW_SENDERS = 8


@pytest.fixture(scope="module")
def small(web: Web, service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A backend of a service that takes at most 1 MiB."""
    folder = tmp_path_factory.mktemp("small")
    policy = write_policy(folder / "policy.toml", LIMIT)
    environ = {**service.environ, "GREENROOM_POLICY_FILE": str(policy)}
    other = replace(service, environ=environ, folder=folder, children=[])
    backend = other.web("--workers", "1").backend()
    yield backend
    backend.close()
    for child in other.children:
        child.stop()


@pytest.mark.parametrize("more", ["", "Expect: 100-continue\r\n"], ids=["plain", "expect"])
def test_too_large_is_told_before_the_body(backend: Backend, more: str) -> None:
    """A length over the limit is 413 while no byte of the body was sent, whether the sender asks or not."""
    with backend.web.connect(10) as link:
        link.sendall(backend.head(SHIPPED_LIMIT + 1, more=more))
        status, document = read_answer(link)
    assert (status, document["code"]) == (413, "too_large")
    assert [upload["state"] for upload in backend.uploads()] == ["refused"]


def test_too_large_form_is_told_before_the_body(backend: Backend) -> None:
    """The same for a form that no file within the limit could fill."""
    kind = "Content-Type: multipart/form-data; boundary=b\r\n"
    with backend.web.connect(10) as link:
        link.sendall(backend.head(SHIPPED_LIMIT + 100_000, more=kind))
        status, document = read_answer(link)
    assert (status, document["code"]) == (413, "too_large")


def test_unknown_key_is_told_before_the_body(backend: Backend) -> None:
    """401 does not wait for the body either."""
    stranger = replace(backend, key="gr_000000000000." + "A" * 43)
    with backend.web.connect(10) as link:
        link.sendall(stranger.head(1_000_000))
        assert read_answer(link)[0] == 401
    stranger.close()


def in_pieces(size: int) -> Iterator[bytes]:
    """Text of that many bytes, to be sent in chunks."""
    for start in range(0, size, 50_000):
        yield b"x" * min(50_000, size - start)


def test_chunks_over_the_limit_are_refused(small: Backend, store: Store) -> None:
    """Without a length the bytes are counted: the limit passes, one more is 413 and nothing of it stays."""
    assert small.upload(in_pieces(LIMIT))["state"] == "released"
    answer = small.post(in_pieces(LIMIT + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    refused = small.uploads()[0]
    assert refused["state"] == "refused"
    eventually(lambda: not any(stored_keys(store, {refused["id"]}).values()), 20, "removing what had arrived")


def test_endless_chunks_are_cut_off(small: Backend) -> None:
    """A sender without an end is stopped soon after the limit."""
    sent = 0
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with small.web.connect(20) as link:
        link.sendall(small.head(None))
        try:
            while sent < 64 * LIMIT:
                link.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
    assert sent < 32 * LIMIT


def test_slow_sender_is_cut_off_while_others_are_served(backend: Backend) -> None:
    """R12: senders of 1 byte/s get 408 within 30 s, nothing of theirs stays, and health answers all along."""
    begun = time.monotonic()
    links = [backend.web.connect(40) for _ in range(SLOW_SENDERS)]
    for link in links:
        link.sendall(backend.head(100_000))
    waiting = dict.fromkeys(links)
    slowest_health = 0.0
    while waiting and time.monotonic() - begun < 30:
        for link in list(waiting):
            if not _trickle(link):
                del waiting[link]
        asked = time.monotonic()
        assert httpx.get(f"{backend.web.url}/healthz", timeout=10, trust_env=False).is_success
        slowest_health = max(slowest_health, time.monotonic() - asked)
        # One byte a second is what this test is about.
        time.sleep(max(0.0, 1.0 - (time.monotonic() - asked)))
    assert not waiting, "a slow sender was not cut off within 30 s"
    for link in links:
        status, document = read_answer(link)
        link.close()
        assert (status, document["code"]) == (408, "too_slow")
    assert slowest_health <= 1.0
    assert {upload["state"] for upload in backend.uploads()} <= {"abandoned"}


def _trickle(link: socket.socket) -> bool:
    """Send one byte; false once an answer has come."""
    link.settimeout(0)
    try:
        link.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        link.settimeout(10)
        link.sendall(b"x")
        return True
    finally:
        link.settimeout(10)
    return False
