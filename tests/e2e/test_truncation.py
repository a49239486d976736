"""Bar R5: an upload whose connection is cut anywhere is not accepted, and nothing of it stays."""

from __future__ import annotations

import os
import random
import socket
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from stack.store import Store
from tests.e2e.serving import Backend, eventually, read_answer, stored_keys

SMALL, LARGE = 150_000, 12 * 1024 * 1024
CUTS, LARGE_CUTS = 200, 10
AT_ONCE = 8
SETTLED = {"refused", "abandoned"}
_RESET = struct.pack("ii", 1, 0)
_PRINTABLE = bytes(32 + value % 95 for value in range(256))
_FORM = (b'--b\r\nContent-Disposition: form-data; name="f"; filename="notes.txt"\r\n\r\n', b"\r\n--b--\r\n")


@dataclass(frozen=True)
class Request:
    """A whole request; `cut_short` of it must not be accepted."""

    head: bytes
    body: bytes


def raw(backend: Backend, content: bytes) -> Request:
    """The content as it is, with its length."""
    return Request(backend.head(len(content)), content)


def chunked(backend: Backend, content: bytes) -> Request:
    """The content in chunks."""
    pieces = [content[start : start + 20_000] for start in range(0, len(content), 20_000)]
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return Request(backend.head(None), body + b"0\r\n\r\n")


def multipart(backend: Backend, content: bytes) -> Request:
    """The content as the one file of a form."""
    body = _FORM[0] + content + _FORM[1]
    return Request(backend.head(len(body), more="Content-Type: multipart/form-data; boundary=b\r\n"), body)


def fin(link: socket.socket) -> int:
    """Say that nothing more comes, and read the answer's status (0: none)."""
    link.shutdown(socket.SHUT_WR)
    return read_answer(link)[0]


def close(_: socket.socket) -> int:
    """Just go."""
    return 0


def reset(link: socket.socket) -> int:
    """Go with a reset, as a machine does that lost the connection."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    return 0


def send_cut(backend: Backend, request: Request, offset: int, ending: Callable[[socket.socket], int]) -> int:
    """Send a request up to `offset` bytes of its body and return the answer's status, 0 for none.

    Again as long as all places of the account are taken: by cut uploads that are still being let go.
    """
    while (status := _send_cut(backend, request, offset, ending)) == 503:
        pass
    return status


def _send_cut(backend: Backend, request: Request, offset: int, ending: Callable[[socket.socket], int]) -> int:
    with backend.web.connect() as link:
        try:
            link.sendall(request.head + request.body[:offset])
            return ending(link)
        except ConnectionError:
            return 0


def offsets(request: Request, count: int, chance: random.Random) -> list[int]:
    """Random places in a body, and those next to its ends."""
    size = len(request.body)
    edges = [*range(8), *range(size - 12, size)]
    return [*edges, *(chance.randrange(size) for _ in range(count - len(edges)))]


def unread(port: int) -> int:
    """How many connections to `port` their clients have left and the server has not (CLOSE_WAIT)."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "08" for line in lines)


def check_cuts(backend: Backend, store: Store, request: Request, places: list[int], seed: int) -> None:
    """Cut at every place, and see that nothing is accepted and nothing stays."""
    chance = random.Random(seed)
    endings = [chance.choice([fin, fin, close, reset]) for _ in places]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = list(
            pool.map(lambda place, ending: send_cut(backend, request, place, ending), places, endings)
        )
    assert set(statuses) <= {0, 400}
    assert 400 in statuses

    def settled() -> bool:
        states = {upload["state"] for upload in backend.uploads()}
        assert states <= {*SETTLED, "receiving"}
        return states <= SETTLED and not unread(backend.web.port)

    eventually(settled, 60, "every cut upload's end")
    ids = {upload["id"] for upload in backend.uploads()}
    assert ids
    eventually(lambda: not any(stored_keys(store, ids).values()), 60, "removing what had arrived")


@pytest.mark.parametrize("shape", [raw, chunked, multipart])
def test_small_upload_cut_anywhere(
    backend: Backend, store: Store, shape: Callable[[Backend, bytes], Request]
) -> None:
    """200 places in the body of a small upload, its first and last bytes among them: accepted 0, left 0."""
    request = shape(backend, os.urandom(SMALL).translate(_PRINTABLE))
    check_cuts(backend, store, request, offsets(request, CUTS, random.Random(5)), seed=6)


@pytest.mark.parametrize("shape", [raw, chunked, multipart])
def test_large_upload_cut_anywhere(
    backend: Backend, store: Store, shape: Callable[[Backend, bytes], Request]
) -> None:
    """The same where the store has parts of an object already."""
    request = shape(backend, os.urandom(LARGE).translate(_PRINTABLE))
    chance = random.Random(7)
    places = [chance.randrange(LARGE // 2, len(request.body)) for _ in range(LARGE_CUTS)]
    check_cuts(backend, store, request, [*places, len(request.body) - 1], seed=8)


@pytest.mark.parametrize("shape", [raw, chunked, multipart])
def test_whole_upload_is_accepted(backend: Backend, shape: Callable[[Backend, bytes], Request]) -> None:
    """The same requests, whole, are taken: they are refused for the cut and nothing else."""
    request = shape(backend, b"minutes" * 1000)
    with backend.web.connect() as link:
        link.sendall(request.head + request.body)
        status, document = read_answer(link)
    assert (status, document["state"]) == (201, "released")
