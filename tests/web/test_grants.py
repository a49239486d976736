"""Grants by the API: minted, used, used up, refreshed, revoked; and keys that a backend registers."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from flask import Flask

from service.core.grant import to_claims
from service.core.upload import State
from service.stages import signing
from service.stages.parts import Parts
from service.web.public import create_app
from service.web.public.slots import Slots
from tests.fakes.clock import FakeClock
from tests.web.conftest import SLOTS, Backend, assert_problem, new_backend

EICAR_FREE = b"minutes of the meeting"


def minted(backend: Backend, **wanted: Any) -> dict[str, Any]:
    """Mint a grant, an upload grant into m1 unless told otherwise, and return its document."""
    answer = backend.call("POST", "/v1/grants", json={"kind": "upload", "meeting": "m1", **wanted})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    document: dict[str, Any] = answer.get_json()
    return document


def holding(backend: Backend, grant: dict[str, Any]) -> Backend:
    """Return somebody who has nothing but a grant's token."""
    return replace(backend, key=grant["token"])


def test_a_presenter_uploads_with_a_grant(backend: Backend) -> None:
    """The grant names its limits; its holder sends a file into the meeting and sees what became of it."""
    grant = minted(backend, max_files=2, max_bytes=1000, types=["txt"], expires_in=60)
    assert (grant["kind"], grant["meeting"], grant["file"]) == ("upload", "m1", None)
    assert (grant["max_files"], grant["max_bytes"], grant["types"]) == (2, 1000, ["txt"])
    lived = datetime.fromisoformat(grant["expires_at"]) - datetime.fromisoformat(grant["issued_at"])
    assert lived == timedelta(seconds=60)
    presenter = holding(backend, grant)
    answer = presenter.post(EICAR_FREE)
    assert answer.status_code == 201
    document = answer.get_json()
    assert (document["state"], document["account"]) == ("released", backend.account)
    assert presenter.get(f"/v1/uploads/{document['id']}").get_json()["state"] == "released"
    state = backend.get(f"/v1/grants/{grant['id']}").get_json()
    assert state["used"] == {"files": 1, "bytes": len(EICAR_FREE)}
    assert "token" not in state


def test_an_upload_grant_has_sane_limits_of_itself(backend: Backend, parts: Parts) -> None:
    """Without limits in the request there are limits all the same."""
    grant = minted(backend)
    assert grant["max_files"] == 20
    assert grant["max_bytes"] == 20 * parts.policy.max_file_size
    assert grant["types"] == []


def test_a_presenter_sees_only_what_came_under_the_grant(backend: Backend) -> None:
    """Not the meeting's other files, not their list, no content, nothing to delete."""
    other = backend.insert(State.RELEASED)
    presenter = holding(backend, minted(backend))
    assert_problem(presenter.get(f"/v1/uploads/{other.id}"), 404, "not_found")
    assert_problem(presenter.get("/v1/uploads?meeting=m1"), 403, "forbidden")
    mine = presenter.post(EICAR_FREE).get_json()["id"]
    assert_problem(presenter.get(f"/v1/uploads/{mine}/content"), 403, "forbidden")
    assert_problem(presenter.call("DELETE", f"/v1/uploads/{mine}"), 403, "forbidden")
    another = holding(backend, minted(backend))
    assert_problem(another.get(f"/v1/uploads/{mine}"), 404, "not_found")


def test_an_upload_grant_is_for_its_meeting_and_types(backend: Backend) -> None:
    """Another meeting is refused, and so is another type; neither costs anything of the quota."""
    grant = minted(backend, types=["pdf"])
    presenter = holding(backend, grant)
    assert_problem(presenter.post(EICAR_FREE, meeting="m2"), 403, "forbidden")
    problem = assert_problem(presenter.post(EICAR_FREE), 415, "type_not_allowed")
    assert "pdf" in problem["detail"]
    assert backend.get(f"/v1/grants/{grant['id']}").get_json()["used"] == {"files": 0, "bytes": 0}


def test_a_holder_asks_what_the_grant_may_do(backend: Backend) -> None:
    """Its limits and what is used of them, with the times of the token that was sent; nothing else."""
    grant = minted(backend, max_files=2, max_bytes=1000, types=["txt", "pdf"])
    presenter = holding(backend, grant)
    told = {name: value for name, value in grant.items() if name != "token"}
    assert presenter.get("/v1/grant").get_json() == told | {"used": {"files": 0, "bytes": 0}}
    presenter.post(EICAR_FREE)
    used = {"files": 1, "bytes": len(EICAR_FREE)}
    assert presenter.get("/v1/grant").get_json() == told | {"used": used}
    refreshed = backend.call("POST", f"/v1/grants/{grant['id']}/refresh", json={"expires_in": 60}).get_json()
    asked = holding(backend, refreshed).get("/v1/grant").get_json()
    assert (asked["expires_at"], asked["used"]) == (refreshed["expires_at"], used)


def test_a_participant_asks_too(backend: Backend) -> None:
    """A grant for downloads tells its meeting and its file."""
    file = backend.post(EICAR_FREE).get_json()["id"]
    asked = holding(backend, minted(backend, kind="download", file=file)).get("/v1/grant").get_json()
    assert (asked["kind"], asked["meeting"], asked["file"]) == ("download", "m1", file)


def test_only_a_grant_is_asked_what_it_may_do(backend: Backend, parts: Parts) -> None:
    """An API key is told that it is none, whatever its scopes; 404 would say that there is no such route."""
    assert "API key" in assert_problem(backend.get("/v1/grant"), 403, "forbidden")["detail"]
    weak = new_backend(backend.app, parts, frozenset({"grants"}))
    assert_problem(weak.get("/v1/grant"), 403, "forbidden")


def test_a_single_use_grant_is_used_once(backend: Backend) -> None:
    """Replayed, it is used up: whoever steals the token after its use has nothing."""
    presenter = holding(backend, minted(backend, max_files=1))
    assert presenter.post(EICAR_FREE).status_code == 201
    assert_problem(presenter.post(EICAR_FREE), 403, "quota_exceeded")


def test_bytes_are_counted_too(backend: Backend) -> None:
    """A file that does not fit any more is refused before it is read."""
    presenter = holding(backend, minted(backend, max_bytes=len(EICAR_FREE) + 3))
    assert presenter.post(EICAR_FREE).status_code == 201
    assert_problem(presenter.post(b"four"), 403, "quota_exceeded")
    assert presenter.post(b"3 b").status_code == 201


def test_a_form_counts_with_its_file(backend: Backend) -> None:
    """A form reserves its own length while it arrives, and counts with the file in it afterwards."""
    grant = minted(backend, max_bytes=1000)
    answer = holding(backend, grant).call(
        "POST",
        "/v1/uploads?meeting=m1",
        data=(b'--b\r\nContent-Disposition: form-data; name="f"; filename="n.txt"\r\n\r\nfive!\r\n--b--\r\n'),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert backend.get(f"/v1/grants/{grant['id']}").get_json()["used"] == {"files": 1, "bytes": 5}


def test_a_participant_sees_what_the_meeting_released(backend: Backend) -> None:
    """Lists, asks for and downloads released files of the meeting; of others it learns nothing."""
    shared = backend.post(EICAR_FREE).get_json()
    hidden = {backend.insert(state).id for state in State if state is not State.RELEASED}
    elsewhere = backend.insert(State.RELEASED, meeting="m2").id
    participant = holding(backend, minted(backend, kind="download"))
    listed = participant.get("/v1/uploads?meeting=m1").get_json()["uploads"]
    assert [one["id"] for one in listed] == [shared["id"]]
    answer = participant.get(f"/v1/uploads/{shared['id']}/content")
    assert (answer.status_code, answer.get_data()) == (200, EICAR_FREE)
    for other in (*hidden, elsewhere):
        for suffix in ("", "/content"):
            assert_problem(participant.get(f"/v1/uploads/{other}{suffix}"), 404, "not_found")
    assert_problem(participant.get("/v1/uploads?meeting=m2"), 403, "forbidden")
    assert_problem(participant.post(EICAR_FREE), 403, "forbidden")


def test_a_grant_for_one_file_opens_one_file(backend: Backend) -> None:
    """And names one that is there, in the meeting and in the account."""
    one, two = (backend.post(EICAR_FREE).get_json()["id"] for _ in range(2))
    participant = holding(backend, minted(backend, kind="download", file=one))
    assert participant.get(f"/v1/uploads/{one}/content").status_code == 200
    assert_problem(participant.get(f"/v1/uploads/{two}/content"), 404, "not_found")
    assert_problem(participant.get("/v1/uploads?meeting=m1"), 403, "forbidden")
    for meeting, file in (("m2", one), ("m1", "up_" + "0" * 32)):
        wanted = {"kind": "download", "meeting": meeting, "file": file}
        assert_problem(backend.call("POST", "/v1/grants", json=wanted), 404, "not_found")


def test_a_recalled_file_is_gone_for_participants_at_once(backend: Backend, parts: Parts) -> None:
    """The grant does not outlive the verdict: no token can hold on to a file."""
    shared = backend.post(EICAR_FREE).get_json()["id"]
    participant = holding(backend, minted(backend, kind="download", file=shared))
    assert participant.get(f"/v1/uploads/{shared}/content").status_code == 200
    upload = parts.ledger.find(shared)
    assert upload
    parts.ledger.save(replace(upload, state=State.BLOCKED))
    assert_problem(participant.get(f"/v1/uploads/{shared}/content"), 404, "not_found")


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"kind": "upload"},
        {"meeting": "m1"},
        {"kind": "admin", "meeting": "m1"},
        {"kind": "upload", "meeting": ""},
        {"kind": "upload", "meeting": "a b"},
        {"kind": "upload", "meeting": "m1\n"},
        {"kind": "upload", "meeting": 1},
        {"kind": "upload", "meeting": "m1", "max_files": 0},
        {"kind": "upload", "meeting": "m1", "max_files": "2"},
        {"kind": "upload", "meeting": "m1", "max_files": True},
        {"kind": "upload", "meeting": "m1", "max_files": 1001},
        {"kind": "upload", "meeting": "m1", "max_bytes": -1},
        {"kind": "upload", "meeting": "m1", "max_bytes": 1.5},
        {"kind": "upload", "meeting": "m1", "expires_in": 901},
        {"kind": "upload", "meeting": "m1", "expires_in": 0},
        {"kind": "upload", "meeting": "m1", "types": "pdf"},
        {"kind": "upload", "meeting": "m1", "types": ["exe"]},
        {"kind": "upload", "meeting": "m1", "types": ["../x"]},
        {"kind": "upload", "meeting": "m1", "file": "up_" + "0" * 32},
        {"kind": "upload", "meeting": "m1", "account": "another"},
        {"kind": "download", "meeting": "m1", "max_files": 1},
        {"kind": "download", "meeting": "m1", "types": ["pdf"]},
        {"kind": "download", "meeting": "m1", "file": "x"},
        [],
        "upload",
        None,
    ],
)
def test_odd_wishes_are_refused(backend: Backend, wanted: Any) -> None:
    """What is unknown, of another type or out of range is named in a 400, and nothing is minted."""
    assert_problem(backend.call("POST", "/v1/grants", json=wanted), 400, "bad_request")


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"{", "application/json"),
        (b"kind=upload&meeting=m1", "application/x-www-form-urlencoded"),
        (b"{}", ""),
    ],
)
def test_a_wish_is_a_json_document(backend: Backend, data: bytes, media_type: str) -> None:
    """Broken JSON and other media types are refused."""
    answer = backend.call("POST", "/v1/grants", data=data, headers={"Content-Type": media_type})
    assert_problem(answer, 400, "bad_request")


def test_a_long_document_is_not_read(backend: Backend) -> None:
    """Nobody makes the service hold more than 64 KiB of JSON."""
    wanted = {"kind": "upload", "meeting": "m1", "types": ["x" * 70_000]}
    assert_problem(backend.call("POST", "/v1/grants", json=wanted), 400, "bad_request")


def test_a_refreshed_grant_goes_on_where_it_was(backend: Backend) -> None:
    """A new token, the same grant: what was used stays used, for both tokens."""
    grant = minted(backend, max_files=2)
    assert holding(backend, grant).post(EICAR_FREE).status_code == 201
    answer = backend.call("POST", f"/v1/grants/{grant['id']}/refresh", json={"expires_in": 30})
    assert answer.status_code == 201
    fresh = answer.get_json()
    assert (fresh["id"], fresh["max_files"], fresh["meeting"]) == (grant["id"], 2, "m1")
    assert holding(backend, fresh).post(EICAR_FREE).status_code == 201
    for either in (grant, fresh):
        assert_problem(holding(backend, either).post(EICAR_FREE), 403, "quota_exceeded")


def test_a_revoked_grant_opens_nothing_at_once(backend: Backend) -> None:
    """Neither by the token at hand nor by a new one."""
    grant = minted(backend, kind="download")
    participant = holding(backend, grant)
    assert participant.get("/v1/uploads?meeting=m1").status_code == 200
    for _ in range(2):
        assert backend.call("DELETE", f"/v1/grants/{grant['id']}").status_code == 204
    assert_problem(participant.get("/v1/uploads?meeting=m1"), 401, "unauthenticated")
    assert backend.get(f"/v1/grants/{grant['id']}").get_json()["revoked_at"] is not None
    assert_problem(backend.call("POST", f"/v1/grants/{grant['id']}/refresh", json={}), 410, "grant_ended")


def test_a_grant_is_its_accounts_alone(backend: Backend, stranger: Backend) -> None:
    """To another account it is not there."""
    grant = minted(backend)
    path = f"/v1/grants/{grant['id']}"
    assert_problem(stranger.get(path), 404, "not_found")
    assert_problem(stranger.call("DELETE", path), 404, "not_found")
    assert_problem(stranger.call("POST", f"{path}/refresh", json={}), 404, "not_found")
    assert holding(backend, grant).post(EICAR_FREE).status_code == 201


@dataclass
class Later:
    """The same service at another time."""

    backend: Backend
    clock: FakeClock


@pytest.fixture
def later(parts: Parts) -> Later:
    """A service whose clock is set by hand."""
    clock = FakeClock(parts.clock.now())
    moved = replace(parts, clock=clock)
    app = create_app(moved, SLOTS)
    return Later(new_backend(app, moved), clock)


def test_a_grant_ends_with_its_time(later: Later) -> None:
    """From its last second on it is expired, which the answer says so that a widget asks for a new one."""
    grant = minted(later.backend, kind="download", expires_in=60)
    participant = holding(later.backend, grant)
    assert participant.get("/v1/uploads?meeting=m1").status_code == 200
    later.clock.advance(61)
    answer = participant.get("/v1/uploads?meeting=m1")
    assert_problem(answer, 401, "grant_expired")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_grant_whose_time_is_over_is_told_so(later: Later) -> None:
    """Asked what it may do it answers as everywhere else, so that its holder asks for a new one."""
    presenter = holding(later.backend, minted(later.backend, expires_in=60))
    assert presenter.get("/v1/grant").status_code == 200
    later.clock.advance(61)
    assert_problem(presenter.get("/v1/grant"), 401, "grant_expired")


def test_a_grant_is_not_refreshed_for_ever(later: Later) -> None:
    """A day after it was made a new one is needed."""
    grant = minted(later.backend)
    later.clock.advance(timedelta(hours=25).total_seconds())
    answer = later.backend.call("POST", f"/v1/grants/{grant['id']}/refresh", json={})
    assert_problem(answer, 410, "grant_ended")


def test_a_rotation_cuts_nobody_off(later: Later) -> None:
    """Tokens of the key before count until they have run out; a third key has to wait until then."""
    backend = later.backend
    old = minted(backend, kind="download")
    signing.rotate(backend.parts, drop_old=False)
    new = minted(backend, kind="download")
    published = backend.app.test_client().get("/.well-known/jwks.json").get_json()["keys"]
    assert len(published) == 2
    for grant in (old, new):
        assert holding(backend, grant).get("/v1/uploads?meeting=m1").status_code == 200
    with pytest.raises(Exception, match="Two keys are trusted"):
        signing.rotate(backend.parts, drop_old=False)
    later.clock.advance(timedelta(minutes=16).total_seconds())
    assert len(backend.app.test_client().get("/.well-known/jwks.json").get_json()["keys"]) == 1
    signing.rotate(backend.parts, drop_old=False)


def test_after_a_leak_nothing_signed_before_counts(later: Later) -> None:
    """Dropping the old keys ends every token of theirs at once."""
    backend = later.backend
    grant = minted(backend, kind="download")
    signing.rotate(backend.parts, drop_old=True)
    assert_problem(holding(backend, grant).get("/v1/uploads?meeting=m1"), 401, "unauthenticated")
    assert holding(backend, minted(backend, kind="download")).get("/v1/uploads?meeting=m1").status_code == 200


def test_the_published_keys_hold_nothing_private(backend: Backend) -> None:
    """Only public members, with key ids, for anybody to read."""
    minted(backend)
    answer = backend.app.test_client().get("/.well-known/jwks.json")
    assert answer.status_code == 200
    assert answer.get_json()["keys"]
    for key in answer.get_json()["keys"]:
        assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}
        assert (key["crv"], key["alg"]) == ("Ed25519", "Ed25519")


@dataclass
class OwnKey:
    """A backend that mints grants with a key of its own."""

    backend: Backend
    key_id: str
    private: Any

    def token(self, **changes: Any) -> str:
        """Mint a download grant for m1; `changes` are claims, `None` takes one out."""
        now = int(self.backend.parts.clock.now().timestamp())
        claims = {
            "iss": self.backend.account,
            "aud": "greenroom",
            "jti": secrets.token_hex(8),
            "iat": now,
            "exp": now + 600,
            "kind": "download",
            "meeting": "m1",
        } | changes
        kept = {name: value for name, value in claims.items() if value is not None}
        return self.backend.parts.tokens.sign(kept, self.key_id, self.private)

    def holder(self, **changes: Any) -> Backend:
        """Return somebody who holds such a grant."""
        return replace(self.backend, key=self.token(**changes))


@pytest.fixture
def own(backend: Backend) -> OwnKey:
    """A key that the backend registered."""
    private = backend.parts.tokens.new_key()
    public = {name: private[name] for name in ("kty", "crv", "x")}
    answer = backend.call("POST", "/v1/grant-keys", json={"name": "prod", "jwk": public})
    assert answer.status_code == 201
    document = answer.get_json()
    assert (document["name"], document["jwk"], document["revoked_at"]) == ("prod", public, None)
    return OwnKey(backend, document["id"], private)


def test_a_backend_mints_grants_itself(own: OwnKey) -> None:
    """With a registered key, without asking; files and bytes count as they do for any other."""
    shared = own.backend.post(EICAR_FREE).get_json()["id"]
    assert own.holder().get(f"/v1/uploads/{shared}/content").get_data() == EICAR_FREE
    presenter = own.holder(kind="upload", max_files=1, max_bytes=100, jti="mine-1")
    assert presenter.post(EICAR_FREE).status_code == 201
    again = own.holder(kind="upload", max_files=1, max_bytes=100, jti="mine-1")
    assert_problem(again.post(EICAR_FREE), 403, "quota_exceeded")
    used = own.backend.get("/v1/grants/mine-1").get_json()["used"]
    assert used == {"files": 1, "bytes": len(EICAR_FREE)}


def test_a_grant_that_was_never_seen_is_asked_what_it_may_do(own: OwnKey) -> None:
    """A widget asks before it sends anything: one that a backend minted is known from then on."""
    presenter = own.holder(kind="upload", max_files=3, max_bytes=100, types=["pdf"], jti="mine-0")
    asked = presenter.get("/v1/grant").get_json()
    assert (asked["id"], asked["kind"], asked["meeting"]) == ("mine-0", "upload", "m1")
    assert (asked["max_files"], asked["max_bytes"], asked["types"]) == (3, 100, ["pdf"])
    assert asked["used"] == {"files": 0, "bytes": 0}
    assert own.backend.get("/v1/grants/mine-0").status_code == 200
    own.backend.call("DELETE", "/v1/grants/mine-0")
    assert_problem(presenter.get("/v1/grant"), 401, "unauthenticated")


def test_an_id_is_one_grant(own: OwnKey) -> None:
    """A second token of the same id with other rights opens nothing."""
    limits = {"kind": "upload", "max_bytes": 100, "jti": "mine-2"}
    assert own.holder(max_files=1, **limits).post(EICAR_FREE).status_code == 201
    assert_problem(own.holder(max_files=9, **limits).post(EICAR_FREE), 401, "unauthenticated")


def test_a_revoked_key_opens_nothing_at_once(own: OwnKey, stranger: Backend) -> None:
    """Tokens that live still are dead; another account cannot revoke the key."""
    participant = own.holder()
    assert participant.get("/v1/uploads?meeting=m1").status_code == 200
    assert_problem(stranger.call("DELETE", f"/v1/grant-keys/{own.key_id}"), 404, "not_found")
    assert participant.get("/v1/uploads?meeting=m1").status_code == 200
    assert own.backend.call("DELETE", f"/v1/grant-keys/{own.key_id}").status_code == 204
    assert_problem(participant.get("/v1/uploads?meeting=m1"), 401, "unauthenticated")
    (listed,) = own.backend.get("/v1/grant-keys").get_json()["keys"]
    assert listed["revoked_at"] is not None


def test_an_account_lists_its_own_keys(own: OwnKey, stranger: Backend) -> None:
    """And no one else's."""
    assert [key["id"] for key in own.backend.get("/v1/grant-keys").get_json()["keys"]] == [own.key_id]
    assert stranger.get("/v1/grant-keys").get_json() == {"keys": []}


def test_a_private_key_is_not_taken(backend: Backend) -> None:
    """Whoever sends one is told to make a new one, and it is not stored."""
    private = dict(backend.parts.tokens.new_key())
    problem = assert_problem(
        backend.call("POST", "/v1/grant-keys", json={"jwk": private}), 400, "bad_request"
    )
    assert "private" in problem["detail"]
    assert backend.get("/v1/grant-keys").get_json() == {"keys": []}


def test_an_accounts_key_opens_its_own_account_only(own: OwnKey, stranger: Backend) -> None:
    """Whatever account its tokens name."""
    theirs = stranger.post(EICAR_FREE).get_json()["id"]
    for changes in ({"sub": stranger.account}, {"iss": stranger.account}, {"iss": "greenroom"}):
        answer = own.holder(**changes).get(f"/v1/uploads/{theirs}/content")
        assert_problem(answer, 401, "unauthenticated")
    assert_problem(own.holder().get(f"/v1/uploads/{theirs}/content"), 404, "not_found")


def test_secrets_lie_sealed(backend: Backend, app: Flask) -> None:
    """The private key that signs grants is not readable in the database."""
    minted(backend)
    for key in backend.parts.credentials.signing_keys():
        assert b'"d"' not in key.sealed
        assert b'"d"' in backend.parts.sealer.unseal(key.sealed)


def test_a_lost_secrets_key_is_told(backend: Backend, parts: Parts) -> None:
    """Nothing can be minted with keys that cannot be opened; the log says why, the client gets a 500."""
    minted(backend)

    class Other:
        """Another key."""

        def unseal(self, _sealed: bytes) -> bytes:
            """Fail as the real one does."""
            from service.core.errors import SecretsUnreadable  # noqa: PLC0415 - used here alone

            raise SecretsUnreadable("not the key it was sealed with")

    lost = replace(parts, sealer=cast("Any", Other()))
    locked = replace(backend, app=create_app(lost, Slots(uploads=1, waits=1, downloads=1)))
    answer = locked.call("POST", "/v1/grants", json={"kind": "upload", "meeting": "m1"})
    assert_problem(answer, 500, "internal_error")


def test_a_token_minted_for_another_deployment_opens_nothing(backend: Backend, parts: Parts) -> None:
    """The audience names the deployment: staging's grants are not production's, even with one key."""
    known = minted(backend, kind="download")
    stored = parts.credentials.grant(backend.account, known["id"])
    assert stored
    key_id, private = signing.newest_key(parts)
    token = parts.tokens.sign(to_claims(stored.grant, "staging"), key_id, private)
    assert_problem(replace(backend, key=token).get("/v1/uploads?meeting=m1"), 401, "unauthenticated")
