"""Legal holds by the API, and what owners are told of what must stay."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import Backend, assert_problem
from tests.web.test_contract import check

HOLDS = "/v1/holds"
REASON = "Order 12/2026 of the district court"
TUS = {"Tus-Resumable": "1.0.0"}


def place(administrator: Backend, account: str, **place: str) -> dict[str, Any]:
    """Place a hold."""
    answer = administrator.call("POST", HOLDS, json={"account": account, "reason": REASON} | place)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    document: dict[str, Any] = answer.get_json()
    assert answer.headers["Location"] == f"{HOLDS}/{document['id']}"
    return document


def test_a_hold_is_placed_asked_for_and_lifted(administrator: Backend, backend: Backend) -> None:
    """With what it is on, and who did it; in its place on the list."""
    upload = backend.post().get_json()["id"]
    document = place(administrator, backend.account, upload=upload)
    actor = f"key:{administrator.key.partition('.')[0]}"
    told = (document["account"], document["meeting"], document["upload"], document["placed_by"])
    assert told == (backend.account, "m1", upload, actor)
    assert (document["reason"], document["lifted_by"], document["lifted_at"]) == (REASON, None, None)
    assert administrator.get(f"{HOLDS}/{document['id']}").get_json() == document
    other = place(administrator, backend.account, meeting="m2")
    page = administrator.get(f"{HOLDS}?account={backend.account}&limit=1").get_json()
    assert page == {"holds": [other], "next": other["id"]}
    page = administrator.get(f"{HOLDS}?account={backend.account}&cursor={other['id']}").get_json()
    assert page == {"holds": [document], "next": None}
    lifted = administrator.call("POST", f"{HOLDS}/{document['id']}/lift").get_json()
    assert lifted == document | {"lifted_by": actor, "lifted_at": lifted["lifted_at"]}
    assert lifted["lifted_at"]
    assert administrator.call("POST", f"{HOLDS}/{document['id']}/lift").get_json() == lifted


def test_an_owner_deletes_when_the_hold_is_lifted(administrator: Backend, backend: Backend) -> None:
    """Until then the file is there, is downloaded as before, and the answer says what stands in the way."""
    one = f"/v1/uploads/{backend.post(b'minutes').get_json()['id']}"
    hold = place(administrator, backend.account)
    assert_problem(backend.call("DELETE", one), 409, "under_hold")
    assert backend.get(f"{one}/content").get_data() == b"minutes"
    administrator.call("POST", f"{HOLDS}/{hold['id']}/lift")
    assert backend.call("DELETE", one).status_code == 204
    assert_problem(backend.get(f"{one}/content"), 410, "erased")


def test_a_resumable_upload_is_not_given_up(administrator: Backend, backend: Backend) -> None:
    """It can still be gone on with."""
    metadata = "filename bi50eHQ=,meeting bTE="
    begun = backend.call(
        "POST", "/v1/tus", headers={**TUS, "Upload-Length": "7", "Upload-Metadata": metadata}
    )
    path, offset = begun.headers["Location"], {**TUS, "Upload-Offset": "0"}
    hold = place(administrator, backend.account, meeting="m1")
    assert_problem(backend.call("DELETE", path, headers=TUS), 409, "under_hold")
    assert backend.call("HEAD", path, headers=TUS).headers["Upload-Offset"] == "0"
    administrator.call("POST", f"{HOLDS}/{hold['id']}/lift")
    assert backend.call("DELETE", path, headers=offset).status_code == 204


def test_answers_are_as_published(administrator: Backend, backend: Backend) -> None:
    """Every route's document, and each problem that can be had for the asking."""
    published = administrator.get("/openapi.json").get_json()
    upload = backend.post().get_json()["id"]
    hold = place(administrator, backend.account)
    one, nowhere = f"{HOLDS}/{{hold_id}}", f"{HOLDS}/hd_{0:032x}"
    wanted = {"account": backend.account, "reason": REASON}
    for method, path, answer in [
        ("post", HOLDS, administrator.call("POST", HOLDS, json=wanted)),
        ("post", HOLDS, administrator.call("POST", HOLDS, json=wanted | {"account": "nobody-made-it"})),
        ("post", HOLDS, administrator.call("POST", HOLDS, json=wanted | {"reason": ""})),
        ("get", HOLDS, administrator.get(HOLDS)),
        ("get", HOLDS, administrator.get(f"{HOLDS}?limit=0")),
        ("get", HOLDS, backend.get(HOLDS)),
        ("get", one, administrator.get(f"{HOLDS}/{hold['id']}")),
        ("get", one, administrator.get(nowhere)),
        ("delete", "/v1/uploads/{upload_id}", backend.call("DELETE", f"/v1/uploads/{upload}")),
        ("post", f"{one}/lift", administrator.call("POST", f"{HOLDS}/{hold['id']}/lift")),
        ("post", f"{one}/lift", administrator.call("POST", f"{nowhere}/lift")),
    ]:
        check(published, method, path, answer)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"account": "nobody-made-it"}, 404, "not_found"),
        ({"upload": f"up_{0:032x}"}, 404, "not_found"),
        ({"meeting": "m1", "upload": f"up_{0:032x}"}, 400, "bad_request"),
        ({"reason": " " * 10}, 400, "bad_request"),
        ({"meeting": "a b"}, 400, "bad_request"),
    ],
    ids=["account", "upload", "two places", "no reason", "meeting"],
)
def test_odd_holds_are_refused(
    administrator: Backend, backend: Backend, changes: dict[str, str], status: int, code: str
) -> None:
    """With a sentence that says what is odd."""
    wanted = {"account": backend.account, "reason": REASON} | changes
    assert_problem(administrator.call("POST", HOLDS, json=wanted), status, code)
    assert administrator.get(f"{HOLDS}?account={backend.account}").get_json()["holds"] == []
