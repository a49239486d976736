"""Who may do what: attacks on API keys, scopes, and what another account learns (bar R21, invariant 8)."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from flask import Flask

from service.core.errors import BadRequest
from service.core.upload import State
from service.ports import ApiKey
from service.stages.access import SCOPES, create_key, revoke_key
from service.stages.parts import Parts
from tests.web.conftest import Backend, assert_problem, new_backend

ROUTES = [
    ("POST", "/v1/uploads?meeting=m1&name=a.txt"),
    ("GET", "/v1/uploads?meeting=m1"),
    ("GET", "/v1/uploads/{}"),
    ("HEAD", "/v1/uploads/{}"),
    ("GET", "/v1/uploads/{}/content"),
    ("HEAD", "/v1/uploads/{}/content"),
    ("DELETE", "/v1/uploads/{}"),
]
SCOPE_OF = {
    ("POST", "/v1/uploads?meeting=m1&name=a.txt"): "upload",
    ("GET", "/v1/uploads?meeting=m1"): "read",
    ("GET", "/v1/uploads/{}"): "read",
    ("HEAD", "/v1/uploads/{}"): "read",
    ("GET", "/v1/uploads/{}/content"): "download",
    ("HEAD", "/v1/uploads/{}/content"): "download",
    ("DELETE", "/v1/uploads/{}"): "delete",
}


def swapped(text: str) -> str:
    """The same text with its last character changed to another one of the alphabet."""
    return text[:-1] + ("A" if text[-1] != "A" else "B")


def attacks(key: str, other: str) -> dict[str, str]:
    """Headers that must not open anything, made of a good `key` and a good key of another account."""
    prefix, secret = key.split(".")
    return {
        "empty": "",
        "scheme alone": "Bearer",
        "scheme and blanks": "Bearer    ",
        "key alone": key,
        "basic": "Basic " + base64.b64encode(key.encode()).decode(),
        "basic with colon": "Basic " + base64.b64encode(f"{prefix}:{secret}".encode()).decode(),
        "another scheme": f"Token {key}",
        "scheme twice": f"Bearer Bearer {key}",
        "no secret": f"Bearer {prefix}",
        "empty secret": f"Bearer {prefix}.",
        "no prefix": f"Bearer .{secret}",
        "prefix twice": f"Bearer {prefix}.{prefix}",
        "unknown prefix": f"Bearer gr_000000000000.{secret}",
        "prefix changed": f"Bearer {swapped(prefix)}.{secret}",
        "secret changed": f"Bearer {prefix}.{swapped(secret)}",
        "secret of another key": f"Bearer {prefix}.{other.split('.')[1]}",
        "prefix of another key": f"Bearer {other.split('.', maxsplit=1)[0]}.{secret}",
        "secret cut": f"Bearer {prefix}.{secret[:-1]}",
        "secret longer": f"Bearer {prefix}.{secret}A",
        "padding": f"Bearer {key}=",
        "quotes": f'Bearer "{key}"',
        "two keys": f"Bearer {key},{other}",
        "upper case": f"Bearer {key.upper()}",
        "upper case prefix": f"Bearer {prefix.upper()}.{secret}",
        "two dots": f"Bearer {prefix}..{secret}",
        "another part": f"Bearer {key}.x",
        "NUL": f"Bearer {key}\0",
        "blank inside": f"Bearer {prefix}. {secret}",
        "full-width digit": "Bearer " + key.replace("0", "\uff10", 1) + "\uff10",
        "accents": f"Bearer {key}\u00e9",
        "SQL": "Bearer gr_' OR '1'='1.x",
        "wildcard": "Bearer gr_%.%",
        "hash instead of secret": f"Bearer {prefix}." + "0" * 43,
        "very long": "Bearer " + "A" * 60_000,
        "none": "Bearer null",
    }


#: What looks like a token is told that it is none.
TOLD = {
    "Send a valid API key or grant: Authorization: Bearer ...",
    "The token is not a grant of this service, or not one that it can check.",
}
NAMES = list(attacks("gr_0.x", "gr_1.y"))


@pytest.mark.parametrize("name", NAMES)
def test_no_attack_opens_anything(
    app: Flask, backend: Backend, stranger: Backend, parts: Parts, name: str
) -> None:
    """Whatever is wrong with a key, the answer is the same 401, and nothing is taken in."""
    header = attacks(backend.key, stranger.key)[name]
    environ = {"HTTP_AUTHORIZATION": header.encode().decode("latin-1")}
    for method, path in (("GET", "/v1/uploads?meeting=m1"), ("POST", "/v1/uploads?meeting=m1&name=a.txt")):
        answer = app.test_client().open(path, method=method, environ_overrides=environ, data=b"x")
        document = assert_problem(answer, 401, "unauthenticated")
        assert document["detail"] in TOLD
    assert not parts.ledger.page(backend.account, "m1", None, 10)


def test_there_are_enough_attacks() -> None:
    """Bar R21 asks for at least 30."""
    assert len(NAMES) >= 30


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_asks_for_a_key(app: Flask, method: str, path: str) -> None:
    """No route of uploads answers without a key, and it asks before it looks for anything."""
    answer = app.test_client().open(path.format("up_0"), method=method, data=b"x")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_scheme_is_case_insensitive(app: Flask, backend: Backend, scheme: str) -> None:
    """RFC 9110, 11.1: schemes have no case."""
    headers = {"Authorization": f"{scheme} {backend.key}"}
    assert app.test_client().get("/v1/uploads?meeting=m1", headers=headers).status_code == 200


def test_revoked_key_opens_nothing_at_once(backend: Backend, parts: Parts) -> None:
    """The first request after a revocation is refused, also with another live key in the account."""
    create_key(parts, backend.account, "second", SCOPES, None)
    assert backend.get("/v1/uploads?meeting=m1").status_code == 200
    assert revoke_key(parts, backend.key.split(".")[0])
    assert_problem(backend.get("/v1/uploads?meeting=m1"), 401, "unauthenticated")


def test_expired_key_opens_nothing(backend: Backend, parts: Parts) -> None:
    """A key is dead from the moment of its expiry; one that would be born dead is not made."""
    backend.key = create_key(parts, backend.account, "short", SCOPES, timedelta(microseconds=1))
    assert_problem(backend.get("/v1/uploads?meeting=m1"), 401, "unauthenticated")
    for lifetime in (timedelta(0), timedelta(days=-1)):
        with pytest.raises(BadRequest):
            create_key(parts, backend.account, "none", SCOPES, lifetime)


def test_stored_hash_is_not_a_key(app: Flask, backend: Backend, parts: Parts) -> None:
    """Whoever reads the ledger has no key: what stands there is only the secret's SHA-256."""
    kept: ApiKey | None = parts.credentials.key(backend.key.split(".")[0])
    assert kept is not None
    assert backend.key.split(".")[1] not in repr(kept)
    headers = {"Authorization": f"Bearer {kept.prefix}.{kept.secret_sha256}"}
    assert app.test_client().get("/v1/uploads?meeting=m1", headers=headers).status_code == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_each_route_asks_for_its_scope(app: Flask, parts: Parts, method: str, path: str) -> None:
    """A key with every other scope is 403; with its one scope alone the route goes on."""
    scope = SCOPE_OF[method, path]
    target = path.format("up_0")
    refused = new_backend(app, parts, SCOPES - {scope}).call(method, target, data=b"x")
    assert refused.status_code == 403
    taken = new_backend(app, parts, frozenset({scope})).call(method, target, data=b"x")
    assert taken.status_code not in {401, 403}


@pytest.mark.parametrize("state", list(State))
def test_another_accounts_upload_cannot_be_told_from_none(
    backend: Backend, stranger: Backend, state: State
) -> None:
    """On every route and verb a stranger gets the answer that an id which never was gets."""
    upload = backend.insert(state)
    never = upload.id[:-6] + "ffffff"
    for method, path in ROUTES[2:]:
        theirs = stranger.call(method, path.format(upload.id))
        nobodys = stranger.call(method, path.format(never))
        assert theirs.status_code == nobodys.status_code == 404
        for answer in (theirs, nobodys):
            answer.headers.remove("X-Request-Id")
        assert sorted(theirs.headers) == sorted(nobodys.headers)
        body, other = theirs.get_json(silent=True), nobodys.get_json(silent=True)
        if method != "HEAD":
            assert body
            assert other
            assert body.pop("request_id") != other.pop("request_id")
        assert body == other
    for suffix in ("", "/content"):
        for method in ("PUT", "PATCH", "POST", "OPTIONS"):
            theirs = stranger.call(method, f"/v1/uploads/{upload.id}{suffix}")
            nobodys = stranger.call(method, f"/v1/uploads/{never}{suffix}")
            assert theirs.status_code == nobodys.status_code
    assert backend.get(f"/v1/uploads/{upload.id}").get_json()["state"] == state.value


def test_lists_hold_only_ones_own(backend: Backend, stranger: Backend) -> None:
    """The same meeting id in two accounts is two meetings; a stranger's cursor opens nothing either."""
    mine = backend.insert(State.HELD)
    theirs = stranger.insert(State.HELD)
    for owner, upload in ((backend, mine), (stranger, theirs)):
        listed = owner.get("/v1/uploads?meeting=m1").get_json()["uploads"]
        assert [one["id"] for one in listed] == [upload.id]
    after = stranger.get(f"/v1/uploads?meeting=m1&cursor={mine.id}").get_json()["uploads"]
    assert {one["account"] for one in after} <= {stranger.account}


ODD_IDS = [
    "%00",
    "%00%00",
    "x" * 5000,
    "%ff%fe",
    "%F0%9F%98%80",
    "'",
    "up_%",
    "up_" + "0" * 31,
    "UP_0",
    "%0a",
]


@pytest.mark.parametrize("text", ODD_IDS)
def test_odd_ids_are_not_found(backend: Backend, text: str) -> None:
    """An id that no upload can have is simply not there."""
    for method, path in ROUTES[2:]:
        assert backend.call(method, path.format(text)).status_code == 404
