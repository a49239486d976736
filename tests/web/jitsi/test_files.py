"""Sharing, listing, fetching and deleting, against the shapes of Jitsi's file-sharing API."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import jsonschema
import pytest
from flask import Flask

from service.core.advice import advice
from service.core.canary import EICAR
from service.core.errors import LedgerUnavailable, ScannerUnavailable
from service.core.upload import State, Upload
from service.stages.download_link import LIFE, make_link
from service.stages.parts import Parts, new_upload_id
from service.web.public import create_app
from stack.samples import clean_deck
from tests.fakes.clock import FakeClock
from tests.web.conftest import SLOTS, Without, assert_problem, new_backend
from tests.web.jitsi.meeting import (
    API_URL,
    BASE,
    CLOSE,
    GUEST,
    ORIGIN,
    Meeting,
    file_part,
    metadata,
    new_file_id,
    text_part,
)
from tests.web.test_reading import DOWNLOAD_HEADERS


def _shape(**fields: str) -> dict[str, Any]:
    """The schema of an object with exactly these fields."""
    return {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in fields.items()},
        "required": sorted(fields),
        "additionalProperties": False,
    }


#: Jitsi's AddDocumentResponse, DocumentMetadataResponse and CssFileMetadataResponse.
ADDED = _shape(fileId="string")
SHARED = _shape(
    fileId="string",
    sessionId="string",
    fileName="string",
    customerId="string",
    userId="string",
    presignedUrl="string",
    createdAt="integer",
    fileSize="integer",
)
LISTED = {
    "type": "array",
    "items": _shape(
        objectId="string",
        sessionId="string",
        timestamp="integer",
        contentType="string",
        objectName="string",
        initiatorId="string",
        preSignedUrl="string",
    ),
}


def insert(meeting: Meeting, state: State, **changes: object) -> Upload:
    """Put an upload of the meeting into the ledger, without any content in the store."""
    now = meeting.parts.clock.now()
    meeting.jitsi.files.ensure_account(meeting.jitsi.issuer.account_id, now)
    upload = Upload(
        id=new_upload_id(now),
        account_id=meeting.jitsi.issuer.account_id,
        meeting_id=meeting.session,
        name="notes.txt",
        declared_type="text/plain",
        detected_type="text/plain",
        state=state,
        created_at=now,
        updated_at=now,
        size=7,
    )
    return meeting.parts.ledger.save(replace(upload, **changes))  # type: ignore[arg-type]


def test_a_clean_file_goes_from_one_participant_to_another(meeting: Meeting) -> None:
    """Shared, described in Jitsi's shape, downloaded by the link alone, byte for byte, as an attachment."""
    deck = clean_deck()
    before = int(time.time() * 1000)
    file_id = meeting.share(deck, "deck.pptx")
    answer = meeting.document(file_id, token=meeting.token(GUEST))
    assert answer.status_code == 200
    document = answer.get_json()
    jsonschema.validate(document, SHARED)
    assert before <= document.pop("createdAt") <= int(time.time() * 1000)
    address = document.pop("presignedUrl")
    assert document == {
        "fileId": file_id,
        "sessionId": meeting.session,
        "fileName": "deck.pptx",
        "customerId": "c-1",
        "userId": "u-1",
        "fileSize": len(deck),
    }
    assert address.startswith(f"{API_URL}/content/")
    content = meeting.follow(address)
    assert content.status_code == 200
    assert hashlib.sha256(content.get_data()).digest() == hashlib.sha256(deck).digest()
    assert {name: content.headers[name] for name in DOWNLOAD_HEADERS} == DOWNLOAD_HEADERS
    assert content.headers["Content-Disposition"].startswith('attachment; filename="deck.pptx"')
    assert content.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_both_ways_to_ask_answer_alike(meeting: Meeting) -> None:
    """The path with a header is what the API's file says, the path with the id what today's browser asks."""
    file_id = meeting.share()
    one = meeting.document(file_id).get_json()
    other = meeting.call("GET", f"{meeting.files}/{file_id}").get_json()
    one.pop("presignedUrl"), other.pop("presignedUrl")
    assert one == other


def test_the_answer_is_jitsis_shape(meeting: Meeting) -> None:
    """The answer to a POST holds the id that the browser chose, and nothing else."""
    file_id = new_file_id()
    answer = meeting.post(text_part(metadata(file_id)) + file_part() + CLOSE)
    jsonschema.validate(answer.get_json(), ADDED)
    assert answer.get_json()["fileId"] == file_id


def test_malware_is_withheld(meeting: Meeting) -> None:
    """EICAR: the id comes back like any other, and no way leads to the content, nor into the list."""
    file_id = meeting.share(EICAR)
    assert meeting.upload(file_id).state is State.BLOCKED
    for answer in (meeting.document(file_id), meeting.call("GET", f"{meeting.files}/{file_id}")):
        assert "Malware" in assert_problem(answer, 409, "not_released")["detail"]
    assert meeting.call("GET", meeting.files).get_json() == []
    # Not even by a link that somebody was given while it still looked clean.
    address = f"{API_URL}/content/{make_link(meeting.parts, meeting.upload(file_id).id)}"
    assert_problem(meeting.follow(address), 409, "not_released")


@pytest.mark.parametrize("state", [state for state in State if state not in {State.RELEASED, State.ERASED}])
def test_every_state_but_released_withholds(meeting: Meeting, state: State) -> None:
    """409, with a sentence that says why; the browser finds no presignedUrl in it and shows its error."""
    upload = insert(meeting, state)
    file_id = meeting.know(upload)
    document = assert_problem(meeting.document(file_id), 409, "not_released")
    assert document["detail"] == advice(upload)
    assert "presignedUrl" not in document
    assert meeting.call("GET", meeting.files).get_json() == []
    link = make_link(meeting.parts, upload.id)
    assert_problem(meeting.follow(f"{API_URL}/content/{link}"), 409, "not_released")


def test_nobody_waits_for_the_verdict(meeting: Meeting) -> None:
    """Without a scanner the id is answered all the same; the bytes are stored, and withheld."""
    away = cast("Any", Without(meeting.parts.scanner, ScannerUnavailable("away"), "open", "engine"))
    parts = replace(meeting.parts, scanner=away)
    blind = replace(meeting, app=create_app(parts, SLOTS, meeting.jitsi))
    file_id = blind.share()
    upload = blind.upload(file_id)
    assert (upload.state, upload.sha256) == (State.QUARANTINED, hashlib.sha256(b"minutes").hexdigest())
    assert "waits to be scanned" in assert_problem(blind.document(file_id), 409, "not_released")["detail"]


def test_the_list_holds_what_is_released(meeting: Meeting, neighbour: Meeting) -> None:
    """In Jitsi's shape, oldest first, by offset and page-size; nothing of another meeting."""
    ids = [meeting.share(f"file {number}".encode()) for number in range(3)]
    meeting.know(insert(meeting, State.HELD))
    neighbour.share()
    whole = meeting.call("GET", meeting.files, token=meeting.token(GUEST)).get_json()
    jsonschema.validate(whole, LISTED)
    assert [one["objectId"] for one in whole] == ids
    first = whole[0]
    assert (first["sessionId"], first["objectName"], first["initiatorId"]) == (
        meeting.session,
        "notes.txt",
        "u-1",
    )
    assert first["contentType"] == "text/plain"
    assert meeting.follow(first["preSignedUrl"]).get_data() == b"file 0"
    page = meeting.call("GET", f"{meeting.files}?offset=1&page-size=1").get_json()
    assert [one["objectId"] for one in page] == ids[1:2]
    assert meeting.call("GET", f"{meeting.files}?offset=3").get_json() == []


@pytest.mark.parametrize("query", ["offset=-1", "offset=x", "page-size=0", "page-size=201", "page-size=1.5"])
def test_odd_pages_are_refused(meeting: Meeting, query: str) -> None:
    """Offsets and sizes are whole numbers within bounds."""
    assert_problem(meeting.call("GET", f"{meeting.files}?{query}"), 400, "bad_request")


def test_a_deleted_file_is_gone(meeting: Meeting) -> None:
    """Deleting answers 200, twice; then there is no document, no content by an older link, no list entry."""
    file_id = meeting.share()
    address = meeting.document(file_id).get_json()["presignedUrl"]
    for _ in range(2):
        assert meeting.call("DELETE", f"{meeting.files}/{file_id}").status_code == 200
    assert meeting.upload(file_id).state is State.ERASED
    assert_problem(meeting.document(file_id), 410, "erased")
    assert_problem(meeting.follow(address), 410, "erased")
    assert meeting.call("GET", meeting.files).get_json() == []


def test_deleting_waits_for_a_file_that_is_being_worked_on(meeting: Meeting) -> None:
    """The browser does not ask twice: a deletion in the middle of a scan is done when the scan is."""
    upload = insert(meeting, State.SCANNING)
    file_id = meeting.know(upload)
    ledger = meeting.parts.ledger

    class Resting:
        """The ledger of a worker that is done as soon as somebody waits."""

        def __getattr__(self, name: str) -> Any:
            return getattr(ledger, name)

        def find(self, upload_id: str) -> Upload | None:
            """Tell the state, and let the worker be done right after."""
            known = ledger.find(upload_id)
            if known is not None and known.state is State.SCANNING:
                ledger.save(replace(known, state=State.HELD))
            return known

    parts = replace(meeting.parts, ledger=cast("Any", Resting()))
    there = replace(meeting, app=create_app(parts, SLOTS, meeting.jitsi))
    assert there.call("DELETE", f"{there.files}/{file_id}").status_code == 200
    assert meeting.upload(file_id).state is State.ERASED


def test_one_senders_files_are_deleted(meeting: Meeting, neighbour: Meeting) -> None:
    """All of one user and customer in this meeting: 204; others' files and other meetings' stay."""
    mine = [meeting.share(), meeting.share()]
    other_user = meeting.share(token=meeting.token({"user": {"id": 7}, "features": {"file-upload": True}}))
    elsewhere = neighbour.share()
    answer = meeting.call("DELETE", f"{meeting.files}?user-id=u-1&customer-id=c-1")
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert {meeting.upload(file_id).state for file_id in mine} == {State.ERASED}
    assert meeting.upload(other_user).state is State.RELEASED
    assert neighbour.upload(elsewhere).state is State.RELEASED
    assert meeting.call("DELETE", f"{meeting.files}?user-id=7&customer-id=c-2").status_code == 204
    assert meeting.upload(other_user).state is State.RELEASED
    assert meeting.call("DELETE", f"{meeting.files}?user-id=7&customer-id=c-1").status_code == 204
    assert meeting.upload(other_user).state is State.ERASED


@pytest.mark.parametrize("query", ["", "?user-id=u-1", "?customer-id=c-1", "?user-id=&customer-id="])
def test_deleting_many_needs_both_names(meeting: Meeting, query: str) -> None:
    """Without a user and a customer nothing is deleted."""
    file_id = meeting.share()
    assert_problem(meeting.call("DELETE", f"{meeting.files}{query}"), 400, "bad_request")
    assert meeting.upload(file_id).state is State.RELEASED


@pytest.mark.parametrize(
    "file_id", ["", "x", "%00", "up_" + "0" * 32, "' OR 1=1", "a" * 65, "caf\u00e9", "*"]
)
def test_an_unknown_file_is_404(meeting: Meeting, file_id: str) -> None:
    """Whatever the id looks like."""
    headers = {"X-File-Id": file_id.encode().decode("latin-1")}
    path = f"/sessions/{meeting.session}/document"
    assert_problem(meeting.call("GET", path, headers=headers), 404, "not_found")
    if file_id:
        for method in ("GET", "DELETE"):
            assert_problem(meeting.call(method, f"{meeting.files}/{file_id}"), 404, "not_found")


def test_an_upload_id_is_no_file_id(meeting: Meeting) -> None:
    """Files are known by the browser's ids alone: an upload of the account is reached by no other name."""
    file_id = meeting.share()
    upload_id = meeting.upload(file_id).id
    assert_problem(meeting.document(upload_id), 404, "not_found")
    assert_problem(meeting.call("DELETE", f"{meeting.files}/{upload_id}"), 404, "not_found")


def test_nothing_configured_no_routes(parts: Parts) -> None:
    """Without the settings the app has no route for Jitsi at all."""
    app: Flask = create_app(parts, SLOTS)
    assert not [rule for rule in app.url_map.iter_rules() if "jitsi" in rule.rule]
    assert app.test_client().get(f"{BASE}/sessions/x/files").status_code == 404


def links(meeting: Meeting, good: str) -> dict[str, str]:
    """Links that open nothing, made of a good one."""
    head, _, link = good.rpartition("/")
    sealer = meeting.parts.sealer
    upload_id = meeting.upload(meeting.share()).id
    later = int(time.time()) + 60
    late = replace(meeting.parts, clock=FakeClock(meeting.parts.clock.now() - LIFE))
    made = {
        "expired": make_link(late, upload_id),
        "last character": link[:-3] + ("A" if link[-3] != "A" else "B") + link[-2:],
        "first character": "h" + link[1:],
        "middle": link[:40] + ("A" if link[40] != "A" else "B") + link[41:],
        "cut": link[:-4],
        "longer": link + "AAAA",
        "doubled": link + link,
        "an upload's id": upload_id,
        "empty": "%20",
        "accents": "caf\u00e9" * 30,
        "not about a download": sealer.seal(b"whsec_" + b"x" * 32).decode(),
        "another purpose": sealer.seal(f"upload-link {upload_id} {later}".encode()).decode(),
        "no time": sealer.seal(f"download-link {upload_id}".encode()).decode(),
        "two times": sealer.seal(f"download-link {upload_id} {later} {later}".encode()).decode(),
        "very long": "A" * 5000,
    }
    return {name: f"{head}/{wrong}" for name, wrong in made.items()}


def test_bad_links_open_nothing(meeting: Meeting) -> None:
    """Expired, tampered with or made up: 403, with one sentence for all of them."""
    good = meeting.document(meeting.share()).get_json()["presignedUrl"]
    sentences = set()
    for name, address in links(meeting, good).items():
        answer = meeting.follow(address)
        assert answer.status_code == 403, name
        sentences.add(assert_problem(answer, 403, "link_invalid")["detail"])
    assert len(sentences) == 1
    assert meeting.follow(good).status_code == 200


def test_a_link_ends_when_it_says(meeting: Meeting) -> None:
    """At most five minutes: good one second before, no good at that moment."""
    assert timedelta(minutes=5) >= LIFE
    file_id = meeting.share()
    now = meeting.parts.clock.now().replace(microsecond=0)
    for age, status in ((LIFE - timedelta(seconds=1), 200), (LIFE, 403)):
        clock = FakeClock(now)
        parts = replace(meeting.parts, clock=clock)
        there = replace(meeting, app=create_app(parts, SLOTS, meeting.jitsi))
        link = make_link(parts, meeting.upload(file_id).id)
        clock.jump(age)
        assert there.follow(f"{API_URL}/content/{link}").status_code == status


def test_a_link_is_good_for_its_own_upload_and_account_alone(meeting: Meeting) -> None:
    """A link made for an upload of another account, by whatever mistake, gives nothing out."""
    backend = new_backend(meeting.app, meeting.parts)
    other = backend.post().get_json()
    assert other["state"] == "released"
    link = make_link(meeting.parts, other["id"])
    assert_problem(meeting.follow(f"{API_URL}/content/{link}"), 404, "not_found")


def test_links_are_made_of_the_configured_address(meeting: Meeting) -> None:
    """Whatever Host a request names, a link leads to the address that the settings name."""
    file_id = meeting.share()
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-File-Id": file_id}
    answer = meeting.call("GET", f"/sessions/{meeting.session}/document", headers=headers)
    assert answer.get_json()["presignedUrl"].startswith(f"{API_URL}/content/")


def test_a_crash_before_the_meeting_knows_leaves_nothing_reachable(meeting: Meeting) -> None:
    """The bytes are stored and the id is not: no answer with an id, no file, and the id can be used again."""
    broken = replace(
        meeting.jitsi, files=cast("Any", Without(meeting.jitsi.files, LedgerUnavailable("away"), "add"))
    )
    there = replace(meeting, app=create_app(meeting.parts, SLOTS, broken))
    file_id = new_file_id()
    form = text_part(metadata(file_id)) + file_part() + CLOSE
    assert_problem(there.post(form), 503, "ledger_unavailable")
    assert_problem(meeting.document(file_id), 404, "not_found")
    assert meeting.call("GET", meeting.files).get_json() == []
    assert meeting.post(form).status_code == 200
