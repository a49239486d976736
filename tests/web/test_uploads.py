"""Posting an upload: bodies, forms, digests, preferences, and what is refused."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import Any, cast

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from service.core.canary import EICAR
from service.core.errors import LedgerUnavailable, ScannerUnavailable
from service.core.upload import State
from service.stages.gate import Health
from service.stages.parts import Parts
from service.web.public import create_app
from service.web.public.headers import LONGEST_WAIT, preferred_wait
from service.web.public.slots import Slots
from stack.samples import clean_deck
from tests.web.conftest import SLOTS, Backend, Without, assert_problem, new_backend

BOUNDARY = "greenroom"
DECK = "application/vnd.openxmlformats-officedocument.presentationml.presentation"


def part(
    content: bytes,
    disposition: bytes = b'form-data; name="file"; filename="form.txt"',
    headers: bytes = b"",
) -> bytes:
    """One part of a form, its opening boundary included."""
    lines = b"--" + BOUNDARY.encode() + b"\r\nContent-Disposition: " + disposition + b"\r\n" + headers
    return lines + b"\r\n" + content + b"\r\n"


CLOSE = b"--" + BOUNDARY.encode() + b"--\r\n"


def post_form(
    backend: Backend, body: bytes, *, name: str | None = None, boundary: str = f"; boundary={BOUNDARY}"
) -> TestResponse:
    """Post a form; `name` goes into the query."""
    query = {"meeting": "m1"} | ({"name": name} if name else {})
    kind = f"multipart/form-data{boundary}"
    return backend.call("POST", "/v1/uploads", query_string=query, data=body, content_type=kind)


def nothing_was_taken_in(backend: Backend) -> bool:
    """Whether the ledger has no row for the backend's account but refused and abandoned ones."""
    found = backend.parts.ledger.page(backend.account, "m1", None, 100)
    return {upload.state for upload in found} <= {State.REFUSED, State.ABANDONED}


def test_clean_file_is_released(backend: Backend) -> None:
    """A clean deck is 201, released, and its document says everything that the contract promises."""
    deck = clean_deck()
    answer = backend.post(deck, name="deck.pptx", headers={"Content-Type": "application/x-mine"})
    assert answer.status_code == 201
    document = answer.get_json()
    assert answer.headers["Location"] == f"/v1/uploads/{document['id']}"
    assert "Retry-After" not in answer.headers
    assert document["state"] == "released"
    assert (document["account"], document["meeting"], document["name"]) == (
        backend.account,
        "m1",
        "deck.pptx",
    )
    assert (document["size"], document["sha256"]) == (len(deck), hashlib.sha256(deck).hexdigest())
    assert (document["declared_type"], document["detected_type"]) == ("application/x-mine", DECK)
    verdict = document["verdict"]
    assert (verdict["kind"], verdict["code"], verdict["signature"]) == ("clean", "clean", None)
    assert verdict["engine"].startswith("ClamAV 1.")
    assert verdict["duration_seconds"] > 0
    assert verdict["notice"] == "demo signatures: not protection"
    assert verdict["signatures"] == {
        "version": None,
        "made_at": None,
        "age_seconds": None,
        "protection": "demo",
    }
    assert [step["state"] for step in document["history"]] == [
        "receiving",
        "quarantined",
        "scanning",
        "cleared",
        "released",
    ]
    assert all(step["at"].endswith("Z") for step in document["history"])
    assert backend.get(answer.headers["Location"]).get_json() == document


def test_eicar_is_blocked(backend: Backend) -> None:
    """EICAR is 201 and blocked, with the signature's name and a sentence for the sender."""
    answer = backend.post(EICAR, name="eicar.txt")
    document = answer.get_json()
    assert (answer.status_code, document["state"]) == (201, "blocked")
    assert document["verdict"]["kind"] == "infected"
    assert "EICAR" in document["verdict"]["signature"].upper()
    assert "Malware" in document["advice"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"meeting": "m1"}, "bad_request"),
        ({"meeting": "m1", "name": ""}, "bad_request"),
        ({"meeting": "m1", "name": "..."}, "bad_request"),
        ({"name": "a.txt"}, "bad_request"),
        ({"meeting": "", "name": "a.txt"}, "bad_request"),
        ({"meeting": "../m", "name": "a.txt"}, "bad_request"),
        ({"meeting": "m" * 129, "name": "a.txt"}, "bad_request"),
        ({"meeting": "m\n", "name": "a.txt"}, "bad_request"),
        ({"meeting": "m1", "name": "a.exe"}, "type_not_allowed"),
        ({"meeting": "m1", "name": "txt"}, "type_not_allowed"),
        ({"meeting": "m1", "name": "a.txt."}, None),
        ({"meeting": "m1", "name": "a.TXT"}, None),
    ],
)
def test_names_and_meetings(backend: Backend, query: dict[str, str], code: str | None) -> None:
    """A missing or odd name or meeting is refused before a byte is stored."""
    answer = backend.call("POST", "/v1/uploads", query_string=query, data=b"minutes")
    if code is None:
        assert answer.status_code == 201
    else:
        assert_problem(answer, 415 if code == "type_not_allowed" else 400, code)
        assert nothing_was_taken_in(backend)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("photo.png", b"minutes"),
        ("notes.txt", bytes.fromhex("7f454c46020101000000000000000000")),
        ("deck.pptx", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
        ("deck.docx", clean_deck()),
        ("deck.odp", clean_deck()),
        ("deck.key", clean_deck()),
    ],
)
def test_content_that_is_not_what_its_name_says(backend: Backend, name: str, content: bytes) -> None:
    """The extension, the first bytes and a package's inside must agree: else 415 and nothing is kept."""
    assert_problem(backend.post(content, name=name), 415, "type_not_allowed")
    assert nothing_was_taken_in(backend)


def test_too_large_is_refused_by_its_announcement(backend: Backend) -> None:
    """One byte over the limit in Content-Length is 413 before the body is looked at."""
    limit = backend.parts.policy.max_file_size
    announced = {"CONTENT_LENGTH": str(limit + 1)}
    answer = backend.post(b"short", environ_overrides=announced)
    assert str(limit) in assert_problem(answer, 413, "too_large")["detail"]


def test_too_large_is_refused_by_count(backend: Backend) -> None:
    """Without an announcement the bytes are counted: the limit itself passes, one more does not."""
    small = replace(backend.parts, policy=replace(backend.parts.policy, max_file_size=100_000))
    client = new_backend(create_app(small, SLOTS), small)
    for size, status in ((100_000, 201), (100_001, 413)):
        form = part(b"x" * size) + CLOSE
        assert post_form(client, form).status_code == status
        assert client.post(b"x" * size).status_code == status


def test_short_body_is_refused(backend: Backend) -> None:
    """Fewer bytes than announced are 400 truncated, and the row is abandoned."""
    answer = backend.post(b"x" * 1000, environ_overrides={"CONTENT_LENGTH": "1001"})
    assert_problem(answer, 400, "truncated")
    assert nothing_was_taken_in(backend)


def digest(content: bytes) -> str:
    """The base64 of a content's SHA-256."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


GOOD, OTHER = digest(b"minutes"), digest(b"other")


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        (f"sha-256=:{GOOD}:", 201, None),
        (f"sha-512=:AAAA:, sha-256=:{GOOD}:", 201, None),
        (f"sha-256=:{GOOD}:,sha-512=:AAAA:", 201, None),
        (f" sha-256 = :{GOOD}: ", 201, None),
        ("sha-512=:AAAA:", 201, None),
        ("md5=:AAAA:", 201, None),
        ("", 201, None),
        (f"sha-256=:{OTHER}:", 400, "digest_mismatch"),
        (f"sha-512=:AAAA:, sha-256=:{OTHER}:", 400, "digest_mismatch"),
        (f"sha-256={GOOD}", 400, "bad_request"),
        (f'sha-256="{GOOD}"', 400, "bad_request"),
        ("sha-256=::", 400, "bad_request"),
        ("sha-256=:AAAA:", 400, "bad_request"),
        (f"sha-256=:{GOOD[:-1]}:", 400, "bad_request"),
        (f"sha-256=:{GOOD}=:", 400, "bad_request"),
        (f"sha-256=:{GOOD}", 400, "bad_request"),
        ("sha-256", 400, "bad_request"),
        (f"sha-256=:{hashlib.sha256(b'minutes').hexdigest()}:", 400, "bad_request"),
        (f"sha-256=:{GOOD}:, sha-256=:{OTHER}:", 400, "digest_mismatch"),
        (f"sha-256=:{OTHER}:, sha-256=:{GOOD}:", 201, None),
        (f"SHA-256=:{GOOD}:", 201, None),
        (f"SHA-256=:{OTHER}:", 400, "digest_mismatch"),
        (f"sha-256-x=:{OTHER}:", 201, None),
    ],
)
def test_announced_digest(backend: Backend, header: str, status: int, code: str | None) -> None:
    """Repr-Digest (RFC 9530, a dictionary of RFC 8941): the right one passes, a wrong or malformed one is
    refused with nothing kept, other algorithms are passed over; of a key given twice the last counts.
    """
    answer = backend.post(headers={"Repr-Digest": header})
    if code:
        assert_problem(answer, status, code)
        assert nothing_was_taken_in(backend)
    else:
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ("wait=5", 5),
        ('wait="5"', 5),
        ("wait = 5", 5),
        ("respond-async, wait=5", 5),
        ("return=minimal; foo=bar, wait=0", 0),
        ("WAIT=5", 5),
        ("wait=999999", LONGEST_WAIT),
        ("wait=9999999999", 30),
        ("wait=-1", 30),
        ("wait=x", 30),
        ("wait", 30),
        ("nowait=5", 30),
        ("wait=5x", 30),
        ("", 30),
    ],
)
def test_preferred_wait(prefer: str, expected: int) -> None:
    """RFC 7240: `wait` among other preferences, names without case; what cannot be read is ignored."""
    assert preferred_wait(prefer, 30) == expected


@pytest.mark.parametrize("text", ["-1", "1.5", "x", "", " 1", "1 ", "\u0665", "0x10", "1e3", "9999999"])
def test_odd_wait_is_refused(backend: Backend, text: str) -> None:
    """`?wait=` is whole seconds, else 400: a client must not believe that it waits."""
    upload = backend.insert(State.HELD)
    assert_problem(backend.get(f"/v1/uploads/{upload.id}", query_string={"wait": text}), 400, "bad_request")


def test_waiting_ends_when_the_upload_rests(backend: Backend) -> None:
    """A long poll on an upload that rests answers at once; one under way says when to ask again."""
    held = backend.insert(State.HELD)
    answer = backend.get(f"/v1/uploads/{held.id}?wait=60")
    assert (answer.status_code, answer.get_json()["state"]) == (200, "held")
    under_way = backend.insert(State.SCANNING)
    answer = backend.get(f"/v1/uploads/{under_way.id}?wait=1")
    assert (answer.get_json()["state"], answer.headers["Retry-After"]) == ("scanning", "2")


def _without_scanner(parts: Parts) -> Parts:
    away = Without(parts.scanner, ScannerUnavailable("away"), "open", "engine")
    return replace(parts, scanner=cast("Any", away))


def _blind(parts: Parts) -> Parts:
    parts.gate.report(Health(parts.clock.now(), ("plain: not found",)))
    return parts


@pytest.mark.parametrize("trouble", [_without_scanner, _blind], ids=["away", "canaries failed"])
def test_without_a_scanner_to_believe_it_is_202(parts: Parts, trouble: Any) -> None:
    """The file is kept, not judged: 202, where to ask, when, and no verdict."""
    troubled = trouble(parts)
    backend = new_backend(create_app(troubled, SLOTS), troubled)
    answer = backend.post(headers={"Prefer": "wait=0"})
    document = answer.get_json()
    assert answer.status_code == 202
    assert (document["state"], document["verdict"]) == ("quarantined", None)
    assert answer.headers["Location"] == f"/v1/uploads/{document['id']}"
    assert int(answer.headers["Retry-After"]) > 0
    assert_problem(backend.get(f"/v1/uploads/{document['id']}/content"), 409, "not_released")


@pytest.mark.parametrize("call", ["find", "history"])
@pytest.mark.parametrize(
    ("scanning", "status", "state"), [("at once", 201, "released"), ("later", 202, "quarantined")]
)
def test_ledger_that_goes_away_after_the_file_is_kept_is_no_failure(
    parts: Parts,
    call: str,
    scanning: str,
    status: int,
    state: str,
) -> None:
    """What is durable is acknowledged, though its newest state and its history cannot be had: a sender that
    is told to try again would send it twice.
    """
    known = parts if scanning == "at once" else _without_scanner(parts)
    away = Without(parts.ledger, LedgerUnavailable("away"), call)
    backend = new_backend(create_app(replace(known, ledger=cast("Any", away)), SLOTS), parts)
    answer = backend.post(headers={"Prefer": "wait=1"})
    document = answer.get_json()
    assert (answer.status_code, document["state"]) == (status, state)
    assert answer.headers["Location"] == f"/v1/uploads/{document['id']}"
    assert ("history" in document) == (scanning == "at once" and call == "find")
    assert [upload["id"] for upload in listed(parts, backend)] == [document["id"]]


def listed(parts: Parts, backend: Backend) -> list[dict[str, Any]]:
    """The backend's uploads, asked of an app whose ledger is there."""
    sound = replace(backend, app=create_app(parts, SLOTS))
    uploads: list[dict[str, Any]] = sound.get("/v1/uploads?meeting=m1").get_json()["uploads"]
    return uploads


def test_full_house_is_overloaded(parts: Parts) -> None:
    """With every upload slot taken a sender is told to come back, whoever it is."""
    app: Flask = create_app(parts, Slots(uploads=1, waits=1, downloads=1))
    backend = new_backend(app, parts)
    seen: list[TestResponse] = []

    class Body:
        def __init__(self) -> None:
            self._left = [b"minutes"]

        def read(self, _size: int = -1) -> bytes:
            if not seen:
                seen.append(backend.post())
            return self._left.pop() if self._left else b""

    answer = backend.post(
        b"", environ_overrides={"wsgi.input": Body(), "CONTENT_LENGTH": "7", "wsgi.input_terminated": True}
    )
    assert answer.status_code == 201
    assert assert_problem(seen[0], 503, "overloaded")["retryable"] is True


def test_form_with_one_file(backend: Backend) -> None:
    """One file part: its content, name and type; the announced length is the form's, not the file's."""
    document = post_form(
        backend, part(b"minutes", headers=b"Content-Type: text/x-mine\r\n") + CLOSE
    ).get_json()
    assert (document["name"], document["size"], document["declared_type"]) == ("form.txt", 7, "text/x-mine")
    assert document["sha256"] == hashlib.sha256(b"minutes").hexdigest()
    assert document["state"] == "released"


def test_name_in_the_query_wins_over_the_forms(backend: Backend) -> None:
    """A backend that names the file is believed before the browser that sent it."""
    document = post_form(backend, part(b"minutes") + CLOSE, name="query.csv").get_json()
    assert document["name"] == "query.csv"


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b'form-data; name="f"; filename="caf\xc3\xa9.txt"', "caf\u00e9.txt"),
        (b'form-data; name="f"; filename="C:\\\\Users\\\\me\\\\deck.txt"', "deck.txt"),
        (b'form-data; name="f"; filename="../../etc/passwd.txt"', "passwd.txt"),
        (b'form-data; name="f"; filename="a;b.txt"', "a;b.txt"),
        (b"form-data; name=f; filename=plain.txt", "plain.txt"),
        (b'form-data; name="f"; filename="bad\xff\xfe.txt"', "bad\ufffd\ufffd.txt"),
    ],
)
def test_name_of_a_form_is_made_fit_to_show(backend: Backend, disposition: bytes, name: str) -> None:
    """The part's filename is a stranger's text like any other: paths go, UTF-8 stays."""
    assert post_form(backend, part(b"minutes", disposition) + CLOSE).get_json()["name"] == name


def test_content_that_looks_like_a_boundary(backend: Backend) -> None:
    """Dashes, newlines and near-boundaries within the content come through byte for byte."""
    content = b"--greenroo\r\n--\r\n\r\n--greenroomx\n" + b"\r\n--green" * 1000 + b"\r"
    document = post_form(backend, part(content) + CLOSE).get_json()
    assert document["sha256"] == hashlib.sha256(content).hexdigest()


FILE = part(b"minutes")
BAD_FORMS = {
    "two files": FILE + FILE + CLOSE,
    "a field, then a file": part(b"x", b'form-data; name="note"') + FILE + CLOSE,
    "a file, then a field": FILE + part(b"x", b'form-data; name="note"') + CLOSE,
    "no filename": part(b"minutes", b'form-data; name="file"') + CLOSE,
    "no part": CLOSE,
    "empty": b"",
    "no closing boundary": FILE,
    "half a closing boundary": FILE + CLOSE[:-6],
    "headers only": part(b"")[:40],
    "huge header": part(b"minutes", headers=b"X-Huge: " + b"x" * 100_000 + b"\r\n") + CLOSE,
    "many headers": part(b"minutes", headers=b"X-Many: x\r\n" * 1000) + CLOSE,
    "huge filename": part(b"minutes", b'form-data; name="f"; filename="' + b"x" * 10_000 + b'.txt"') + CLOSE,
    "no headers": b"--greenroom\r\n\r\nminutes\r\n" + CLOSE,
    "another boundary": FILE.replace(b"greenroom", b"redroom") + CLOSE.replace(b"greenroom", b"redroom"),
    "binary": bytes(range(256)) * 10,
    "no colon": FILE.replace(b"Disposition:", b"Disposition") + CLOSE,
}


@pytest.mark.parametrize("name", BAD_FORMS)
def test_bad_form_is_refused(backend: Backend, name: str) -> None:
    """Any form but one with exactly one complete file is a 400, and nothing of it is kept."""
    answer = post_form(backend, BAD_FORMS[name])
    assert answer.status_code == 400, answer.get_data(as_text=True)
    assert_problem(answer, 400, answer.get_json(force=True)["code"])
    assert nothing_was_taken_in(backend)


@pytest.mark.parametrize(
    "boundary", ["", "; boundary=", "; boundary=" + "x" * 300, '; boundary="', "; charset=x"]
)
def test_unusable_boundary_is_refused(backend: Backend, boundary: str) -> None:
    """A form without a boundary to go by is a 400."""
    assert_problem(post_form(backend, FILE + CLOSE, boundary=boundary), 400, "bad_request")


def test_digest_of_a_form_is_the_files(backend: Backend) -> None:
    """Repr-Digest announces the file, not the form around it."""
    for value, status in ((GOOD, 201), (OTHER, 400)):
        answer = backend.call(
            "POST",
            "/v1/uploads?meeting=m1",
            data=FILE + CLOSE,
            content_type=f"multipart/form-data; boundary={BOUNDARY}",
            headers={"Repr-Digest": f"sha-256=:{value}:"},
        )
        assert answer.status_code == status
