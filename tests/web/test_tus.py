"""tus 1.0.0 at /v1/tus, rule by rule."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from service.core.canary import EICAR
from service.core.errors import LedgerUnavailable
from service.core.upload import State
from service.jobs.reconcile import reconcile
from service.stages.advance import advance
from service.stages.parts import Parts
from service.web.public import create_app
from service.web.public.slots import Slots
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Faults
from tests.fakes.queue import FakeQueue
from tests.web.conftest import SLOTS, Backend, Without, assert_problem, believing, new_backend

TUS: Final = {"Tus-Resumable": "1.0.0"}
BYTES: Final = "application/offset+octet-stream"
MINUTES: Final = b"minutes of the meeting " * 1000


def encoded(**values: str) -> str:
    """Return an Upload-Metadata value."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def checksum(data: bytes, algorithm: str = "sha1") -> str:
    """Return an Upload-Checksum value."""
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def begin(
    backend: Backend, length: int | str = len(MINUTES), data: bytes | None = None, **headers: str
) -> TestResponse:
    """Begin an upload of notes.txt in m1."""
    given = {
        **TUS,
        "Upload-Length": str(length),
        "Upload-Metadata": encoded(filename="notes.txt", meeting="m1"),
    }
    given |= {} if data is None else {"Content-Type": BYTES}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return backend.call("POST", "/v1/tus", headers=given, data=data or b"")


def begun(backend: Backend, length: int = len(MINUTES)) -> str:
    """Begin an upload and return its path."""
    answer = begin(backend, length)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.headers["Location"]


def patch(backend: Backend, path: str, offset: int | str, data: bytes, **headers: str) -> TestResponse:
    """Go on with an upload."""
    given = {**TUS, "Upload-Offset": str(offset), "Content-Type": BYTES}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return backend.call("PATCH", path, headers=given, data=data)


def head(backend: Backend, path: str) -> TestResponse:
    """Ask for the offset."""
    return backend.call("HEAD", path, headers=TUS)


def state(backend: Backend, path: str) -> str:
    """The upload's state, asked for by its id where every upload is asked for."""
    return str(backend.get(path.replace("/v1/tus/", "/v1/uploads/")).get_json()["state"])


def upload_id(path: str) -> str:
    """The id at the end of a path."""
    return path.rpartition("/")[2]


# ----------------------------------------------------------------------------- core protocol


def test_options_tells_what_is_spoken(backend: Backend) -> None:
    """Version, extensions, largest size, algorithms: to anybody, with or without a version of their own."""
    answer = backend.app.test_client().options("/v1/tus")
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == "creation,creation-with-upload,expiration,termination,checksum"
    assert answer.headers["Tus-Max-Size"] == str(backend.parts.policy.max_file_size)
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"
    assert answer.get_data() == b""


def test_one_patch_with_the_whole_file(backend: Backend) -> None:
    """Begin, one PATCH, and the verdict is there right after; the same id is asked about at /v1/uploads."""
    created = begin(backend)
    assert (created.status_code, created.get_data()) == (201, b"")
    path = created.headers["Location"]
    assert path.startswith("/v1/tus/up_")
    expires = parsedate_to_datetime(created.headers["Upload-Expires"])
    left = expires - backend.parts.clock.now()
    assert timedelta(hours=23) < left <= timedelta(hours=24)
    answer = patch(backend, path, 0, MINUTES)
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert answer.headers["Upload-Offset"] == str(len(MINUTES))
    assert "Upload-Expires" not in answer.headers
    document = backend.get(path.replace("tus", "uploads")).get_json()
    assert (document["state"], document["name"], document["meeting"]) == ("released", "notes.txt", "m1")
    assert document["sha256"] == hashlib.sha256(MINUTES).hexdigest()
    assert backend.get(f"/v1/uploads/{upload_id(path)}/content").get_data() == MINUTES


def test_pieces_and_the_offset_between_them(backend: Backend) -> None:
    """HEAD tells after each PATCH what is stored; the whole is scanned by the background worker."""
    path = begun(backend)
    for start, end in ((0, 10), (10, 10), (10, 9_000), (9_000, len(MINUTES))):
        asked = head(backend, path)
        assert (asked.status_code, asked.headers["Upload-Offset"]) == (200, str(start))
        assert asked.headers["Upload-Length"] == str(len(MINUTES))
        assert asked.headers["Cache-Control"] == "no-store"
        assert parsedate_to_datetime(asked.headers["Upload-Expires"]) > backend.parts.clock.now()
        assert state(backend, path) == "receiving"
        answer = patch(backend, path, start, MINUTES[start:end])
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(end))
        assert ("Upload-Expires" in answer.headers) == (end < len(MINUTES))
    assert head(backend, path).headers["Upload-Offset"] == str(len(MINUTES))
    assert "Upload-Expires" not in head(backend, path).headers
    assert state(backend, path) == "quarantined"
    done = advance(backend.parts, upload_id(path))
    assert done
    assert (done.state, done.sha256) == (State.RELEASED, hashlib.sha256(MINUTES).hexdigest())
    assert backend.get(f"/v1/uploads/{done.id}/content").get_data() == MINUTES


def test_eicar_is_blocked(backend: Backend) -> None:
    """In one PATCH or in two."""
    for cut in (len(EICAR), 20):
        path = begun(backend, len(EICAR))
        patch(backend, path, 0, EICAR[:cut])
        if cut < len(EICAR):
            patch(backend, path, cut, EICAR[cut:])
            advance(backend.parts, upload_id(path))
        assert state(backend, path) == "blocked"


@pytest.mark.parametrize("version", [None, "", "0.2.2", "1.0.1", "1.0.0, 0.2.2"])
@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH", "DELETE"])
def test_another_version_is_412(backend: Backend, method: str, version: str | None) -> None:
    """Without Tus-Resumable: 1.0.0 nothing is done, and the answer says what is spoken."""
    path = begun(backend)
    headers = {"Upload-Offset": "0", "Content-Type": BYTES, "Upload-Length": "1"}
    headers |= {} if version is None else {"Tus-Resumable": version}
    answer = backend.call(method, "/v1/tus" if method == "POST" else path, headers=headers)
    assert answer.status_code == 412
    assert answer.headers["Tus-Version"] == answer.headers["Tus-Resumable"] == "1.0.0"
    if method != "HEAD":
        assert_problem(answer, 412, "unsupported_version")
    assert head(backend, path).headers["Upload-Offset"] == "0"


def test_every_answer_names_the_version(backend: Backend) -> None:
    """Errors too, whoever raises them."""
    answers = [
        begin(backend),
        begin(backend, length="x"),
        head(backend, "/v1/tus/up_unknown"),
        backend.call("GET", "/v1/tus", headers=TUS),
        backend.call("PUT", "/v1/tus/a/b", headers=TUS),
        replace(backend, key="").call("POST", "/v1/tus", headers=TUS),
    ]
    assert [answer.status_code for answer in answers] == [201, 400, 404, 405, 404, 401]
    assert {answer.headers["Tus-Resumable"] for answer in answers} == {"1.0.0"}


@pytest.mark.parametrize("media_type", ["", "application/octet-stream", "text/plain", f"{BYTES}x"])
def test_another_media_type_is_415(backend: Backend, media_type: str) -> None:
    """PATCH, and a POST with first bytes, must say what they send; nothing is changed."""
    path = begun(backend)
    assert_problem(patch(backend, path, 0, b"m", Content_Type=media_type), 415, "wrong_media_type")
    assert_problem(begin(backend, data=b"m", Content_Type=media_type), 415, "wrong_media_type")
    assert head(backend, path).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize("offset", ["1", "99", "22999", "23000"])
def test_a_wrong_offset_is_409(backend: Backend, offset: str) -> None:
    """And changes nothing."""
    path = begun(backend)
    patch(backend, path, 0, MINUTES[:100])
    before = backend.parts.ledger.find(upload_id(path))
    assert assert_problem(patch(backend, path, offset, b"m"), 409, "wrong_offset")["retryable"] is True
    assert backend.parts.ledger.find(upload_id(path)) == before


@pytest.mark.parametrize("offset", ["", "-1", "1.0", "x", "0x1", "\u0661", "9" * 16, "0 0"])
def test_an_odd_offset_is_400(backend: Backend, offset: str) -> None:
    """A whole number of bytes in decimal digits, or nothing is done."""
    path = begun(backend)
    given = {"Upload-Offset": offset.encode().decode("latin-1")}
    answer = backend.call("PATCH", path, headers={**TUS, **given, "Content-Type": BYTES}, data=b"m")
    assert_problem(answer, 400, "bad_request")


def test_more_than_announced_is_413_before_the_body(backend: Backend) -> None:
    """By its Content-Length; the upload can still be finished."""
    path = begun(backend, 10)
    answer = patch(backend, path, 0, b"12345678901")
    assert_problem(answer, 413, "too_large")
    assert_problem(begin(backend, 3, b"minu"), 413, "too_large")
    assert patch(backend, path, 0, b"1234567890").status_code == 204


@pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
def test_unknown_uploads_are_404(backend: Backend, stranger: Backend, method: str) -> None:
    """One that never was, a plain one, another account's: all the same."""
    plain = backend.post().get_json()["id"]
    for path in ("/v1/tus/up_unknown", f"/v1/tus/up_{0:032x}", f"/v1/tus/{plain}", begun(stranger)):
        headers = {**TUS, "Upload-Offset": "0", "Content-Type": BYTES}
        answer = backend.call(method, path, headers=headers)
        assert answer.status_code == 404
        assert "Upload-Offset" not in answer.headers


# ----------------------------------------------------------------------------- creation


@pytest.mark.parametrize("length", ["", "-1", "1.5", "x", "0x10", "1e3", "9" * 16])
def test_an_odd_length_is_400(backend: Backend, length: str) -> None:
    """A whole number of bytes in decimal digits."""
    assert_problem(begin(backend, length), 400, "bad_request")


def test_a_length_that_is_told_later_is_not_supported(backend: Backend) -> None:
    """The policy must be able to say no before a byte; OPTIONS does not offer it either."""
    headers = {**TUS, "Upload-Defer-Length": "1", "Upload-Metadata": encoded(filename="a.txt", meeting="m1")}
    answer = backend.call("POST", "/v1/tus", headers=headers)
    assert "Upload-Defer-Length" in assert_problem(answer, 400, "bad_request")["detail"]


def test_too_large_is_413_by_its_announcement(backend: Backend) -> None:
    """One byte over the policy's limit."""
    limit = backend.parts.policy.max_file_size
    assert begin(backend, limit).status_code == 201
    assert_problem(begin(backend, limit + 1), 413, "too_large")


def test_a_type_that_is_not_allowed_is_415_at_once(backend: Backend) -> None:
    """By its name when it is begun, by its first bytes when they come; then the upload is over."""
    named = begin(backend, Upload_Metadata=encoded(filename="a.exe", meeting="m1"))
    assert_problem(named, 415, "type_not_allowed")
    path = begin(backend, Upload_Metadata=encoded(filename="a.png", meeting="m1")).headers["Location"]
    assert_problem(patch(backend, path, 0, MINUTES), 415, "type_not_allowed")
    assert state(backend, path) == "refused"
    assert head(backend, path).status_code == 410


def test_first_bytes_or_all_of_them_come_with_the_creation(backend: Backend) -> None:
    """201 with the offset; the whole is judged at once."""
    part = begin(backend, data=MINUTES[:100])
    assert (part.status_code, part.headers["Upload-Offset"]) == (201, "100")
    whole = begin(backend, data=MINUTES)
    assert (whole.status_code, whole.headers["Upload-Offset"]) == (201, str(len(MINUTES)))
    assert state(backend, whole.headers["Location"]) == "released"


def test_bytes_that_cannot_be_kept_do_not_hide_the_upload(backend: Backend) -> None:
    """It was made and takes its place in the grant's quota: whoever made it hears where it is, and that
    nothing of it is stored, and goes on.
    """
    presenter = granted(backend, max_files=1)
    answer = begin(presenter, data=MINUTES, Upload_Checksum=checksum(b"other"))
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "0")
    assert patch(presenter, answer.headers["Location"], 0, MINUTES).status_code == 204
    assert state(backend, answer.headers["Location"]) == "released"


def test_first_bytes_of_another_type_refuse_the_creation(backend: Backend) -> None:
    """That is final: 415, and the grant's place is free again."""
    presenter = granted(backend, max_files=1)
    metadata = encoded(filename="a.png", meeting="m1")
    assert_problem(begin(presenter, data=MINUTES, Upload_Metadata=metadata), 415, "type_not_allowed")
    assert begin(presenter, data=MINUTES).status_code == 201


def test_an_empty_file_that_was_cut_off_is_finished_when_it_is_sent_again(
    backend: Backend, parts: Parts
) -> None:
    """Begun and not yet stored, with no byte left to send: the creation sent again brings it to its end."""
    cut = replace(parts, ledger=Without(parts.ledger, LedgerUnavailable("away"), "find"))
    answer = begin(replace(backend, app=create_app(cut, SLOTS)), 0, Idempotency_Key="k1")
    assert answer.status_code == 503
    path = begin(backend, 0, Idempotency_Key="k1").headers["Location"]
    assert state(backend, path) == "released"
    assert begin(backend, 0, Idempotency_Key="k1").headers["Location"] == path


def test_an_empty_file_is_done_when_it_is_begun(backend: Backend) -> None:
    """There is nothing to PATCH."""
    answer = begin(backend, 0)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "0")
    assert state(backend, answer.headers["Location"]) == "released"


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        (encoded(filename="a.txt", meeting="m1"), "a.txt"),
        (encoded(filename="caf\u00e9.txt", meeting="m1", filetype="text/x-mine"), "caf\u00e9.txt"),
        (encoded(name="n.txt", type="text/x-mine", meeting="m1"), "n.txt"),
        (encoded(name="n.txt", filename="f.txt", meeting="m1"), "f.txt"),
        (encoded(filename="../../etc/a.txt", meeting="m1", relativePath="x", custom="y"), "a.txt"),
        (encoded(filename="a.txt", meeting="m1") + ",is_confidential", "a.txt"),
        (encoded(filename="a.txt") + " , " + encoded(meeting="m1"), "a.txt"),
    ],
)
def test_metadata(backend: Backend, metadata: str, name: str) -> None:
    """Known keys count, as clients call them; others are passed over, and HEAD tells what is kept."""
    path = begin(backend, Upload_Metadata=metadata).headers["Location"]
    row = backend.parts.ledger.find(upload_id(path))
    assert row
    assert (row.name, row.meeting_id) == (name, "m1")
    told = head(backend, path).headers["Upload-Metadata"]
    kept = {"filename": name, "filetype": row.declared_type, "meeting": "m1"}
    assert told == encoded(**{key: value for key, value in kept.items() if value})


@pytest.mark.parametrize(
    "metadata",
    [
        "",
        encoded(meeting="m1"),
        encoded(filename="", meeting="m1"),
        encoded(filename="a.txt"),
        encoded(filename="a.txt", meeting="../m"),
        "filename a.txt,meeting bTE=",
        "filename YS50eHQ,meeting bTE=",
        encoded(filename="a.txt", meeting="m1") + ",filename YS50eHQ=",
        encoded(filename="a.txt", meeting="m1") + ",,",
        encoded(filename="a.txt", meeting="m1", custom="x" * 4000),
    ],
)
def test_odd_metadata_is_400(backend: Backend, metadata: str) -> None:
    """Nothing is begun by what cannot be read, is too long, or lacks the name or the meeting."""
    assert_problem(begin(backend, Upload_Metadata=metadata), 400, "bad_request")
    assert backend.get("/v1/uploads?meeting=m1").get_json()["uploads"] == []


# ----------------------------------------------------------------------------- checksum


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_checksums(backend: Backend, algorithm: str) -> None:
    """The right one passes; with another nothing of the request is kept, also where it is the whole file."""
    path = begun(backend)
    for data in (MINUTES[:100], MINUTES):
        wrong = patch(backend, path, 0, data, Upload_Checksum=checksum(b"other", algorithm))
        assert_problem(wrong, 460, "checksum_mismatch")
        assert head(backend, path).headers["Upload-Offset"] == "0"
    first = patch(backend, path, 0, MINUTES[:100], Upload_Checksum=checksum(MINUTES[:100], algorithm))
    assert first.status_code == 204
    rest = patch(backend, path, 100, MINUTES[100:], Upload_Checksum=checksum(MINUTES[100:], algorithm))
    assert rest.headers["Upload-Offset"] == str(len(MINUTES))


@pytest.mark.parametrize(
    "value", ["", "md5 AAAA", "sha1", "sha1 AAAA", "sha1 !", f"SHA1 {checksum(b'')[5:]}"]
)
def test_an_odd_checksum_is_400(backend: Backend, value: str) -> None:
    """An algorithm that is not offered, or no digest of it: nothing is done."""
    path = begun(backend)
    assert_problem(patch(backend, path, 0, MINUTES, Upload_Checksum=value), 400, "bad_request")
    assert head(backend, path).headers["Upload-Offset"] == "0"


# ----------------------------------------------------------------------------- termination, expiration


def test_termination(backend: Backend) -> None:
    """204, and then it is gone for HEAD and PATCH and DELETE; nothing of it stays in the store."""
    path = begun(backend)
    patch(backend, path, 0, MINUTES[:100])
    assert backend.call("DELETE", path, headers=TUS).status_code == 204
    assert head(backend, path).status_code == 410
    assert_problem(patch(backend, path, 100, b"m"), 410, "upload_ended")
    assert_problem(backend.call("DELETE", path, headers=TUS), 410, "upload_ended")
    assert state(backend, path) == "erased"


def test_a_plain_delete_ends_an_unfinished_upload_too(backend: Backend) -> None:
    """It is an upload like any other."""
    path = begun(backend)
    assert backend.call("DELETE", f"/v1/uploads/{upload_id(path)}").status_code == 204
    assert head(backend, path).status_code == 410


def test_a_finished_upload_is_deleted_by_those_only_who_may(backend: Backend) -> None:
    """A presenter can give up what is under way, and cannot take back what is released."""
    presenter = granted(backend)
    paths = [begin(presenter, data=MINUTES).headers["Location"], begun(presenter)]
    assert_problem(presenter.call("DELETE", paths[0], headers=TUS), 403, "forbidden")
    assert presenter.call("DELETE", paths[1], headers=TUS).status_code == 204
    assert backend.call("DELETE", paths[0], headers=TUS).status_code == 204


@pytest.fixture
def ticking(parts: Parts) -> tuple[Backend, FakeClock]:
    """A backend of a service whose clock moves when told."""
    clock = FakeClock()
    clock.jump(parts.clock.now() - clock.now())
    timed = believing(replace(parts, clock=clock))
    return new_backend(create_app(timed, SLOTS), timed), clock


def test_expired_uploads_are_410(ticking: tuple[Backend, FakeClock]) -> None:
    """A day after it was last gone on with, and the background worker gives it up; not a second before."""
    backend, clock = ticking
    path = begun(backend)
    clock.advance(86_000)
    patch(backend, path, 0, b"minutes")
    clock.advance(86_399)
    reconcile(backend.parts, FakeQueue(Faults(), clock))
    assert head(backend, path).headers["Upload-Offset"] == "7"
    clock.advance(1)
    assert head(backend, path).status_code == 410
    assert_problem(patch(backend, path, 7, b"m"), 410, "upload_ended")
    clock.advance(30)
    reconcile(backend.parts, FakeQueue(Faults(), clock))
    document = backend.get(f"/v1/uploads/{upload_id(path)}").get_json()
    assert (document["state"], document["reason"]) == ("abandoned", "expired")


# ----------------------------------------------------------------------------- who may


def granted(backend: Backend, **limits: Any) -> Backend:
    """A presenter with a grant for m1."""
    minted = backend.call("POST", "/v1/grants", json={"kind": "upload", "meeting": "m1", **limits})
    return replace(backend, key=minted.get_json()["token"])


def test_a_grant_s_meeting_may_be_left_out(backend: Backend) -> None:
    """The grant says it; another one is forbidden."""
    presenter = granted(backend)
    path = begin(presenter, Upload_Metadata=encoded(filename="a.txt")).headers["Location"]
    row = backend.parts.ledger.find(upload_id(path))
    assert row
    assert row.meeting_id == "m1"
    other = begin(presenter, Upload_Metadata=encoded(filename="a.txt", meeting="m2"))
    assert_problem(other, 403, "forbidden")


def test_the_announced_length_is_reserved(backend: Backend) -> None:
    """Throttled at creation: an unfinished upload counts, and one that was given up does not."""
    presenter = granted(backend, max_bytes=len(MINUTES), max_files=1)
    path = begun(presenter)
    assert_problem(begin(presenter, 1), 403, "quota_exceeded")
    assert patch(presenter, path, 0, MINUTES[:10]).status_code == 204
    presenter.call("DELETE", path, headers=TUS)
    assert begin(presenter, data=MINUTES).status_code == 201


def test_an_expired_grant_goes_on_with_what_it_began(ticking: tuple[Backend, FakeClock]) -> None:
    """HEAD, PATCH and DELETE of its own upload for as long as that lives: a client that were told 401 would
    forget it. Nothing else is open to it, and a grant that is revoked goes on with nothing.
    """
    backend, clock = ticking
    presenter, other = granted(backend), granted(backend)
    path, theirs = begun(presenter), begun(other)
    clock.advance(3600)
    assert head(presenter, path).status_code == 200
    assert patch(presenter, path, 0, MINUTES[:10]).status_code == 204
    assert head(presenter, theirs).status_code == patch(presenter, theirs, 0, b"m").status_code == 404
    assert_problem(begin(presenter), 401, "grant_expired")
    assert_problem(presenter.post(), 401, "grant_expired")
    assert_problem(presenter.get(f"/v1/uploads/{upload_id(path)}"), 401, "grant_expired")
    row = backend.parts.ledger.find(upload_id(path))
    assert row
    assert backend.call("DELETE", f"/v1/grants/{row.grant_id}").status_code == 204
    assert head(presenter, path).status_code == 401
    assert patch(backend, path, 10, MINUTES[10:]).status_code == 204
    assert other.call("DELETE", theirs, headers=TUS).status_code == 204


def test_an_expired_grant_that_was_never_seen_is_nobody_s(ticking: tuple[Backend, FakeClock]) -> None:
    """What was not used in its time does not come into being after it."""
    backend, clock = ticking
    path = begun(backend)
    presenter = granted(backend)
    clock.advance(40 * 86_400)
    backend.parts.credentials.forget_grants(clock.now())
    assert head(presenter, path).status_code == 401


# ----------------------------------------------------------------------------- methods, writers


@pytest.mark.parametrize("method", ["PATCH", "HEAD", "DELETE", "patch"])
def test_methods_in_a_header(backend: Backend, method: str) -> None:
    """X-HTTP-Method-Override on a POST is the method, below /v1/tus only."""
    path = begun(backend)
    headers = {**TUS, "Upload-Offset": "0", "Content-Type": BYTES, "X-HTTP-Method-Override": method}
    answer = backend.call("POST", path, headers=headers, data=b"minutes" if "P" in method.upper() else b"")
    assert answer.status_code == {"PATCH": 204, "HEAD": 200, "DELETE": 204}[method.upper()]
    headers["X-HTTP-Method-Override"] = "DELETE"
    assert backend.call("POST", f"/v1/uploads/{upload_id(path)}", headers=headers).status_code == 405
    assert backend.call("GET", path, headers=headers).status_code == 405


def test_an_answer_to_a_head_in_a_header_announces_no_body(backend: Backend) -> None:
    """The connection carries a POST, after whose answer a client reads as many bytes as were announced."""
    headers = {**TUS, "X-HTTP-Method-Override": "HEAD"}
    for path in (begun(backend), "/v1/tus/up_unknown"):
        answer = backend.call("POST", path, headers=headers)
        assert (answer.headers["Content-Length"], answer.get_data()) == ("0", b"")


class Stalled:
    """A body that gives some bytes and then waits, as a dead line does, until the test lets go."""

    def __init__(self, data: bytes) -> None:
        self.data = [data]
        self.waits = threading.Event()
        self.go = threading.Event()

    def read(self, _size: int = -1) -> bytes:
        """Give the bytes, then a byte for as long as there is one who reads."""
        if self.data:
            return self.data.pop()
        self.waits.set()
        assert self.go.wait(30)
        return b"x"


@pytest.mark.parametrize("method", ["HEAD", "PATCH"])
def test_a_newer_request_ends_an_older_one_and_keeps_what_it_brought(
    app: Flask, parts: Parts, method: str
) -> None:
    """Whoever asks or goes on while another request hangs: that one is ended, its bytes are durable at once,
    and its sender is told to ask again.
    """
    backend = new_backend(app, parts)
    path = begun(backend)
    body = Stalled(MINUTES[:70])
    environ = {"wsgi.input": body, "CONTENT_LENGTH": str(len(MINUTES)), "wsgi.input_terminated": True}
    headers = {**TUS, "Upload-Offset": "0", "Content-Type": BYTES}
    with ThreadPoolExecutor(2) as pool:
        older = pool.submit(lambda: backend.call("PATCH", path, headers=headers, environ_overrides=environ))
        assert body.waits.wait(30)
        assert head_of_row(parts, path) == 0
        newer = pool.submit(
            lambda: head(backend, path) if method == "HEAD" else patch(backend, path, 0, MINUTES)
        )
        # The line of a real connection is shut; this one gives its thread a byte, so that it looks up.
        while not newer.done() and not older.done():
            body.go.wait(0.01)
            body.go.set()
        assert_problem(older.result(30), 409, "interrupted")
        answer = newer.result(30)
    kept = head_of_row(parts, path)
    assert kept >= 70
    if method == "HEAD":
        assert answer.headers["Upload-Offset"] == str(kept)
    else:
        assert_problem(answer, 409, "wrong_offset")


def test_a_piece_that_can_never_fit_ends_nobody(app: Flask, parts: Parts) -> None:
    """A stray request with an offset that is passed already is told so, and a live one goes on."""
    backend = new_backend(app, parts)
    path = begun(backend)
    assert patch(backend, path, 0, MINUTES[:100]).status_code == 204
    body = Stalled(MINUTES[100:170])
    environ = {"wsgi.input": body, "CONTENT_LENGTH": "71"}
    headers = {**TUS, "Upload-Offset": "100", "Content-Type": BYTES}
    with ThreadPoolExecutor(1) as pool:
        live = pool.submit(lambda: backend.call("PATCH", path, headers=headers, environ_overrides=environ))
        assert body.waits.wait(30)
        assert_problem(patch(backend, path, 0, MINUTES), 409, "wrong_offset")
        body.go.set()
        assert live.result(30).status_code == 204
    assert head_of_row(parts, path) == 171


class CountedSlots(Slots):
    """Places, and how often one for waiting was asked for."""

    waits = 0

    @contextmanager
    def wait(self) -> Iterator[bool]:
        """Count, then give one."""
        self.waits += 1
        with super().wait() as free:
            yield free


@pytest.mark.parametrize("method", ["HEAD", "DELETE"])
def test_who_waits_for_a_writer_takes_a_place_for_waiting(parts: Parts, method: str) -> None:
    """Of which there are fewer than threads: else those who ask about one upload under scan hold them all."""
    slots = CountedSlots(uploads=2, waits=1, downloads=1)
    backend = new_backend(create_app(parts, slots), parts)
    path = begun(backend)
    assert backend.call(method, path, headers=TUS).status_code in {200, 204}
    assert slots.waits == 1


def head_of_row(parts: Parts, path: str) -> int:
    """The durable offset."""
    row = parts.ledger.find(upload_id(path))
    assert row
    return row.offset


def test_a_creation_sent_again_begins_nothing_new(backend: Backend) -> None:
    """With the same Idempotency-Key the same upload is the answer, as far as it has come, and no other."""
    first = begin(backend, Idempotency_Key="k1")
    path = first.headers["Location"]
    assert patch(backend, path, 0, MINUTES[:1000]).status_code == 204
    again = begin(backend, Idempotency_Key="k1")
    assert (again.status_code, again.headers["Location"]) == (201, path)
    assert again.headers["Upload-Offset"] == "1000"
    assert begin(backend, Idempotency_Key="k2").headers["Location"] != path


def test_a_key_is_for_one_creation(backend: Backend) -> None:
    """Another length under the same Idempotency-Key is a mistake; what was refused is refused again."""
    begin(backend, Idempotency_Key="k1")
    assert_problem(begin(backend, length=5, Idempotency_Key="k1"), 422, "idempotency_mismatch")
    program = encoded(filename="a.exe", meeting="m1")
    for _ in range(2):
        answer = begin(backend, Upload_Metadata=program, Idempotency_Key="k2")
        assert (answer.status_code, answer.get_json(force=True)["code"]) == (415, "type_not_allowed")


def test_a_key_lasts_while_the_content_waits_for_its_scan(backend: Backend) -> None:
    """An upload that came by pieces has no digest before its scan: its key is taken all the same. When it is
    given up the answer is that it has ended.
    """
    path = begin(backend, Idempotency_Key="k1").headers["Location"]
    patch(backend, path, 0, MINUTES[:1000])
    patch(backend, path, 1000, MINUTES[1000:])
    again = begin(backend, Idempotency_Key="k1")
    assert (again.status_code, again.headers["Upload-Offset"]) == (201, str(len(MINUTES)))
    other = begin(backend, Idempotency_Key="k2").headers["Location"]
    backend.call("DELETE", other, headers=TUS)
    assert_problem(begin(backend, Idempotency_Key="k2"), 410, "upload_ended")
