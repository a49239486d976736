"""Lists, downloads (bar R17), deleting, the published policy."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Any, cast
from urllib.parse import unquote_to_bytes

import pytest

from service.core.account import HOME
from service.core.errors import StoreUnavailable
from service.core.journal import Act
from service.core.upload import Event, State, Upload
from service.ports import Ledger
from service.stages.parts import Parts
from service.web.public import create_app
from stack.samples import clean_deck
from tests.fakes.log import FakeLog
from tests.web.conftest import SLOTS, Backend, Without, assert_problem, new_backend

#: Bar R17: what a download says, exactly.
DOWNLOAD_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-site",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Accept-Ranges": "bytes",
}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><script>alert(1)</script></svg>'


def test_pages_hold_every_upload_once_newest_first(backend: Backend) -> None:
    """Following the cursor visits each upload once; the last page has none; new ones do not disturb it."""
    inserted = [backend.insert(State.HELD).id for _ in range(7)]
    seen: list[str] = []
    cursor = ""
    while True:
        query = f"/v1/uploads?meeting=m1&limit=3{cursor}"
        page = backend.get(query).get_json()
        seen += [one["id"] for one in page["uploads"]]
        assert len(page["uploads"]) <= 3
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
        backend.insert(State.HELD)
    assert seen == sorted(inserted, reverse=True)


def test_full_last_page_has_no_next(backend: Backend) -> None:
    """A page that happens to be full and last does not promise more."""
    for _ in range(3):
        backend.insert(State.HELD)
    assert backend.get("/v1/uploads?meeting=m1&limit=3").get_json()["next"] is None
    assert backend.get("/v1/uploads?meeting=m1&limit=2").get_json()["next"] is not None
    assert backend.get("/v1/uploads?meeting=other").get_json() == {"uploads": [], "next": None}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "meeting=",
        "meeting=../x",
        "meeting=m1&limit=0",
        "meeting=m1&limit=201",
        "meeting=m1&limit=-1",
        "meeting=m1&limit=x",
        "meeting=m1&limit=",
        "meeting=m1&limit=1.5",
        "meeting=m1&limit=%D9%A5",
        "meeting=m1&limit=99999999999999999999",
        "meeting=m1&cursor=",
        "meeting=m1&cursor=x",
        "meeting=m1&cursor=up_0",
        "meeting=m1&cursor=up_%00",
        "meeting=m1&cursor=up_" + "0" * 32 + "%0a",
        "meeting=m1&cursor=UP_" + "0" * 32,
        "meeting=m1&cursor=' OR 1=1",
    ],
)
def test_odd_questions_are_refused(backend: Backend, query: str) -> None:
    """An odd meeting, limit or cursor is a 400 and not somebody's guess."""
    assert_problem(backend.get(f"/v1/uploads?{query}"), 400, "bad_request")


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("notes.txt", b"minutes", "text/plain"),
        ("chart.svg", SVG, "image/svg+xml"),
        (
            "deck.pptx",
            clean_deck(),
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ),
        ("empty.txt", b"", "text/plain"),
        ("one.txt", b"1", "text/plain"),
    ],
)
def test_download_is_the_same_bytes_and_nothing_a_browser_would_run(
    backend: Backend, name: str, content: bytes, media_type: str
) -> None:
    """R4 and R17: byte-identical, as an attachment, under headers that let a browser do nothing but save."""
    posted = backend.post(content, name=name)
    assert posted.get_json()["state"] == "released", posted.get_data(as_text=True)
    path = f"{posted.headers['Location']}/content"
    answer = backend.get(path)
    assert answer.status_code == 200
    assert answer.get_data() == content
    assert answer.headers["Content-Length"] == str(len(content))
    assert answer.headers["Content-Type"] == media_type
    assert (
        answer.headers["Content-Disposition"] == f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    )
    assert {header: answer.headers[header] for header in DOWNLOAD_HEADERS} == DOWNLOAD_HEADERS
    assert answer.headers["Repr-Digest"].startswith("sha-256=:")
    head = backend.call("HEAD", path)
    assert head.status_code == 200
    assert head.get_data() == b""
    for headers in (answer.headers, head.headers):
        headers.remove("X-Request-Id")
    assert sorted(head.headers) == sorted(answer.headers)


@pytest.mark.parametrize(
    "name",
    [
        "caf\u00e9.txt",
        'quo"te.txt',
        "semi;colon.txt",
        "per%41cent.txt",
        "\u4f1a\u8bae.txt",
        "\U0001f600.txt",
        "a b.txt",
        "star*.txt",
    ],
)
def test_name_survives_the_round_trip(backend: Backend, name: str) -> None:
    """RFC 6266: filename* gives back the name exactly; filename is plain ASCII without quotes inside."""
    posted = backend.post(name=name)
    header = backend.get(f"{posted.headers['Location']}/content").headers["Content-Disposition"]
    match = re.fullmatch(r"attachment; filename=\"([ -!#-\[\]-~]*)\"; filename\*=UTF-8''([!-~]+)", header)
    assert match is not None
    assert unquote_to_bytes(match[2]).decode() == posted.get_json()["name"] == name


@pytest.mark.parametrize("state", sorted(set(State) - {State.RELEASED}))
def test_content_is_refused_in_every_other_state(backend: Backend, state: State) -> None:
    """Only RELEASED hands out bytes; an erased file is 410, all else 409, by GET and HEAD alike."""
    upload = backend.insert(state)
    status, code = (410, "erased") if state is State.ERASED else (409, "not_released")
    assert_problem(backend.get(f"/v1/uploads/{upload.id}/content"), status, code)
    assert backend.call("HEAD", f"/v1/uploads/{upload.id}/content").status_code == status


def test_content_that_the_store_lost_is_no_empty_file(backend: Backend) -> None:
    """A released upload whose objects are gone is an error, never a 200 with other bytes."""
    posted = backend.post(b"minutes")
    backend.parts.stores[HOME].discard_released(posted.get_json()["id"])
    answer = backend.get(f"{posted.headers['Location']}/content")
    assert answer.status_code == 500
    assert b"minutes" not in answer.get_data()


def test_store_that_is_away_is_503(parts: Parts) -> None:
    """A download that cannot begin says so before it says 200."""
    away = Without(parts.stores[HOME], StoreUnavailable("away"), "read_released")
    backend = new_backend(create_app(replace(parts, stores={HOME: cast("Any", away)}), SLOTS), parts)
    posted = backend.post(b"minutes")
    assert_problem(backend.get(f"{posted.headers['Location']}/content"), 503, "store_unavailable")


def test_delete_is_idempotent(backend: Backend) -> None:
    """DELETE stops downloads, forgets the name, removes the bytes, and may be repeated."""
    posted = backend.post(b"minutes", name="secret-plan.txt")
    path = posted.headers["Location"]
    key = backend.parts.ledger.find(posted.get_json()["id"])
    assert key is not None
    for _ in range(3):
        answer = backend.call("DELETE", path)
        assert (answer.status_code, answer.get_data()) == (204, b"")
    assert_problem(backend.get(f"{path}/content"), 410, "erased")
    document = backend.get(path)
    assert document.get_json()["state"] == "erased"
    assert "secret-plan" not in document.get_data(as_text=True)
    with (
        pytest.raises(Exception, match="does not have the object"),
        backend.parts.stores[HOME].read_released(key.segments[0].key),
    ):
        pass


@pytest.mark.parametrize("state", [State.RECEIVING, State.SCANNING, State.CLEARED])
def test_delete_in_mid_step_is_busy(backend: Backend, state: State) -> None:
    """An upload in the middle of a step is not torn away: 409, try again."""
    upload = backend.insert(state)
    assert assert_problem(backend.call("DELETE", f"/v1/uploads/{upload.id}"), 409, "busy")["retryable"]
    assert backend.get(f"/v1/uploads/{upload.id}").get_json()["state"] == state.value


@pytest.mark.parametrize(
    "state", [State.QUARANTINED, State.HELD, State.BLOCKED, State.REFUSED, State.ABANDONED]
)
def test_owner_may_delete_whatever_rests(backend: Backend, state: State) -> None:
    """Deleting by the owner is an ending from any resting state."""
    upload = backend.insert(state)
    assert backend.call("DELETE", f"/v1/uploads/{upload.id}").status_code == 204


def test_published_policy_is_the_enforced_one(backend: Backend) -> None:
    """What /v1/policy names is taken, what it does not name is not: one source."""
    published = backend.app.test_client().get("/v1/policy").get_json()
    policy = backend.parts.policy
    assert published["max_file_size"] == policy.max_file_size
    assert published["digest"] == policy.digest == backend.post().get_json()["verdict"]["policy"]
    assert {one["extension"] for one in published["types"]} == set(policy.types)
    assert "zip" not in policy.types
    assert backend.post(name="a.zip").status_code == 415
    assert published["verdicts"]["clean"] == "released"
    assert {published["verdicts"][kind] for kind in ("unscannable", "malformed", "suspicious")} == {"held"}


def test_log_holds_no_key_and_no_name(backend: Backend, log: FakeLog) -> None:
    """Invariant 9: what is logged of an upload is ids and verdicts, never the key or the client's name."""
    name = "Merger with Initech.txt"
    posted = backend.post(b"minutes", name=name)
    backend.post(b"minutes", name="Merger with Initech.exe")
    backend.get(f"{posted.headers['Location']}/content")
    backend.call("DELETE", posted.headers["Location"])
    entries = [one.entry for one in backend.parts.journal.of_upload(posted.get_json()["id"])]
    written = repr(entries) + repr(log.lines) + repr(log.failures)
    assert "Initech" not in written
    assert backend.key.split(".")[1] not in written
    assert hashlib.sha256(b"minutes").hexdigest() in written
    assert posted.headers["X-Request-Id"] in {entry.detail.get("request") for entry in entries}


def test_what_was_withdrawn_since_it_was_looked_up_is_not_given(backend: Backend, parts: Parts) -> None:
    """The line of a download is written only while the file is released, in the same transaction."""
    document = backend.post(b"minutes").get_json()
    upload = parts.ledger.find(document["id"])
    assert upload is not None
    parts.ledger.save(upload.moved(Event.RECALLED, parts.clock.now()))
    late = replace(parts, ledger=cast("Any", Stale(parts.ledger, upload)))
    answer = replace(backend, app=create_app(late, SLOTS)).get(f"/v1/uploads/{upload.id}/content")
    assert_problem(answer, 409, "not_released")
    assert b"minutes" not in answer.data
    assert Act.DOWNLOADED not in [line.entry.event for line in parts.journal.of_upload(upload.id)]


class Stale:
    """A ledger that finds an upload as it was a moment ago."""

    def __init__(self, ledger: Ledger, upload: Upload) -> None:
        self._ledger = ledger
        self._upload = upload

    def find(self, _upload_id: str) -> Upload:
        """Return what was."""
        return self._upload

    def __getattr__(self, name: str) -> Any:
        """Do all else as the ledger does."""
        return getattr(self._ledger, name)
