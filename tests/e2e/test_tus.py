"""Resumable uploads on the real service: cut lines, killed processes, two writers, curl."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import socket
import struct
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import pytest

from service.stages.receive import SEGMENT_SIZE
from stack.processes import wait_until
from stack.store import Store
from tests.e2e.serving import Backend, Service, Web, eventually, kill, read_answer, stored_keys

TUS: Final = {"Tus-Resumable": "1.0.0"}
BYTES: Final = {"Content-Type": "application/offset+octet-stream"}
KIBI, MEBI = 1024, 1024 * 1024
UPLOADS, CUTS_EACH, AT_ONCE = 30, 4, 6
_RESET: Final = struct.pack("ii", 1, 0)
_PRINTABLE: Final = bytes(32 + value % 95 for value in range(256))


def text(size: int) -> bytes:
    """Random text of `size` bytes."""
    return os.urandom(size).translate(_PRINTABLE)


@dataclass
class Upload:
    """A client's view of one upload: after any trouble it asks for the offset and goes on from there."""

    backend: Backend
    content: bytes
    path: str = ""
    acknowledged: int = 0
    sent: int = 0
    broken: list[str] = field(default_factory=list)

    def begin(self) -> Upload:
        """Begin it."""
        metadata = ",".join(
            f"{key} {base64.b64encode(value.encode()).decode()}"
            for key, value in {"filename": "notes.txt", "meeting": self.backend.meeting}.items()
        )
        headers = {**TUS, "Upload-Length": str(len(self.content)), "Upload-Metadata": metadata}
        answer = self.backend.client.post("/v1/tus", headers=headers)
        assert answer.status_code == 201, answer.text
        self.path = answer.headers["Location"]
        return self

    @property
    def id(self) -> str:
        """Its id."""
        return self.path.rpartition("/")[2]

    def ask(self) -> int:
        """HEAD: never less than was acknowledged, never more than was sent."""
        answer = self.backend.client.head(self.path, headers=TUS)
        assert answer.status_code == 200, answer.status_code
        offset = int(answer.headers["Upload-Offset"])
        self._note(offset)
        return offset

    def _note(self, offset: int) -> None:
        if offset < self.acknowledged:
            self.broken.append(f"acknowledged {self.acknowledged}, then {offset}")
        if offset > self.sent:
            self.broken.append(f"sent {self.sent}, stored {offset}")
        self.acknowledged = max(self.acknowledged, offset)

    def patch(self, offset: int, end: int | None = None) -> int:
        """Send from `offset` on, all or up to `end`, and return the answer's status."""
        data = self.content[offset:end]
        self.sent = max(self.sent, offset + len(data))
        headers = {**TUS, **BYTES, "Upload-Offset": str(offset)}
        answer = self.backend.client.patch(self.path, content=data, headers=headers)
        if answer.status_code == 204:
            self._note(int(answer.headers["Upload-Offset"]))
        return answer.status_code

    def head(self, offset: int, length: int) -> bytes:
        """The head of a PATCH for a raw connection."""
        return (
            f"PATCH {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.backend.key}\r\n"
            f"Tus-Resumable: 1.0.0\r\nContent-Type: {BYTES['Content-Type']}\r\nUpload-Offset: {offset}\r\n"
            f"Content-Length: {length}\r\nConnection: close\r\n\r\n"
        ).encode()

    def patch_cut(self, offset: int, cut: int, ending: Callable[[socket.socket], None]) -> None:
        """Announce all that is left, send it up to `cut`, and let the line end."""
        self.sent = max(self.sent, cut)
        with self.backend.web.connect() as link:
            try:
                link.sendall(self.head(offset, len(self.content) - offset))
                link.sendall(self.content[offset:cut])
                ending(link)
            except ConnectionError:
                return

    def finish(self) -> None:
        """Go on until all is stored: 409 and 503 mean asking again."""
        for _ in range(100):
            offset = self.ask()
            if offset == len(self.content):
                return
            assert self.patch(offset) in {204, 409, 503}
        raise AssertionError("it never ended")

    def check(self) -> None:
        """It is released, once, and is byte for byte what was sent."""
        assert self.broken == []
        done = self.backend.until(self.id, {"released", "held", "blocked", "refused", "abandoned"}, 60)
        assert (done["state"], done["size"]) == ("released", len(self.content)), done
        assert done["sha256"] == hashlib.sha256(self.content).hexdigest()
        events = [step["event"] for step in done["history"]]
        assert [events.count(name) for name in ("stored", "found_clean", "copied_out")] == [1, 1, 1]
        content = self.backend.client.get(f"/v1/uploads/{self.id}/content").content
        assert hashlib.sha256(content).hexdigest() == done["sha256"]


def fin(link: socket.socket) -> None:
    """Say that nothing more comes, and hear what is said of it: never that the file is whole."""
    link.shutdown(socket.SHUT_WR)
    status, _ = read_answer(link)
    assert status in {0, 409, 503}


def close(_: socket.socket) -> None:
    """Just go."""


def reset(link: socket.socket) -> None:
    """Go with a reset, as a machine does that lost the connection."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def test_cut_anywhere(backend: Backend, store: Store) -> None:
    """Bar R5: 120 cuts at random offsets, the first and last byte among them. No cut upload is ever taken for
    whole, the offset never falls and is never ahead, and in the end each is exactly what was sent.
    """

    def one(seed: int) -> Upload:
        chance = random.Random(seed)
        upload = Upload(backend, text(chance.choice([3, 50_000, 700_000, 3 * MEBI]))).begin()
        size = len(upload.content)
        for _ in range(CUTS_EACH):
            offset = upload.ask()
            cut = chance.choice([offset, size - 1, chance.randrange(offset, size)])
            upload.patch_cut(offset, cut, chance.choice([fin, close, reset]))
            assert upload.backend.ask(upload.id)["state"] == "receiving"
        upload.finish()
        return upload

    with ThreadPoolExecutor(AT_ONCE) as pool:
        uploads = list(pool.map(one, range(UPLOADS)))
    for upload in uploads:
        upload.check()
    ids = {upload.id for upload in uploads}
    assert {document["id"] for document in backend.uploads()} == ids
    assert {key.partition("/")[0] for key in stored_keys(store, ids)["released"]} == ids


def test_chunked_piece_cut_anywhere(backend: Backend) -> None:
    """Without a Content-Length too: what came is kept, a chunk without an end makes nothing whole."""
    content = text(900_000)
    upload = Upload(backend, content).begin()
    upload.sent = len(content)
    chance = random.Random(3)
    for _ in range(10):
        offset = upload.ask()
        body = b"".join(
            b"%x\r\n%b\r\n" % (len(content[start : start + 7000]), content[start : start + 7000])
            for start in range(offset, len(content), 7000)
        )
        head = upload.head(offset, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        with backend.web.connect() as link:
            link.sendall(head + body[: chance.randrange(min(120_000, len(body) - 7000))])
            fin(link)
        assert backend.ask(upload.id)["state"] == "receiving"
    assert upload.acknowledged > 0
    upload.finish()
    upload.check()


def test_many_cuts_of_a_package_s_pieces(backend: Backend) -> None:
    """A file that came in 200 pieces is scanned and released like any other."""
    upload = Upload(backend, text(200 * 1000)).begin()
    for start in range(0, len(upload.content), 1000):
        assert upload.patch(start, start + 1000) == 204
    upload.check()


def test_whole_in_one_patch_is_judged_when_it_is_answered(backend: Backend) -> None:
    """No wait for the background worker: the state is there with the answer."""
    upload = Upload(backend, text(20 * MEBI)).begin()
    assert upload.patch(0) == 204
    assert backend.ask(upload.id)["state"] == "released"
    upload.check()


def test_large_piece_is_acknowledged_while_it_comes(backend: Backend) -> None:
    """A line that breaks after 70 MiB costs less than one segment."""
    upload = Upload(backend, text(MEBI) * 80).begin()
    upload.patch_cut(0, 70 * MEBI, close)
    eventually(lambda: upload.ask() >= SEGMENT_SIZE, 60, "the first segment's acknowledgement")
    upload.finish()
    upload.check()


def queued(link: socket.socket) -> int:
    """Bytes that the kernel still holds of what was sent on a connection, on both of its ends."""
    near, far = (f"0100007F:{port:04X}" for port in (link.getsockname()[1], link.getpeername()[1]))
    total = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        if {columns[1], columns[2]} == {near, far}:
            total += sum(int(queue, 16) for queue in columns[4].split(":"))
    return total


def test_dead_line_gives_up_what_it_brought(service: Service, web: Web) -> None:
    """A sender that fell silent and asks on another line: what its dead one brought is durable at once."""
    alone = service.web("--workers", "1")
    wait_until(alone.ready, 60, "readiness")
    backend = alone.backend()
    upload = Upload(backend, text(10 * MEBI)).begin()
    upload.sent = 3 * MEBI
    with alone.connect() as dead:
        dead.sendall(upload.head(0, len(upload.content)) + upload.content[: 3 * MEBI])
        eventually(lambda: queued(dead) == 0, 30, "reading all that was sent")
        assert upload.ask() == 3 * MEBI
        status, document = read_answer(dead)
        assert (status, document["code"]) == (409, "interrupted")
    upload.finish()
    upload.check()
    backend.close()
    alone.child.stop()


def test_two_writers_at_once(backend: Backend) -> None:
    """Both send the same file to one upload, in pieces of their own, through two processes: each byte is
    stored once, in its place, and the upload is judged once.
    """
    content = text(6 * MEBI)
    upload = Upload(backend, content).begin()
    upload.sent = len(content)

    def write(seed: int) -> set[int]:
        chance, statuses = random.Random(seed), set()
        mine = Upload(backend, content, upload.path, sent=len(content))
        while (offset := mine.ask()) < len(content):
            statuses.add(mine.patch(offset, offset + chance.choice([1, 10_000, 400_000, MEBI])))
        assert mine.broken == []
        return statuses

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(write, (1, 2))
    assert first | second <= {204, 409, 503}
    upload.check()


def test_web_killed_between_and_during_patches(service: Service, web: Web) -> None:
    """By kill -9 of the web processes, and of gunicorn itself with a new one in its place: nothing that was
    acknowledged is lost, the client goes on, and the file is what was sent.
    """
    doomed = service.web("--workers", "1")
    wait_until(doomed.ready, 60, "readiness")
    backend = doomed.backend()
    upload = Upload(backend, text(12 * MEBI)).begin()
    assert upload.patch(0, MEBI) == 204
    chance = random.Random(4)
    for _ in range(3):
        offset = upload.ask()
        with doomed.connect() as link:
            cut = offset + chance.randrange(MEBI)
            upload.sent = max(upload.sent, cut)
            link.sendall(upload.head(offset, len(upload.content) - offset) + upload.content[offset:cut])
            (pid,) = doomed.processes()
            kill(pid)
        eventually(lambda pid=pid: pid not in doomed.processes(), 30, "the end of the process")  # type: ignore[misc]
        wait_until(doomed.answers, 30, "gunicorn's new process")
        offset = upload.ask()
        # 409: a connection that the dead process had not taken yet came to the new one.
        assert upload.patch(offset, offset + MEBI) in {204, 409}
    for pid in [*doomed.processes(), doomed.child.pid]:
        kill(pid)
    doomed.child.process.wait()
    backend.close()
    upload.backend = Backend(web, backend.account, backend.key)
    upload.finish()
    upload.check()
    upload.backend.close()


def test_curl(backend: Backend, tmp_path: Path) -> None:
    """With nothing but curl: begin, send a part, ask, send the rest."""
    content = text(500_000)
    for name, data in (("part", content[:200_000]), ("rest", content[200_000:])):
        (tmp_path / name).write_bytes(data)

    def curl(path: str, *arguments: str) -> httpx.Headers:
        command = [
            "curl",
            "--silent",
            "--show-error",
            "--noproxy",
            "*",
            "--output",
            "/dev/null",
            "--dump-header",
            "-",
        ]
        command += ["--header", f"Authorization: Bearer {backend.key}", "--header", "Tus-Resumable: 1.0.0"]
        done = subprocess.run(
            [*command, *arguments, backend.web.url + path],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        *_, last = done.stdout.strip().split("\r\n\r\n")
        status, *lines = last.split("\r\n") if "\r\n" in last else last.split("\n")
        headers = httpx.Headers({name: value for name, _, value in (line.partition(": ") for line in lines)})
        headers["status"] = status.split()[1]
        return headers

    metadata = f"Upload-Metadata: filename {base64.b64encode(b'notes.txt').decode()},meeting bTE="
    begun = curl("/v1/tus", "--request", "POST", "--header", "Upload-Length: 500000", "--header", metadata)
    assert begun["status"] == "201"
    sending = ("--request", "PATCH", "--header", f"Content-Type: {BYTES['Content-Type']}", "--data-binary")
    path = begun["Location"]
    sent = curl(path, *sending, f"@{tmp_path / 'part'}", "--header", "Upload-Offset: 0")
    assert (sent["status"], sent["Upload-Offset"]) == ("204", "200000")
    asked = curl(path, "--head")
    assert (asked["status"], asked["Upload-Offset"], asked["Upload-Length"]) == ("200", "200000", "500000")
    sent = curl(path, *sending, f"@{tmp_path / 'rest'}", "--header", "Upload-Offset: 200000")
    assert (sent["status"], sent["Upload-Offset"]) == ("204", "500000")
    Upload(backend, content, path).check()


@pytest.mark.parametrize("count", [8])
def test_many_at_once_do_not_mix(backend: Backend, count: int) -> None:
    """Uploads side by side, each in pieces of its own rhythm."""
    uploads = [Upload(backend, text(600_000)).begin() for _ in range(count)]

    def write(upload: Upload) -> None:
        chance = random.Random(upload.id)
        while (offset := upload.ask()) < len(upload.content):
            upload.patch(offset, offset + chance.randrange(1, 200_000))

    threads = [threading.Thread(target=write, args=(upload,)) for upload in uploads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for upload in uploads:
        upload.check()
