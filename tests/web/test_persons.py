"""Who uploads: said by the account's backend or by its grant, kept, and shown to no one else."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from service.core.upload import State
from service.stages.sweep import erase
from tests.web.conftest import Backend, assert_problem
from tests.web.test_grants import holding, minted
from tests.web.test_tus import TUS, begin, encoded, head

ANN = "ann|7@example.org"


def person_of(backend: Backend, upload_id: str) -> str | None:
    """Return whose an upload is."""
    upload = backend.parts.ledger.find(upload_id)
    assert upload is not None
    return upload.person


def post(backend: Backend, **query: str) -> TestResponse:
    """Upload a file into m1."""
    asked = {"meeting": "m1", "name": "notes.txt", **query}
    return backend.call("POST", "/v1/uploads", query_string=asked, data=b"minutes")


def test_a_backend_says_who_uploads(backend: Backend) -> None:
    """It is kept with the upload, and no answer tells it; who says nothing is taken in as before."""
    answer = post(backend, person=ANN)
    document = answer.get_json()
    assert person_of(backend, document["id"]) == ANN
    asked = backend.get(f"/v1/uploads/{document['id']}")
    listed = backend.get("/v1/uploads?meeting=m1")
    assert ANN not in "".join(
        one.get_data(as_text=True) + str(one.headers) for one in (answer, asked, listed)
    )
    assert person_of(backend, post(backend).get_json()["id"]) is None


@pytest.mark.parametrize("odd", ["", " ", "a/b", "é", "a\n", "x" * 256], ids=ascii)
def test_odd_persons_are_refused(backend: Backend, odd: str) -> None:
    """By every way in, with nothing made."""
    assert_problem(post(backend, person=odd), 400, "bad_request")
    wanted = {"kind": "upload", "meeting": "m1", "person": odd}
    assert_problem(backend.call("POST", "/v1/grants", json=wanted), 400, "bad_request")
    metadata = encoded(filename="a.txt", meeting="m1", person=odd)
    assert_problem(begin(backend, Upload_Metadata=metadata), 400, "bad_request")
    assert backend.get("/v1/uploads?meeting=m1").get_json()["uploads"] == []


@pytest.mark.parametrize("limits", [{"max_files": 2}, {"kind": "download"}], ids=["upload", "download"])
def test_a_grant_says_whom_it_is_for(backend: Backend, limits: dict[str, Any]) -> None:
    """When it is made, refreshed and asked for, by the backend and by its holder."""
    grant = minted(backend, person=ANN, **limits)
    refreshed = backend.call("POST", f"/v1/grants/{grant['id']}/refresh", json={}).get_json()
    state = backend.get(f"/v1/grants/{grant['id']}").get_json()
    in_hand = holding(backend, refreshed).get("/v1/grant").get_json()
    assert {one["person"] for one in (grant, refreshed, state, in_hand)} == {ANN}


def test_under_a_grant_everything_is_its_person_s(backend: Backend) -> None:
    """By either protocol; a browser that says somebody else's name is refused, so nobody's files become
    another one's.
    """
    presenter = holding(backend, minted(backend, person=ANN))
    assert person_of(backend, post(presenter).get_json()["id"]) == ANN
    assert person_of(backend, post(presenter, person=ANN).get_json()["id"]) == ANN
    assert_problem(post(presenter, person="bo"), 403, "forbidden")
    path = begin(presenter, Upload_Metadata=encoded(filename="a.txt")).headers["Location"]
    assert person_of(backend, path.rpartition("/")[2]) == ANN
    other = begin(presenter, Upload_Metadata=encoded(filename="a.txt", person="bo"))
    assert_problem(other, 403, "forbidden")
    nobody = holding(backend, minted(backend))
    assert_problem(post(nobody, person="bo"), 403, "forbidden")
    assert person_of(backend, post(nobody).get_json()["id"]) is None


def test_tus_carries_it_as_metadata(backend: Backend) -> None:
    """It is kept, and not told to who asks for the offset."""
    metadata = encoded(filename="a.txt", meeting="m1", person=ANN)
    path = begin(backend, Upload_Metadata=metadata).headers["Location"]
    assert person_of(backend, path.rpartition("/")[2]) == ANN
    assert head(backend, path).headers["Upload-Metadata"] == encoded(filename="a.txt", meeting="m1")
    assert backend.call("DELETE", path, headers=TUS).status_code == 204
    assert person_of(backend, path.rpartition("/")[2]) is None


def test_a_key_is_for_one_person_s_upload(backend: Backend) -> None:
    """The same request for another person is another request."""
    again = {"Idempotency-Key": "key-1"}
    query = {"meeting": "m1", "name": "notes.txt", "person": ANN}
    first = backend.call("POST", "/v1/uploads", query_string=query, data=b"minutes", headers=again)
    query["person"] = "bo"
    second = backend.call("POST", "/v1/uploads", query_string=query, data=b"minutes", headers=again)
    assert first.status_code == 201
    assert_problem(second, 422, "idempotency_mismatch")


def test_an_erased_upload_is_nobody_s(backend: Backend) -> None:
    """Its person goes with its name."""
    upload = backend.insert(State.HELD, person=ANN)
    erase(backend.parts, upload)
    assert person_of(backend, upload.id) is None
