"""Clients that take up connections and say little, over real connections: they cost no thread (bar R12)."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from stack.ports import LOOPBACK
from stack.processes import wait_until
from tests.e2e.serving import Backend, Web, read_answer

#: More than all threads of all processes of gunicorn.conf.py.
CROWD = 160
STRANGER = "gr_000000000000." + "A" * 43
UNREAD = {
    "a wrong key": "POST /v1/uploads?meeting=m1&name=a.txt HTTP/1.1\r\nAuthorization: Bearer " + STRANGER,
    "no such page": "POST /nowhere HTTP/1.1",
    "a GET": "GET /healthz HTTP/1.1",
}
HALF = b"GET /healthz HTTP/1.1\r\nHost: lo"
HOST = "\r\nHost: localhost\r\n"


@contextlib.contextmanager
def crowd(web: Web, said: bytes) -> Iterator[list[socket.socket]]:
    """Many connections on each of which the same was said."""
    with contextlib.ExitStack() as held:
        links = [held.enter_context(web.connect(20)) for _ in range(CROWD)]
        for link in links:
            link.sendall(said)
        yield links


def check_served(web: Web) -> None:
    """A quick question is answered at once, by whichever process takes it."""
    for _ in range(8):
        assert httpx.get(f"{web.url}/healthz", timeout=4, trust_env=False).is_success


@pytest.mark.parametrize("framing", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("request_", UNREAD)
def test_body_that_never_comes_holds_no_thread(web: Web, request_: str, framing: str) -> None:
    """Whoever is answered before the body costs nothing more, though the body never comes."""
    with crowd(web, f"{UNREAD[request_]}{HOST}{framing}\r\n\r\n".encode()) as links:
        check_served(web)
        # The answer has come, and the server's end of the connection is closed behind it.
        assert b"\r\nConnection: close\r\n" in links[0].recv(65536)


def test_head_that_never_comes_holds_no_thread(web: Web) -> None:
    """Neither clients that say nothing nor such as stop within a request's head hold a thread, and they are
    hung up on.
    """
    with contextlib.ExitStack() as held:
        crowds = [held.enter_context(crowd(web, said)) for said in (b"", b"G", HALF)]
        check_served(web)
        assert [links[0].recv(1) for links in crowds] == [b"", b"", b""]


def test_head_in_pieces_is_answered(web: Web) -> None:
    """A head may come in pieces, as may that of the next request on the same connection."""
    with web.connect(20) as link:
        for piece in (HALF, b"calhost\r\n\r", b"\n", HALF):
            link.sendall(piece)
        answer = b""
        while not answer.endswith(b"}\n"):
            answer += link.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 ")
        link.sendall(b"calhost\r\nConnection: close\r\n\r\n")
        assert read_answer(link)[0] == 200


def test_answers_that_nobody_takes_hold_no_thread_for_long(web: Web) -> None:
    """Clients that ask much at once and read nothing lose their answers; others are served again."""
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 16
    with contextlib.ExitStack() as held:
        for _ in range(CROWD):
            link = held.enter_context(socket.socket())
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            link.settimeout(20)
            link.connect((LOOPBACK, web.port))
            link.sendall(asked)
        wait_until(lambda: all(web.answers() for _ in range(8)), 90, "answers beside those who take none")


def test_endless_head_is_refused(web: Web) -> None:
    """A head without an end is 431, not memory."""
    with web.connect(20) as link:
        link.sendall(b"GET /healthz HTTP/1.1\r\nX-Long: " + b"x" * 40_000)
        assert link.recv(65536).startswith(b"HTTP/1.1 431 ")


def test_answer_before_the_body_reaches_a_sender_in_the_middle_of_it(backend: Backend) -> None:
    """A sender that goes on sending after the refusal is listened to, so that the refusal reaches it."""
    stranger = replace(backend, key=STRANGER)
    body = b"x" * 4_000_000
    with backend.web.connect(20) as link:
        link.sendall(stranger.head(len(body)) + body[:1000])
        link.sendall(body[1000:])
        assert read_answer(link)[0] == 401
    stranger.close()


def test_connection_is_kept_after_a_body_that_was_read(backend: Backend) -> None:
    """An upload that was read to its end leaves its connection usable for the next request."""
    head = backend.head(7).replace(b"Connection: close\r\n", b"")
    with backend.web.connect(20) as link:
        for _ in range(2):
            link.sendall(head + b"minutes")
            answer = link.recv(65536)
            assert answer.startswith(b"HTTP/1.1 20")
            assert b"\r\nConnection: keep-alive\r\n" in answer
            while not answer.endswith(b"}\n"):
                answer += link.recv(65536)
