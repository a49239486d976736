"""What is sent, what is sent again, and what an answer becomes."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from greenroom_client import (
    AccountRemoved,
    BadRequest,
    Client,
    Conflict,
    ContentRefused,
    Gone,
    GreenroomError,
    InProgress,
    KeyReused,
    NotFound,
    NotReleased,
    NoVerdictYet,
    Problem,
    RateLimited,
    Retry,
    SourceChanged,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
)
from tests.client.scripted import QUICK, Server, problem, said, said_json, upload_document

CONTENT = b"minutes of the meeting"
DIGEST = f"sha-256=:{base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()}:"
CREATED = said_json(201, upload_document(content=CONTENT))
BUSY = problem(503, "overloaded", retryable=True, Retry_After="0")


class Stream(io.RawIOBase):
    """A pipe: it can be read once."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some of it."""
        return self._content.readinto(buffer)


def test_an_upload_is_sent_whole_and_named(server: Server, tmp_path: Path) -> None:
    """A path is sent with its name, length and digest, under a key, and progress ends at its size."""
    server.answers += [CREATED]
    path = tmp_path / "nötes & more.txt"
    path.write_bytes(CONTENT)
    told: list[tuple[int, int | None]] = []
    with server.client() as client:
        upload = client.upload(path, meeting="m1", wait=7, on_progress=lambda *how: told.append(how))
    assert upload.released
    request = server.requests[0]
    assert request.target == "/v1/uploads?meeting=m1&name=n%C3%B6tes+%26+more.txt"
    assert request.body == CONTENT
    assert request.headers["content-length"] == str(len(CONTENT))
    assert request.headers["repr-digest"] == DIGEST
    assert request.headers["prefer"] == "wait=7"
    assert request.headers["authorization"] == "Bearer token"
    assert request.headers["idempotency-key"]
    assert told == [(len(CONTENT), len(CONTENT))]


def test_who_sends_it_is_said(server: Server) -> None:
    """In the account's own words, as part of the request that a retry repeats."""
    server.answers += [CREATED]
    with server.client() as client:
        client.upload(CONTENT, meeting="m1", name="a.txt", person="ann+1@example.org")
    assert server.requests[0].target == "/v1/uploads?meeting=m1&name=a.txt&person=ann%2B1%40example.org"


def test_a_name_that_is_no_text_can_be_sent(server: Server, tmp_path: Path) -> None:
    """A file whose name is no UTF-8 is sent under the name with U+FFFD in place of what is none."""
    server.answers += [CREATED, CREATED]
    path = tmp_path / os.fsdecode(b"m\xfcller.txt")
    path.write_bytes(CONTENT)
    with server.client() as client, path.open("rb") as file:
        client.upload(path, meeting="m1")
        client.upload(file, meeting="m1")
    assert {request.target for request in server.requests} == {
        "/v1/uploads?meeting=m1&name=m%EF%BF%BDller.txt"
    }


def test_a_retried_upload_is_the_same_request(server: Server) -> None:
    """After a broken line and a 503 the same bytes go again under the same key, from where the file stood."""
    server.answers += [said(201, b"{", length=100), BUSY, CREATED]
    file = io.BytesIO(b"skipped" + CONTENT)
    file.seek(7)
    with server.client() as client:
        client.upload(file, meeting="m1", name="notes.txt")
    assert [request.body for request in server.requests] == [CONTENT] * 3
    assert len({request.headers["idempotency-key"] for request in server.requests}) == 1


def test_a_stream_is_sent_once(server: Server) -> None:
    """What cannot be read twice is not sent twice: not a shorter second body, but the error."""
    server.answers += [BUSY, CREATED]
    with server.client() as client, pytest.raises(Unavailable) as raised:
        client.upload(io.BufferedReader(Stream(CONTENT)), meeting="m1", name="notes.txt")
    assert raised.value.retryable
    assert [request.body for request in server.requests] == [CONTENT]
    assert "idempotency-key" not in server.requests[0].headers


def test_a_callers_key_is_used(server: Server) -> None:
    """A key that the caller gave is the key, for a stream as well."""
    server.answers += [CREATED, CREATED]
    with server.client() as client:
        client.upload(CONTENT, meeting="m1", name="a.txt", idempotency_key="mine")
        stream = io.BufferedReader(Stream(CONTENT))
        client.upload(stream, meeting="m1", name="a.txt", idempotency_key="mine")
    assert [request.headers["idempotency-key"] for request in server.requests] == ["mine", "mine"]


def test_a_file_that_changes_is_not_sent_as_another(server: Server, tmp_path: Path) -> None:
    """A file that grows or shrinks between its digest and its end stops the upload, without a retry."""
    server.answers += [CREATED, CREATED]
    for change in (b"longer than it was " + CONTENT, b"short"):
        path = tmp_path / "notes.txt"
        path.write_bytes(CONTENT)
        with server.client() as client, Changing(path, change) as file, pytest.raises(SourceChanged):
            client.upload(file, meeting="m1")
    assert all(request.body != CONTENT for request in server.requests)


class Changing(io.FileIO):
    """A file that is written anew after it was read to its end for the first time."""

    def __init__(self, path: Path, change: bytes) -> None:
        super().__init__(path)
        self._change: bytes | None = change

    def seek(self, *where: int) -> int:
        """Go there, once the change is made."""
        if self._change is not None:
            Path(str(self.name)).write_bytes(self._change)
            self._change = None
        return super().seek(*where)


def test_the_first_request_still_running_is_waited_for(server: Server) -> None:
    """A repetition that is told of the first one's work asks on, which is no failed try, and has an end."""
    running = problem(409, "idempotency_in_progress", retryable=True, Retry_After="0")
    server.answers += [running, running, CREATED, *[running] * 1000]
    with server.client(retry=Retry(attempts=1, first_pause=0.01)) as client:
        assert client.upload(CONTENT, meeting="m1", name="a.txt").released
    impatient = Retry(first_pause=0.01, longest_pause=0.01)
    with server.client(timeout=1.0, retry=impatient) as client, pytest.raises(InProgress):
        client.upload(CONTENT, meeting="m1", name="a.txt", wait=0)
    assert len(server.requests) > impatient.attempts


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "bad_request", BadRequest),
        (400, "digest_mismatch", ContentRefused),
        (401, "unauthenticated", Unauthenticated),
        (404, "not_found", NotFound),
        (409, "not_released", NotReleased),
        (409, "busy", Conflict),
        (410, "erased", Gone),
        (410, "account_removed", AccountRemoved),
        (413, "too_large", ContentRefused),
        (415, "type_not_allowed", ContentRefused),
        (418, "teapot", Problem),
        (422, "idempotency_mismatch", KeyReused),
        (429, "rate_limited", RateLimited),
        (500, "internal_error", Unavailable),
    ],
)
def test_a_problem_is_an_error_of_its_kind(
    server: Server, status: int, code: str, kind: type[GreenroomError]
) -> None:
    """Every problem carries the service's code, sentence, word on retries and request id."""
    server.answers += [problem(status, code, retryable=False)]
    with server.client() as client, pytest.raises(kind) as raised:
        client.get("up_1")
    error = raised.value
    assert type(error) is kind
    assert (error.status, error.code, error.detail) == (status, code, f"It is {code}.")
    assert (error.retryable, error.request_id) == (False, "req-1")
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"code": [], "detail": {}, "request_id": 1}'])
def test_an_odd_problem_is_known_by_its_status(server: Server, body: bytes) -> None:
    """A problem that is no JSON that can be read, or holds no texts, is the error of its status."""
    server.answers += [said(404, body)]
    with server.client() as client, pytest.raises(NotFound) as raised:
        client.get("up_1")
    assert (raised.value.code, raised.value.request_id) == ("problem", None)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_proxys_words_are_understood(server: Server, status: int) -> None:
    """What stands in front and speaks HTML is an error too; it may pass, so it is tried again, so often."""
    server.answers += [said(status, b"<html>", Content_Type="text/html")] * QUICK.attempts
    with server.client() as client, pytest.raises(GreenroomError) as raised:
        client.get("up_1")
    assert raised.value.status == status
    assert len(server.requests) == QUICK.attempts


@pytest.mark.parametrize(
    "word", ["0", "1", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2359", "soon"]
)
def test_retry_after_is_kept_to(server: Server, word: str) -> None:
    """A Retry-After in seconds or as a date, even one that is over or is none, leads to one more try."""
    server.answers += [
        problem(503, "overloaded", retryable=True, Retry_After=word),
        said_json(200, upload_document()),
    ]
    with server.client() as client:
        assert client.get("up_1").id == "up_1"


def test_a_long_retry_after_is_handed_on(server: Server) -> None:
    """A pause longer than the caller allows is not slept through: the error says how long it is."""
    server.answers += [problem(429, "rate_limited", retryable=True, Retry_After="3600")]
    with server.client() as client, pytest.raises(RateLimited) as raised:
        client.get("up_1")
    assert raised.value.retry_after == 3600
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(server: Server, status: int) -> None:
    """A redirect is an error: the token goes to the address that the caller gave and to no other."""
    elsewhere = Server([])
    server.answers += [said(status, Location=f"{elsewhere.url}/v1/uploads")] * 2
    with server.client() as client:
        with pytest.raises(UnexpectedAnswer, match="redirect"):
            client.get("up_1")
        with pytest.raises(UnexpectedAnswer, match="redirect"):
            client.upload(CONTENT, meeting="m1", name="a.txt")
    elsewhere.stop()
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        said(200, b"<html>"),
        said(200, b"[" * 100_000),
        said_json(200, []),
        said_json(200, {}),
        said_json(200, upload_document(created_at="yesterday")),
        said_json(200, upload_document(created_at="2026-11-21T23:42:28")),
        said_json(200, upload_document(size="7")),
        said_json(200, upload_document(size=True)),
        said_json(200, upload_document(history={})),
        said_json(200, upload_document(verdict={"kind": "clean"})),
        said(206, b"{}"),
    ],
)
def test_what_no_greenroom_says_is_an_error(server: Server, answer: bytes) -> None:
    """An answer that does not fit is never an upload."""
    server.answers += [answer]
    with server.client() as client, pytest.raises(UnexpectedAnswer):
        client.get("up_1")


def test_unknown_fields_and_states_are_passed_over(server: Server) -> None:
    """A newer service may say more; a state that is not known is never released."""
    server.answers += [said_json(200, upload_document("admired", more={"a": 1}, verdict=None))]
    with server.client() as client:
        upload = client.get("up_1")
    assert (upload.state, upload.released, upload.resting) == ("admired", False, True)


def test_a_silent_service_is_unreachable(server: Server) -> None:
    """Silence ends with an error after the bounded tries, and so does nobody listening."""
    server.answers += [b""] * 2
    retry = Retry(attempts=2, first_pause=0.01)
    with server.client(timeout=0.2, retry=retry) as client, pytest.raises(Unreachable) as raised:
        client.get("up_1")
    assert (raised.value.status, raised.value.retryable) == (None, True)
    assert len(server.requests) == 2
    server.stop()
    with server.client(retry=retry) as client, pytest.raises(Unreachable):
        client.get("up_1")


def test_a_verdict_is_waited_for(server: Server) -> None:
    """Each state is told once; a service that cannot wait just now is asked again until the upload rests."""
    states = ["quarantined", "quarantined", "scanning", "held"]
    server.answers += [said_json(200, upload_document(state), Retry_After="0") for state in states]
    seen: list[str] = []
    with server.client() as client:
        upload = client.wait_for_verdict("up_1", on_state=lambda upload: seen.append(upload.state))
        assert client.wait_for_verdict(upload, on_state=lambda upload: seen.append(upload.state)) is upload
    assert (upload.state, seen) == ("held", ["quarantined", "scanning", "held", "held"])
    assert len(server.requests) == len(states)


def test_waiting_has_an_end(server: Server) -> None:
    """When the time is over the error holds what was last seen."""
    server.answers += [said_json(200, upload_document("scanning"))] * 2
    with server.client() as client, pytest.raises(NoVerdictYet) as raised:
        client.wait_for_verdict("up_1", timeout=0)
    assert raised.value.upload.state == "scanning"


@pytest.mark.parametrize("status", [429, 503])
def test_what_may_pass_does_not_end_the_waiting(server: Server, status: int) -> None:
    """More errors than a request has tries, and lines that break, are waited out while there is time."""
    busy = [problem(status, "busy", retryable=True, Retry_After="0"), said(200, b"{", length=100)]
    scanning = said_json(200, upload_document("scanning"), Retry_After="0")
    server.answers += [*busy * 4, scanning, *busy * 4, said_json(200, upload_document())]
    with server.client() as client:
        assert client.wait_for_verdict("up_1").released
    assert len(server.requests) == 18


def test_waiting_keeps_to_a_retry_after(server: Server) -> None:
    """A pause that other requests would not take is taken here, if there is time for it; else it is told."""
    busy = problem(429, "rate_limited", retryable=True, Retry_After="1")
    server.answers += [busy, said_json(200, upload_document()), busy]
    with server.client(retry=Retry(first_pause=0.01, longest_pause=0.01)) as client:
        assert client.wait_for_verdict("up_1").released
        with pytest.raises(RateLimited) as raised:
            client.wait_for_verdict("up_1", timeout=0.5)
    assert raised.value.retry_after == 1
    assert len(server.requests) == 3


def test_waiting_for_nobody_has_an_end(server: Server) -> None:
    """Against silence, or an address where nobody listens, the time is the caller's, not the client's."""
    server.answers += [b""] * 3
    with server.client(timeout=600.0) as client, pytest.raises(Unreachable):
        client.wait_for_verdict("up_1", timeout=0.1)
    server.stop()
    patient = Retry(attempts=1000, first_pause=600.0, longest_pause=600.0)
    with server.client(retry=patient) as client, pytest.raises(Unreachable):
        client.wait_for_verdict("up_1", timeout=0.1)


def test_what_cannot_pass_ends_the_waiting(server: Server) -> None:
    """An error that will be the same next time is raised at once."""
    server.answers += [problem(404, "not_found", retryable=False)] * 2
    with server.client() as client, pytest.raises(NotFound):
        client.wait_for_verdict("up_1")
    assert len(server.requests) == 1


def test_pages_are_fetched_as_they_are_needed(server: Server) -> None:
    """A list goes on where the page before ended, until there is no next one."""
    pages = [{"uploads": [upload_document()], "next": "up_1"}, {"uploads": [upload_document()], "next": None}]
    server.answers += [said_json(200, page) for page in pages]
    with server.client() as client:
        listed = client.list("m1", page_size=1)
        assert next(listed).id == "up_1"
        assert len(server.requests) == 1
        assert len(list(listed)) == 1
    assert server.requests[1].target == "/v1/uploads?meeting=m1&limit=1&cursor=up_1"


@pytest.mark.parametrize("cursor", ["up_1", ["up_1"]])
def test_a_list_that_leads_in_circles_ends(server: Server, cursor: object) -> None:
    """A cursor that came before, or is none, is an error and not another round."""
    page = said_json(200, {"uploads": [upload_document()], "next": cursor})
    server.answers += [page] * 2
    with server.client() as client, pytest.raises(UnexpectedAnswer, match="no end"):
        list(client.list("m1"))
    assert len(server.requests) <= 2


ENDLESS = b" " * (8 * 1024 * 1024 + 1)
ENCODED = gzip.compress(b'{"code": "not_found"}')


def test_an_answer_has_a_bound(server: Server) -> None:
    """More than 8 MiB, or an encoding that may hide as much, is no document; an error keeps its status."""
    document = json.dumps(upload_document()).encode()
    server.answers += [said(200, ENDLESS, length=10**12), said(404, ENDLESS, length=10**12)]
    server.answers += [
        said(200, ENCODED, Content_Encoding="gzip"),
        said(404, ENCODED, Content_Encoding="gzip"),
    ]
    server.answers += [said(200, document + ENDLESS[len(document) + 1 :], Content_Encoding="identity")]
    with server.client() as client:
        for kind in (UnexpectedAnswer, NotFound, UnexpectedAnswer, NotFound):
            with pytest.raises(kind):
                client.get("up_1")
        assert client.get("up_1").id == "up_1"
    assert {request.headers["accept-encoding"] for request in server.requests} == {"identity"}


@pytest.mark.parametrize("odd", ["", "../keys", "up_1/content", "up_1?x=1", "a" * 65])
def test_an_odd_id_leads_nowhere(server: Server, odd: str) -> None:
    """What is no id never becomes part of an address."""
    with server.client() as client:
        for call in (client.get, client.delete, client.grants.revoke, client.webhooks.delete):
            with pytest.raises(ValueError, match="identifier"):
                call(odd)
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    ["", "greenroom.example", "ftp://greenroom.example", "https://", "https://u:p@x", "https://x?a=b", "\0"],
)
def test_an_odd_address_is_refused(url: str) -> None:
    """An address that is none, or that holds a password or a query, is refused before anything is sent."""
    with pytest.raises(ValueError, match="address of the service"):
        Client(url, "token")


@pytest.mark.parametrize("odd", ["", "\n", "\r\nX-Other: 1", " ", "\0", "\x7f", "ä", "\ud800"])
def test_what_no_header_can_hold_is_refused_unseen(server: Server, odd: str) -> None:
    """A token or key with a line end, a space or no ASCII is refused before it is sent, and is not quoted."""
    secret = odd and f"hidden{odd}"
    with pytest.raises(ValueError, match="the API key or grant must be") as raised:
        Client(server.url, secret)
    assert "hidden" not in f"{raised.value!r} {raised.value.__cause__!r} {raised.value.__context__!r}"
    with server.client() as client, pytest.raises(ValueError, match="the Idempotency-Key must be") as raised:
        client.upload(CONTENT, meeting="m1", name="a.txt", idempotency_key=f"hidden{odd or ' '}")
    assert "hidden" not in f"{raised.value!r} {raised.value.__cause__!r} {raised.value.__context__!r}"
    assert server.requests == []


def test_what_cannot_be_sent_is_not_quoted(server: Server) -> None:
    """A request that fits no address is an error of ours, is not tried again and repeats nothing of it."""
    with server.client() as client, pytest.raises(Unreachable, match="cannot be sent") as raised:
        next(client.list("hidden" * 20_000))
    assert (raised.value.retryable, "hidden" in repr(raised.value)) == (False, False)
    assert server.requests == []


def test_the_token_is_in_no_text(server: Server) -> None:
    """Neither the client nor its errors show the token."""
    server.answers += [problem(401, "unauthenticated", retryable=False)]
    with server.client() as client, pytest.raises(GreenroomError) as raised:
        client.get("up_1")
    assert "token" not in f"{client!r} {raised.value!r} {raised.value}"
