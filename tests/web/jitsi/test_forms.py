"""The form that carries a file and what is said of it: any order, hostile metadata, ids used twice."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from service.core.upload import State
from service.web.public.body import MultipartBody
from tests.core.bodies import Body
from tests.web.conftest import assert_problem
from tests.web.jitsi.meeting import (
    BOUNDARY,
    CLOSE,
    Meeting,
    file_part,
    metadata,
    new_file_id,
    text_part,
)

#: More than is parsed at once, so that the parts come in different rounds.
LONG = b"x" * 600_000


@pytest.mark.parametrize("content", [b"minutes", LONG], ids=["short", "long"])
@pytest.mark.parametrize("file_first", [False, True], ids=["metadata first", "file first"])
def test_the_parts_may_come_in_any_order(meeting: Meeting, content: bytes, *, file_first: bool) -> None:
    """The file's bytes are the file's alone, whichever part comes first."""
    file_id = new_file_id()
    both = [text_part(metadata(file_id)), file_part(content)]
    answer = meeting.post(b"".join(reversed(both) if file_first else both) + CLOSE)
    assert answer.get_json() == {"fileId": file_id}
    address = meeting.document(file_id).get_json()["presignedUrl"]
    assert meeting.follow(address).get_data() == content


@pytest.mark.parametrize("size", [1, 2, 3, 7, 61, 4096])
@pytest.mark.parametrize("file_first", [False, True], ids=["metadata first", "file first"])
def test_a_form_may_come_in_any_pieces(size: int, *, file_first: bool) -> None:
    """Wherever the network cuts it, each part is whole, and the file's end is told last."""
    content, text = b"minutes\r\n--" * 50, padded(1000)
    both = [text_part(text), file_part(content)]
    form = b"".join(reversed(both) if file_first else both) + CLOSE
    taken: list[bytes] = []
    body = MultipartBody(
        Body(form, [size]), f"multipart/form-data; boundary={BOUNDARY}", len(form), {"metadata": taken.append}
    )
    body.open()
    assert b"".join(iter(lambda: body.read(100), b"")) == content
    assert taken == [text]


def padded(size: int) -> bytes:
    """Metadata of exactly so many bytes."""
    plain = metadata(new_file_id(), pad="")
    return plain[:-2] + b"x" * (size - len(plain)) + plain[-2:]


BAD_METADATA: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"hello",
    "half": metadata(new_file_id())[:-5],
    "null": b"null",
    "a list": b"[]",
    "a text": b'"fileId"',
    "a number": b"7",
    "NaN": b"NaN",
    "no fileId": b"{}",
    "null fileId": metadata("x", fileId=None),
    "number fileId": metadata("x", fileId=7),
    "true fileId": metadata("x", fileId=True),
    "list fileId": metadata("x", fileId=["a"]),
    "object fileId": metadata("x", fileId={"a": 1}),
    "empty fileId": metadata(""),
    "long fileId": metadata("a" * 65),
    "path fileId": metadata("../../etc/passwd"),
    "slash fileId": metadata("a/b"),
    "dot fileId": metadata("."),
    "blank fileId": metadata("a b"),
    "newline fileId": metadata("abc\n"),
    "NUL fileId": metadata("a\0b"),
    "SQL fileId": metadata("' OR 1=1 --"),
    "accented fileId": metadata("caf\u00e9"),
    "bidi fileId": metadata("a\u202eb"),
    "surrogate fileId": b'{"fileId": "\\ud800"}',
    "not UTF-8": b'{"fileId": "a", "x": "\xff\xfe"}',
    "UTF-16": metadata(new_file_id()).decode().encode("utf-16"),
    "deep": b'{"fileId": "a", "x": ' + b"[" * 2000 + b"]" * 2000 + b"}",
    "one byte too long": padded(4097),
    "huge": padded(1_000_000),
}


@pytest.mark.parametrize("file_first", [False, True], ids=["metadata first", "file first"])
@pytest.mark.parametrize("name", BAD_METADATA)
def test_bad_metadata_is_refused(meeting: Meeting, name: str, *, file_first: bool) -> None:
    """400, and nothing of the file is kept, even where its bytes came first."""
    both = [text_part(BAD_METADATA[name]), file_part()]
    answer = meeting.post(b"".join(reversed(both) if file_first else both) + CLOSE)
    assert_problem(answer, 400, "bad_request")
    assert meeting.uploads() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"fileName": "../../etc/passwd"},
        {"fileName": None, "fileSize": "many", "timestamp": []},
        {"conferenceFullName": {"a": ["b"]}, "unknown": "\u202e\0", "fileSize": -(10**30)},
        {"account_id": "other", "upload_id": "up_" + "0" * 32, "meeting_id": "other", "user_id": "other"},
    ],
)
def test_what_else_metadata_says_does_not_count(meeting: Meeting, changes: dict[str, Any]) -> None:
    """Only the id is read: names, sizes and authors come from the form's file and from the token."""
    file_id = new_file_id()
    answer = meeting.post(text_part(metadata(file_id, **changes)) + file_part() + CLOSE)
    assert answer.get_json() == {"fileId": file_id}
    document = meeting.document(file_id).get_json()
    assert (document["fileName"], document["fileSize"], document["userId"]) == ("notes.txt", 7, "u-1")


def test_metadata_may_be_as_long_as_said(meeting: Meeting) -> None:
    """4096 bytes are read."""
    text = padded(4096)
    assert len(text) == 4096
    answer = meeting.post(text_part(text) + file_part() + CLOSE)
    assert answer.get_json() == {"fileId": json.loads(text)["fileId"]}


@pytest.mark.parametrize(
    ("filename", "shown"),
    [("C:\\\\Users\\\\me\\\\deck.txt", "deck.txt"), ("../../../etc/cron.d/x.txt", "x.txt")],
)
def test_a_name_with_a_path_loses_it(meeting: Meeting, filename: str, shown: str) -> None:
    """The form's filename is a stranger's text like any other, and no part of a key in the store."""
    file_id = meeting.share(filename=filename)
    assert meeting.document(file_id).get_json()["fileName"] == shown
    upload = meeting.upload(file_id)
    assert all(segment.key.startswith(f"{upload.id}/") for segment in upload.segments)
    assert file_id not in "".join(segment.key for segment in upload.segments)


GOOD = text_part(metadata("a"))
FILE = file_part()
BAD_FORMS = {
    "no metadata": FILE + CLOSE,
    "no file": GOOD + CLOSE,
    "metadata twice": GOOD + text_part(metadata("b")) + FILE + CLOSE,
    "metadata before and after": GOOD + FILE + text_part(metadata("b")) + CLOSE,
    "two files": GOOD + FILE + FILE + CLOSE,
    "another text": GOOD + text_part(b"x", "note") + FILE + CLOSE,
    "another text after": GOOD + FILE + text_part(b"x", "note") + CLOSE,
    "metadata as a file": FILE.replace(b'name="file"; filename="notes.txt"', b'name="metadata"; filename="m"')
    + FILE
    + CLOSE,
    "no closing boundary": GOOD + FILE,
    "ends within metadata": GOOD[:-20],
    "ends within metadata after": FILE + GOOD[:-20],
    "a part without a name": GOOD + f"--{BOUNDARY}\r\n\r\nx\r\n".encode() + FILE + CLOSE,
    "many texts": text_part(b"x", "n") * 5000 + GOOD + FILE + CLOSE,
    "no filename's text": GOOD + file_part(filename="") + CLOSE,
    "no part": CLOSE,
    "empty": b"",
}


@pytest.mark.parametrize("name", BAD_FORMS)
def test_any_other_form_is_refused(meeting: Meeting, name: str) -> None:
    """Exactly one file and exactly one metadata, complete: all else is a 400, and nothing is kept."""
    answer = meeting.post(BAD_FORMS[name])
    assert answer.status_code == 400, answer.get_data(as_text=True)
    assert_problem(answer, 400, answer.get_json(force=True)["code"])
    assert meeting.uploads() == []


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "", "application/x-www-form-urlencoded"])
def test_only_forms_are_taken(meeting: Meeting, kind: str) -> None:
    """A body that is no form is a 400."""
    answer = meeting.call("POST", meeting.files, data=b"minutes", content_type=kind)
    assert_problem(answer, 400, "bad_request")
    assert meeting.uploads() == []


def test_a_type_that_is_not_allowed_is_refused(meeting: Meeting) -> None:
    """The policy holds for meetings as for anybody."""
    form = text_part(metadata(new_file_id())) + file_part(filename="tool.exe") + CLOSE
    assert_problem(meeting.post(form), 415, "type_not_allowed")


@pytest.mark.parametrize("file_first", [False, True], ids=["metadata first", "file first"])
def test_an_id_is_good_once(meeting: Meeting, neighbour: Meeting, *, file_first: bool) -> None:
    """A second file under one id is a 409 and the first stays what it is, even after it was deleted; the same
    id in another meeting is another file.
    """
    file_id = meeting.share(b"first")
    both = [text_part(metadata(file_id)), file_part(b"second")]
    form = b"".join(reversed(both) if file_first else both) + CLOSE
    assert_problem(meeting.post(form), 409, "conflict")
    assert [upload.state for upload in meeting.uploads()] == [State.RELEASED]
    address = meeting.document(file_id).get_json()["presignedUrl"]
    assert meeting.follow(address).get_data() == b"first"
    assert neighbour.post(form).status_code == 200
    assert meeting.call("DELETE", f"{meeting.files}/{file_id}").status_code == 200
    assert_problem(meeting.post(form), 409, "conflict")
    assert neighbour.follow(neighbour.document(file_id).get_json()["presignedUrl"]).get_data() == b"second"


def test_of_many_at_once_one_gets_the_id(meeting: Meeting) -> None:
    """Four posts with one id: one is the file, the others are told so and leave no content behind."""
    file_id = new_file_id()

    def post(number: int) -> int:
        content = f"content {number}".encode()
        return meeting.post(text_part(metadata(file_id)) + file_part(content) + CLOSE).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(post, range(4)))
    assert statuses == [200, 409, 409, 409]
    assert [upload.state for upload in meeting.uploads() if upload.state is not State.ERASED] == [
        State.RELEASED
    ]
