"""Exports over HTTP: asked for, watched, downloaded in pieces, and nobody else's."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from service.core.export import KEPT
from service.core.journal import Act, Entry
from service.core.upload import Event
from service.stages.access import create_key
from service.stages.exporting import keep
from service.stages.exporting.build import build_next
from service.web.public import create_app
from tests.fakes.clock import FakeClock
from tests.web.conftest import SLOTS, Backend, assert_problem

LINE = Entry(datetime(2026, 11, 22, tzinfo=UTC), Act.KEY_REVOKED.value)
ANN = "ann|7@example.org"


def ask(backend: Backend, person: str | None = None) -> dict[str, Any]:
    """Ask for an export."""
    of = "" if person is None else f"/persons/{quote(person, safe='')}"
    answer = backend.call("POST", f"/v1/accounts/{backend.account}{of}/export")
    assert answer.status_code == 202, answer.get_data(as_text=True)
    document: dict[str, Any] = answer.get_json()
    assert answer.headers["Location"] == f"/v1/exports/{document['id']}"
    assert answer.headers["Retry-After"] == "5"
    return document


def built(backend: Backend, person: str | None = None) -> dict[str, Any]:
    """Ask for an export, have it built and return what is told of it."""
    export = ask(backend, person)
    while build_next(backend.parts, lambda: False):
        continue
    document: dict[str, Any] = backend.get(f"/v1/exports/{export['id']}").get_json()
    assert document["state"] == "ready"
    return document


def test_from_asking_to_the_zip(backend: Backend) -> None:
    """202 with where to ask, how far it is, and the zip with its digest; a month is noted for the answer."""
    upload = backend.post(b"minutes", "minutes.txt").get_json()
    export = ask(backend)
    assert (export["state"], export["progress"], export["content"], export["size"]) == (
        "queued",
        0.0,
        None,
        None,
    )
    assert ask(backend)["id"] == export["id"], "while it is on its way"
    address = f"/v1/exports/{export['id']}"
    problem = backend.get(f"{address}/content")
    assert_problem(problem, 409, "export_not_ready")
    assert problem.headers["Retry-After"] == "10"
    ready = built(backend)
    assert ready["id"] == export["id"]
    assert ready["due_at"] > ready["expires_at"] > ready["ready_at"] > ready["asked_at"]
    answer = backend.get(ready["content"])
    body = answer.get_data()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
    assert (len(body), hashlib.sha256(body).hexdigest()) == (ready["size"], ready["sha256"])
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{export["id"]}.zip"'
    assert answer.headers["Cache-Control"] == "no-store"
    archive = zipfile.ZipFile(io.BytesIO(body))
    assert archive.read(f"files/m1/{upload['id']}/minutes.txt") == b"minutes"
    assert backend.get(address).get_json()["taken_at"] is not None


@pytest.mark.parametrize(
    ("asked", "first", "last"), [("bytes=0-9", 0, 9), ("bytes=100-", 100, None), ("bytes=-7", -7, None)]
)
def test_a_download_goes_on_where_it_was(backend: Backend, asked: str, first: int, last: int | None) -> None:
    """206 with exactly those bytes, and what they are of."""
    ready = built(backend)
    whole = backend.get(ready["content"])
    wanted = whole.get_data()[first:] if last is None else whole.get_data()[first : last + 1]
    part = backend.get(ready["content"], headers={"Range": asked, "If-Range": whole.headers["ETag"]})
    assert (part.status_code, part.get_data()) == (206, wanted)
    start = first if first >= 0 else ready["size"] + first
    told = f"bytes {start}-{start + len(wanted) - 1}/{ready['size']}"
    assert (part.headers["Content-Range"], part.headers["Content-Length"]) == (told, str(len(wanted)))
    assert part.headers["ETag"] == whole.headers["ETag"] == f'"{ready["sha256"]}"'


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-1,3-4"},
        {"Range": "lines=0-1"},
        {"Range": "bytes=0-1", "If-Range": '"another"'},
        {"Range": "bytes=0-1", "If-Range": "Sun, 22 Nov 2026 12:00:00 GMT"},
    ],
    ids=["several", "no bytes", "changed", "by date"],
)
def test_else_the_whole_comes(backend: Backend, headers: dict[str, str]) -> None:
    """What is not understood or not of these bytes is ignored."""
    ready = built(backend)
    answer = backend.get(ready["content"], headers=headers)
    assert (answer.status_code, len(answer.get_data())) == (200, ready["size"])
    assert "Content-Range" not in answer.headers


def test_past_the_end_there_is_nothing(backend: Backend) -> None:
    """416, with the size; nothing is logged as taken."""
    ready = built(backend)
    answer = backend.get(ready["content"], headers={"Range": f"bytes={ready['size']}-"})
    assert_problem(answer, 416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{ready['size']}"
    head = backend.call("HEAD", ready["content"], headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(ready["size"]))
    assert backend.get(f"/v1/exports/{ready['id']}").get_json()["taken_at"] is None


def test_a_persons_export(backend: Backend) -> None:
    """By what the account calls them, whatever that looks like in an address."""
    query = {"meeting": "m1", "name": "hers.txt", "person": ANN}
    backend.call("POST", "/v1/uploads", query_string=query, data=b"hers")
    backend.post(b"nobody's", "other.txt")
    ready = built(backend, ANN)
    assert ready["person"] == ANN
    archive = zipfile.ZipFile(io.BytesIO(backend.get(ready["content"]).get_data()))
    assert [archive.read(name) for name in archive.namelist() if name.startswith("files/")] == [b"hers"]


@pytest.mark.parametrize("person", ["%00", "%C3%A9", "%20", "a%0A", "x" * 256], ids=ascii)
def test_odd_people_are_nowhere(backend: Backend, person: str) -> None:
    """404, as for every path that is not there."""
    answer = backend.call("POST", f"/v1/accounts/{backend.account}/persons/{person}/export")
    assert_problem(answer, 404, "not_found")


def test_another_account_learns_nothing(backend: Backend, stranger: Backend) -> None:
    """Not of the account, not of its export; and no key without the scope gets one."""
    ready = built(backend)
    for method, path in (
        ("POST", f"/v1/accounts/{backend.account}/export"),
        ("POST", f"/v1/accounts/{backend.account}/persons/ann/export"),
        ("GET", f"/v1/exports/{ready['id']}"),
        ("GET", ready["content"]),
    ):
        assert_problem(stranger.call(method, path), 404, "not_found")
        others = create_key(backend.parts, stranger.account, "", frozenset({"download", "read"}), None)
        assert_problem(replace(stranger, key=others).call(method, path), 403, "forbidden")
        backend.parts.credentials.revoke_key(others.split(".")[0], backend.parts.clock.now(), LINE)


def test_a_removed_account_is_handed_its_data(backend: Backend, administrator: Backend) -> None:
    """Its own keys open nothing any more; an administrator's asks, watches and downloads."""
    upload = backend.post(b"minutes", "minutes.txt").get_json()
    address = f"/v1/accounts/{backend.account}"
    assert administrator.call("POST", f"{address}/remove").status_code == 200
    assert_problem(backend.call("POST", f"{address}/export"), 410, "account_removed")
    asked = administrator.call("POST", f"{address}/export")
    assert (asked.status_code, asked.get_json()["account"]) == (202, backend.account)
    while build_next(backend.parts, lambda: False):
        continue
    ready = administrator.get(asked.headers["Location"]).get_json()
    archive = zipfile.ZipFile(io.BytesIO(administrator.get(ready["content"]).get_data()))
    assert archive.read(f"files/m1/{upload['id']}/minutes.txt") == b"minutes"
    assert_problem(backend.get(ready["content"]), 410, "account_removed")
    assert_problem(administrator.call("POST", "/v1/accounts/nobody-made-it/export"), 404, "not_found")


def test_after_its_time_it_is_gone(backend: Backend) -> None:
    """410 from the moment on, before anybody has cleared up."""
    ready = built(backend)
    clock = FakeClock(backend.parts.clock.now() + KEPT + timedelta(minutes=1))
    later = replace(backend, app=create_app(replace(backend.parts, clock=clock), SLOTS))
    assert_problem(later.get(ready["content"]), 410, "erased")


def test_a_file_that_is_recalled_is_not_handed_out(backend: Backend) -> None:
    """The export waits for its next build, which is without it."""
    upload = backend.post(b"minutes", "minutes.txt").get_json()
    ready = built(backend)
    known = backend.parts.ledger.find(upload["id"])
    assert known is not None
    backend.parts.ledger.save(known.moved(Event.RECALLED, backend.parts.clock.now()))
    assert_problem(backend.get(ready["content"]), 409, "export_not_ready")
    keep.tidy(backend.parts)
    while build_next(backend.parts, lambda: False):
        continue
    archive = zipfile.ZipFile(io.BytesIO(backend.get(ready["content"]).get_data()))
    assert not [name for name in archive.namelist() if name.startswith("files/")]
