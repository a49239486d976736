"""Erasing over HTTP: asked for, done by the worker, and certified."""

import json
from pathlib import Path

import pytest

from service.core.upload import State
from service.stages.erasing.work import finish, work
from service.stages.log.keys import public_key
from service.stages.parts import Parts
from service.verify.command import main as verify
from tests.web.bookkeeping import keep_log
from tests.web.conftest import Backend, assert_problem


def erase_all(parts: Parts) -> None:
    """Do what the worker does until nothing is left to be erased."""
    rounds = []
    for _ in range(200):
        keep_log(parts)
        rounds.append((work(parts), finish(parts)))
        # What others put under hold waits for that.
        if rounds[-1][1] == 0 and rounds[-4:] == 4 * rounds[-1:]:
            return
    raise AssertionError("there is always something else left")


@pytest.mark.parametrize("what", ["meetings", "persons"])
def test_it_is_asked_for_and_done_and_certified(
    backend: Backend, parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """The answer says where to ask; the certificate is there when all is gone, and verifies offline."""
    options = {"query_string": {"meeting": "m1", "name": "notes.txt", "person": "ada@example.test"}}
    upload = backend.call("POST", "/v1/uploads", data=b"minutes", **options).get_json()
    path = {"meetings": "/v1/meetings/m1", "persons": "/v1/persons/ada@example.test"}[what]
    begun = backend.call("DELETE", path)
    assert begun.status_code == 202
    where = begun.headers["Location"]
    assert backend.get(where).get_json()["done_at"] is None
    assert backend.get(where).headers["Retry-After"]
    assert_problem(backend.get(f"{where}/certificate"), 409, "not_erased_yet")
    erase_all(parts)
    done = backend.get(where)
    assert "Retry-After" not in done.headers
    document = done.get_json()
    assert (document["uploads"], document["size"]) == (1, 7)
    assert document["done_at"] is not None
    assert backend.get(f"/v1/uploads/{upload['id']}").get_json()["state"] == "erased"
    certificate = backend.get(f"{where}/certificate")
    assert backend.get(f"/v1/uploads/{upload['id']}/certificate").data == certificate.data
    (tmp_path / "certificate").write_bytes(certificate.data)
    (tmp_path / "key").write_text(f"{public_key(parts)}\n")
    arguments = ["certificate", str(tmp_path / "certificate"), "--key", str(tmp_path / "key")]
    assert verify(arguments) == 0
    assert document["mark"] in capsys.readouterr().out


def test_a_deleted_upload_has_its_certificate(backend: Backend, parts: Parts) -> None:
    """Nobody has to ask for it; before it was deleted there is none."""
    upload_id = backend.post().get_json()["id"]
    where = f"/v1/uploads/{upload_id}/certificate"
    assert_problem(backend.get(where), 404, "not_found")
    assert backend.call("DELETE", f"/v1/uploads/{upload_id}").status_code == 204
    assert_problem(backend.get(where), 409, "not_erased_yet")
    erase_all(parts)
    assert upload_id in backend.get(where).get_json()["line"]


def test_another_accounts_meeting_of_that_name_stays(
    backend: Backend, stranger: Backend, parts: Parts
) -> None:
    """Names of meetings are each account's own."""
    mine, theirs = backend.post().get_json()["id"], stranger.post().get_json()["id"]
    backend.call("DELETE", "/v1/meetings/m1")
    erase_all(parts)
    states = {one: parts.ledger.find(one) for one in (mine, theirs)}
    assert {one: row.state for one, row in states.items() if row} == {
        mine: State.ERASED,
        theirs: State.RELEASED,
    }


def test_an_account_is_erased_by_an_administrator(
    backend: Backend, administrator: Backend, parts: Parts, tmp_path: Path
) -> None:
    """One in use only where it is said outright; from then on nobody brings it back."""
    upload_id = backend.post().get_json()["id"]
    path = f"/v1/accounts/{backend.account}"
    assert_problem(administrator.call("POST", f"{path}/erase"), 409, "not_removed")
    begun = administrator.call("POST", f"{path}/erase?active=true")
    assert begun.status_code == 202
    assert_problem(administrator.call("POST", f"{path}/reactivate"), 410, "account_removed")
    assert_problem(backend.get(f"/v1/uploads/{upload_id}"), 410, "account_removed")
    erase_all(parts)
    done = administrator.get(begun.headers["Location"]).get_json()
    assert (done["uploads"], done["certificate"]["format"]) == (1, "greenroom-erasure-certificate/1")
    assert backend.account not in json.dumps(done)
    assert_problem(administrator.get(path), 404, "not_found")
    assert_problem(backend.get(f"/v1/uploads/{upload_id}"), 401, "unauthenticated")
    gone = parts.accounts.find(done["mark"])
    assert gone is not None
    assert gone.sealed_key is None
    assert_problem(administrator.call("POST", "/v1/accounts/operator/erase?active=true"), 404, "not_found")


@pytest.mark.parametrize("path", ["/v1/meetings/%00", "/v1/persons/%2e", "/v1/erasures/er_1"])
def test_what_no_name_can_be_is_not_found(backend: Backend, path: str) -> None:
    """And asks no database."""
    method = "GET" if "erasures" in path else "DELETE"
    assert_problem(backend.call(method, path), 404, "not_found")
