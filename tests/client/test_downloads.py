"""A download is the released file or it is nothing."""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path

import pytest

from greenroom_client import Damaged, GreenroomError, NotReleased, UnexpectedAnswer, Unreachable
from tests.client.scripted import QUICK, Server, content_answer, problem, said, said_json, upload_document

CONTENT = bytes(range(256)) * 4096
DIGEST = f"sha-256=:{base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()}:"
DOCUMENT = said_json(200, upload_document(content=CONTENT))
WRONG = CONTENT[:-1] + b"!"


def left_behind(folder: Path) -> list[str]:
    """The names of all files there."""
    return sorted(path.name for path in folder.iterdir())


def test_a_download_is_saved_whole(server: Server, tmp_path: Path) -> None:
    """The content stands under its name, alone, in place of what stood there before."""
    server.answers += [DOCUMENT, content_answer(CONTENT)]
    path = tmp_path / "deck.pptx"
    path.write_bytes(b"older")
    with server.client() as client:
        upload = client.download("up_1", path)
    assert (upload.id, path.read_bytes(), left_behind(tmp_path)) == ("up_1", CONTENT, ["deck.pptx"])


def test_a_known_upload_is_not_asked_for(server: Server) -> None:
    """An upload that was read before needs no second question; a file object takes the content."""
    server.answers += [DOCUMENT, content_answer(CONTENT)]
    into = io.BytesIO()
    with server.client() as client:
        client.download(client.get("up_1"), into)
    assert into.getvalue() == CONTENT
    assert len(server.requests) == 2


def test_a_truncated_download_is_fetched_again(server: Server, tmp_path: Path) -> None:
    """A line that breaks half-way leads to one more try from the beginning."""
    server.answers += [
        DOCUMENT,
        content_answer(CONTENT[:100_000], digest_of=CONTENT, length=len(CONTENT)),
        content_answer(CONTENT),
    ]
    path = tmp_path / "deck.pptx"
    with server.client() as client:
        client.download("up_1", path)
    assert (path.read_bytes(), left_behind(tmp_path)) == (CONTENT, ["deck.pptx"])


def part_answer(first: int, content: bytes = CONTENT, digest_of: bytes = CONTENT, **other: str) -> bytes:
    """The rest of a download from `first` on."""
    digest = base64.b64encode(hashlib.sha256(digest_of).digest()).decode()
    told = {"Content_Range": f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}", **other}
    return said(206, content[first:], length=None, Repr_Digest=f"sha-256=:{digest}:", **told)


BROKEN = content_answer(CONTENT[:300_000], digest_of=CONTENT, length=len(CONTENT))


def test_a_broken_download_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    """The next try asks for the rest of this very content, and the whole is checked."""
    server.answers += [DOCUMENT, BROKEN, part_answer(262_144)]
    path = tmp_path / "deck.pptx"
    with server.client() as client:
        client.download("up_1", path)
    assert (path.read_bytes(), left_behind(tmp_path)) == (CONTENT, ["deck.pptx"])
    assert "range" not in server.requests[1].headers
    asked = server.requests[2].headers
    assert (asked["range"], asked["if-range"]) == (
        "bytes=262144-",
        f'"{hashlib.sha256(CONTENT).hexdigest()}"',
    )


@pytest.mark.parametrize(
    "answer",
    [
        part_answer(262_143),
        part_answer(262_144, Content_Range=f"bytes 262144-{len(CONTENT) - 1}/*"),
        part_answer(262_144, WRONG),
        part_answer(262_144, digest_of=WRONG),
        part_answer(262_144, CONTENT + b"!"),
        part_answer(262_144, CONTENT[:-1]),
    ],
    ids=["another part", "unknown size", "another content", "another digest", "longer", "shorter"],
)
def test_a_wrong_rest_leaves_nothing(server: Server, tmp_path: Path, answer: bytes) -> None:
    """What is not the rest of the same file is an error, and no file is made."""
    server.answers += [DOCUMENT, BROKEN, answer]
    with server.client() as client, pytest.raises(Damaged):
        client.download("up_1", tmp_path / "deck.pptx")
    assert left_behind(tmp_path) == []


def test_a_part_that_nobody_asked_for_is_no_file(server: Server, tmp_path: Path) -> None:
    """Not even if it is all of it."""
    server.answers += [DOCUMENT, part_answer(0)]
    with server.client() as client, pytest.raises(UnexpectedAnswer):
        client.download("up_1", tmp_path / "deck.pptx")
    assert left_behind(tmp_path) == []


def test_a_file_object_is_written_to_once(server: Server) -> None:
    """Before the first byte an error that may pass is tried again, and after it none is."""
    server.answers += [
        DOCUMENT,
        problem(503, "overloaded", retryable=True, Retry_After="0"),
        content_answer(CONTENT[:600_000], digest_of=CONTENT, length=len(CONTENT)),
    ]
    into = io.BytesIO()
    with server.client() as client, pytest.raises(Unreachable):
        client.download("up_1", into)
    assert 0 < len(into.getvalue()) < len(CONTENT)
    assert CONTENT.startswith(into.getvalue())
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("answer", "times", "kind"),
    [
        (content_answer(CONTENT[:9], digest_of=CONTENT, length=len(CONTENT)), QUICK.attempts, Unreachable),
        (content_answer(WRONG), 1, Damaged),
        (content_answer(WRONG, digest_of=CONTENT), 1, Damaged),
        (content_answer(CONTENT, digest_of=WRONG), 1, Damaged),
        (content_answer(CONTENT[:-1], digest_of=CONTENT), 1, Damaged),
        (content_answer(CONTENT + b"!", digest_of=CONTENT), 1, Damaged),
        (said(200, CONTENT), 1, Damaged),
        (said(200, CONTENT, Repr_Digest="sha-256=:AAAA:"), 1, Damaged),
        (said(204), 1, UnexpectedAnswer),
        (said(204, Repr_Digest=DIGEST), 1, UnexpectedAnswer),
        (said(200, CONTENT, Repr_Digest=DIGEST, Content_Encoding="gzip"), 1, UnexpectedAnswer),
        (problem(409, "not_released", retryable=False), 1, NotReleased),
        (problem(503, "store_unavailable", retryable=True), QUICK.attempts, GreenroomError),
    ],
    ids=[
        "truncated",
        "another file",
        "another content",
        "another digest",
        "shorter",
        "longer",
        "no digest",
        "odd digest",
        "no content",
        "no content, with its digest",
        "encoded",
        "not released",
        "away",
    ],
)
def test_a_wrong_download_leaves_nothing(
    server: Server, tmp_path: Path, answer: bytes, times: int, kind: type[GreenroomError]
) -> None:
    """What is not the released file is an error, is tried again only if that may help, and leaves no file."""
    server.answers += [DOCUMENT, *[answer] * times]
    path = tmp_path / "deck.pptx"
    path.write_bytes(b"older")
    with server.client() as client, pytest.raises(kind):
        client.download("up_1", path)
    assert (path.read_bytes(), left_behind(tmp_path)) == (b"older", ["deck.pptx"])
    assert len(server.requests) == 1 + times


def test_an_upload_without_a_digest_cannot_be_checked(server: Server, tmp_path: Path) -> None:
    """Where the service tells no SHA-256 of the upload, nothing that comes counts as it."""
    document = said_json(200, upload_document("scanning", sha256=None, size=None))
    server.answers += [document, content_answer(CONTENT)]
    with server.client() as client, pytest.raises(Damaged):
        client.download("up_1", tmp_path / "deck.pptx")
    assert left_behind(tmp_path) == []
