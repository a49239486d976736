"""Receipts, the log's key and its newest checkpoint, as clients get them."""

from __future__ import annotations

from dataclasses import replace

from service.core.account import HOME
from service.core.errors import LedgerUnavailable, StoreUnavailable
from service.core.journal import Act, Entry
from service.core.upload import State
from service.stages.log.keys import public_key
from service.stages.parts import Parts
from service.verify.note import read_key
from service.verify.proof import check_receipt
from service.verify.receipt import read_receipt
from service.verify.signature import check_checkpoint
from service.web.public import create_app
from stack.samples import EICAR
from tests.web.bookkeeping import keep_log
from tests.web.conftest import SLOTS, Backend, Without, assert_problem


def test_a_receipt_proves_the_verdict_with_the_public_key_alone(backend: Backend, parts: Parts) -> None:
    """What was found, in which bytes; the same document each time, whatever is logged later."""
    for content, event in ((b"minutes", "found_clean"), (EICAR, "found_infected")):
        upload = backend.post(content).get_json()
        keep_log(parts)
        answer = backend.get(f"/v1/uploads/{upload['id']}/receipt")
        assert answer.status_code == 200
        key = read_key(backend.get("/v1/log/key").get_data(as_text=True))
        line = check_receipt(read_receipt(answer.get_data(as_text=True)), key).line
        assert (line["upload"], line["event"]) == (upload["id"], event)
        assert line["detail"]["sha256"] == upload["sha256"]
        backend.post(b"more")
        keep_log(parts)
        assert backend.get(f"/v1/uploads/{upload['id']}/receipt").get_json() == answer.get_json()


def test_a_receipt_names_neither_account_nor_meeting(backend: Backend, parts: Parts) -> None:
    """It may be shown to others: what the account chose stands there as pseudonyms."""
    upload = backend.post(b"minutes", meeting="board-meeting", name="secret-plan.txt").get_json()
    keep_log(parts)
    told = backend.get(f"/v1/uploads/{upload['id']}/receipt").get_data(as_text=True)
    for name in (backend.account, "board-meeting", "secret-plan"):
        assert name not in told


def test_a_verdict_that_is_not_signed_yet_has_no_receipt_yet(backend: Backend, parts: Parts) -> None:
    """The client is told when to ask again: within the minute in which the log signs."""
    keep_log(parts)
    upload = backend.post(b"minutes").get_json()
    for _ in range(2):
        answer = backend.get(f"/v1/uploads/{upload['id']}/receipt")
        problem = assert_problem(answer, 409, "not_signed_yet")
        assert problem["retryable"]
        assert 1 <= int(answer.headers["Retry-After"]) <= 61
    waiting = backend.insert(State.QUARANTINED)
    answer = backend.get(f"/v1/uploads/{waiting.id}/receipt")
    assert_problem(answer, 409, "not_signed_yet")
    assert int(answer.headers["Retry-After"]) <= 5


def test_what_was_never_judged_has_no_receipt(backend: Backend, parts: Parts) -> None:
    """A refused upload rests without a verdict."""
    upload = backend.insert(State.REFUSED)
    assert_problem(backend.get(f"/v1/uploads/{upload.id}/receipt"), 404, "no_verdict")


def test_an_erased_upload_keeps_its_receipt(backend: Backend, parts: Parts) -> None:
    """The record stays when the content goes."""
    upload = backend.post(b"minutes").get_json()
    assert backend.call("DELETE", f"/v1/uploads/{upload['id']}").status_code == 204
    keep_log(parts)
    receipt = backend.get(f"/v1/uploads/{upload['id']}/receipt").get_data(as_text=True)
    proved = check_receipt(read_receipt(receipt), public_key(parts))
    assert proved.line["event"] == "found_clean"


def test_the_checkpoint_is_signed_with_the_key(backend: Backend, parts: Parts) -> None:
    """And is over everything that was signed."""
    backend.post()
    keep_log(parts)
    key = read_key(backend.get("/v1/log/key").get_data(as_text=True))
    note = backend.get("/v1/log/checkpoint")
    assert note.mimetype == "text/plain"
    assert check_checkpoint(note.get_data(as_text=True), key).size == parts.journal.size()


def downloads(parts: Parts, upload_id: str) -> list[Entry]:
    """Return the lines that say who got an upload's content."""
    lines = parts.journal.of_upload(upload_id)
    return [line.entry for line in lines if line.entry.event == Act.DOWNLOADED]


def test_who_downloaded_is_in_the_log_before_the_first_byte(backend: Backend, parts: Parts) -> None:
    """By key and by grant. A look at the headers is no download, nor is one that was refused."""
    upload = backend.post(b"minutes").get_json()
    path = f"/v1/uploads/{upload['id']}/content"
    assert backend.call("HEAD", path).status_code == 200
    held = backend.insert(State.HELD)
    assert backend.get(f"/v1/uploads/{held.id}/content").status_code == 409
    assert downloads(parts, upload["id"]) == downloads(parts, held.id) == []
    minted = backend.call("POST", "/v1/grants", json={"kind": "download", "meeting": "m1"}).get_json()
    assert backend.get(path).data == b"minutes"
    assert replace(backend, key=minted["token"]).get(path).data == b"minutes"
    actors = [line.actor for line in downloads(parts, upload["id"])]
    assert actors == [f"key:{backend.key.partition('.')[0]}", f"grant:{minted['id']}"]


def test_what_cannot_be_logged_is_not_handed_out(backend: Backend, parts: Parts) -> None:
    """Else a download could be hidden by whoever can keep the database busy."""
    upload = backend.post(b"minutes").get_json()
    away = Without(parts.ledger, LedgerUnavailable("away"), "downloaded")
    app = create_app(replace(parts, ledger=away), SLOTS)
    answer = replace(backend, app=app).get(f"/v1/uploads/{upload['id']}/content")
    assert_problem(answer, 503, "ledger_unavailable")
    assert b"minutes" not in answer.data


def test_what_the_store_cannot_give_is_no_download(backend: Backend, parts: Parts) -> None:
    """The line says that somebody got the content, so it is not written for one that is away."""
    upload = backend.post(b"minutes").get_json()
    away = Without(parts.stores[HOME], StoreUnavailable("away"), "read_released")
    app = create_app(replace(parts, stores={HOME: away}), SLOTS)
    answer = replace(backend, app=app).get(f"/v1/uploads/{upload['id']}/content")
    assert_problem(answer, 503, "store_unavailable")
    assert downloads(parts, upload["id"]) == []
