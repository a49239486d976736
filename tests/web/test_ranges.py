"""Parts of downloads (RFC 9110, 14): the bytes that were asked for, proved, or a clear no."""

from __future__ import annotations

import hashlib
import io
import random
from typing import Final

import pytest
from werkzeug.test import TestResponse

from service.core.account import HOME
from service.core.journal import Act
from service.core.upload import Segment, State
from service.stages.parts import new_segment_key, new_upload_id
from tests.web.conftest import Backend, assert_problem
from tests.web.test_contract import ONE, check

CONTENT: Final = random.Random(6).randbytes(700 * 1024).hex().encode()
SIZE: Final = len(CONTENT)
FRAME: Final = 256 * 1024
ETAG: Final = f'"{hashlib.sha256(CONTENT).hexdigest()}"'


@pytest.fixture
def path(backend: Backend) -> str:
    """Where a released file of some frames is."""
    return f"{backend.post(CONTENT).headers['Location']}/content"


def ask(backend: Backend, path: str, asked: str, **headers: str) -> TestResponse:
    """Ask for a part."""
    return backend.get(path, headers={"Range": asked, **headers})


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=1-", 1, SIZE - 1),
        ("bytes=-1", SIZE - 1, SIZE - 1),
        (f"bytes={FRAME - 1}-{FRAME}", FRAME - 1, FRAME),
        (f"bytes={FRAME}-{2 * FRAME - 1}", FRAME, 2 * FRAME - 1),
        (f"bytes=5-{3 * FRAME + 7}", 5, 3 * FRAME + 7),
        ("bytes=-700000", SIZE - 700_000, SIZE - 1),
        (f"bytes={SIZE - 1}-{SIZE + 100}", SIZE - 1, SIZE - 1),
    ],
)
def test_a_part_is_those_bytes_and_says_which(
    backend: Backend, path: str, asked: str, first: int, last: int
) -> None:
    """206 with exactly the bytes, under every header that the whole has, and the whole file's digest."""
    whole, part = backend.get(path), ask(backend, path, asked)
    assert (part.status_code, part.get_data()) == (206, CONTENT[first : last + 1])
    assert part.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert part.headers["Content-Length"] == str(last - first + 1)
    other = {"Content-Range", "Content-Length", "X-Request-Id"}
    assert {name: value for name, value in part.headers if name not in other} == {
        name: value for name, value in whole.headers if name not in other
    }
    assert whole.headers["ETag"] == ETAG


def test_answers_are_as_published(backend: Backend, path: str) -> None:
    """A part, and the refusal of one."""
    document = backend.get("/openapi.json").get_json()
    check(document, "get", f"{ONE}/content", ask(backend, path, "bytes=1-2"))
    check(document, "get", f"{ONE}/content", ask(backend, path, f"bytes={SIZE}-"))


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "rows=1-2", "bytes=7-3", "bytes=x-", ""])
def test_what_is_no_single_range_means_the_whole(backend: Backend, path: str, asked: str) -> None:
    """200, as a server may answer, and never a guess."""
    answer = ask(backend, path, asked)
    assert (answer.status_code, answer.get_data()) == (200, CONTENT)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=99999999-", "bytes=-0"])
def test_bytes_that_are_not_there(backend: Backend, path: str, asked: str) -> None:
    """416 with the size; nothing was handed out, so nothing is logged as such."""
    answer = ask(backend, path, asked)
    assert_problem(answer, 416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
    assert downloads(backend, path) == 0


@pytest.mark.parametrize(
    ("validator", "status"),
    [
        (ETAG, 206),
        (f"W/{ETAG}", 200),
        (ETAG.strip('"'), 200),
        ('"other"', 200),
        ("", 200),
        ("Sun, 22 Nov 2026 12:00:00 GMT", 200),
    ],
)
def test_a_part_of_another_file_is_the_whole_file(
    backend: Backend, path: str, validator: str, status: int
) -> None:
    """Only the strong ETag of this very content makes two parts one file (RFC 9110, 13.1.5)."""
    answer = ask(backend, path, "bytes=5-9", **{"If-Range": validator})
    assert (answer.status_code, answer.get_data()) == (status, CONTENT[5:10] if status == 206 else CONTENT)


def test_head_knows_no_parts(backend: Backend, path: str) -> None:
    """A range is for GET alone."""
    answer = backend.call("HEAD", path, headers={"Range": "bytes=1-2"})
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(SIZE))
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("asked", ["bytes=0-", "bytes=-5"])
def test_an_empty_file_has_no_parts(backend: Backend, asked: str) -> None:
    """Not even its end."""
    answer = ask(backend, f"{backend.post(b'').headers['Location']}/content", asked)
    assert_problem(answer, 416, "range_not_satisfiable")


def test_each_part_is_logged(backend: Backend, path: str) -> None:
    """Before its first byte, as a whole download is."""
    for asked in ("bytes=0-9", "bytes=10-19"):
        ask(backend, path, asked)
    assert downloads(backend, path) == 2


def test_files_from_before_contents_were_sealed_are_given_whole(backend: Backend) -> None:
    """Of them a part could not be proved."""
    store, sha256 = backend.parts.stores[HOME], hashlib.sha256(CONTENT).hexdigest()
    plain = store.put(new_segment_key(new_upload_id(backend.parts.clock.now())), io.BytesIO(CONTENT), SIZE)
    store.release(plain)
    segment = Segment(0, plain.key, SIZE, sha256, plain.etag)
    upload = backend.insert(State.RELEASED, segments=(segment,), size=SIZE, sha256=sha256)
    answer = ask(backend, f"/v1/uploads/{upload.id}/content", "bytes=5-9")
    assert (answer.status_code, answer.get_data()) == (200, CONTENT)
    assert answer.headers["Accept-Ranges"] == "none"


def downloads(backend: Backend, path: str) -> int:
    """Count what was logged as handed out."""
    lines = backend.parts.journal.of_upload(path.split("/")[3])
    return sum(line.entry.event == Act.DOWNLOADED.value for line in lines)
