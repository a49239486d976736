"""Who may do what: attacks on the tokens of meetings (bar R21), features, other meetings, other pages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from flask import Flask
from joserfc import jwe, jws, jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from service.core.participant import LONGEST_LIFE
from tests.web.conftest import Backend, assert_problem
from tests.web.jitsi.meeting import (
    BASE,
    BOUNDARY,
    CLOSE,
    GUEST,
    ORIGIN,
    SHARER,
    Meeting,
    file_part,
    metadata,
    new_file_id,
    text_part,
)

HOUR = int(LONGEST_LIFE.total_seconds())


def b64(data: bytes) -> str:
    """Unpadded URL-safe base64."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def head_of(header: object) -> str:
    """The first part of a compact token."""
    return b64(json.dumps(header).encode())


def signed(header: object, payload: bytes, key: RSAKey) -> str:
    """A compact token with any header and any payload, and a good RS256 signature over both."""
    body = f"{head_of(header)}.{b64(payload)}"
    private = key.private_key
    assert private is not None
    return f"{body}.{b64(private.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def keyed(header: dict[str, str], payload: bytes, secret: bytes, digest: Any = hashlib.sha256) -> str:
    """A compact token signed with a shared secret."""
    body = f"{head_of(header)}.{b64(payload)}"
    return f"{body}.{b64(hmac.new(secret, body.encode(), digest).digest())}"


def swapped(text: str, at: int) -> str:
    """The text with one character changed to another one of the alphabet."""
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def forgeries(meeting: Meeting) -> dict[str, str]:
    """Tokens without a signature of the issuer's, made to look as if they had one."""
    key, claims = meeting.signing_key, meeting.claims()
    payload = json.dumps(claims).encode()
    good = meeting.token()
    head, body, signature = good.split(".")
    mine = RSAKey.generate_key(2048)
    public_pem = key.as_pem(private=False)
    public = {name: value for name, value in mine.as_dict(private=False).items() if isinstance(value, str)}
    plain = {"alg": "RS256", "typ": "JWT"}
    made = {
        f"alg {name}": f"{head_of({'alg': name, 'typ': 'JWT'})}.{body}."
        for name in ("none", "None", "NONE", "nOnE", "")
    }
    return made | {
        "alg none with a signature": f"{head_of({'alg': 'none'})}.{body}.{signature}",
        "HS256 with the public key": keyed({"alg": "HS256"}, payload, public_pem),
        "HS256 with the public key, no newline": keyed({"alg": "HS256"}, payload, public_pem.strip()),
        "HS256 with the public key as DER": keyed({"alg": "HS256"}, payload, key.as_der(private=False)),
        "HS512 with the public key": keyed({"alg": "HS512"}, payload, public_pem, hashlib.sha512),
        "HS256 called RS256": keyed(plain, payload, public_pem),
        "HS256 with nothing": keyed({"alg": "HS256"}, payload, b""),
        "ES256": jwt.encode({"alg": "ES256"}, claims, ECKey.generate_key("P-256"), ["ES256"]),
        "Ed25519": jwt.encode({"alg": "Ed25519"}, claims, OKPKey.generate_key("Ed25519"), ["Ed25519"]),
        "another RSA key": signed(plain, payload, mine),
        "embedded jwk": signed({**plain, "jwk": public}, payload, mine),
        "jku": signed({**plain, "jku": "https://evil.example/jwks.json"}, payload, mine),
        "x5u": signed({**plain, "x5u": "https://evil.example/cert.pem"}, payload, mine),
        "x5c": signed({**plain, "x5c": ["MIIB"]}, payload, mine),
        "kid as a path": signed({**plain, "kid": "../../../../dev/null"}, payload, mine),
        "kid as SQL": signed({**plain, "kid": "' UNION SELECT 'x"}, payload, mine),
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.{signature}",
        "signature cut": good[:-4],
        "signature changed": swapped(good, len(good) - 10),
        "signature of another token": f"{head}.{body}.{meeting.token(GUEST).split('.')[2]}",
        "signature of nothing": f"{head}.{body}.{b64(b'')}AA",
        "claims changed": swapped(good, len(head) + 30),
        "claims taken out": f"{head}..{signature}",
        "more rights": f"{head}.{b64(payload)}.{meeting.token(GUEST).split('.')[2]}",
        "header changed": f"{head_of({**plain, 'kid': 'x'})}.{body}.{signature}",
        "padding": f"{good}==",
        "standard base64": f"{head}.{body}.{signature.replace('-', '+').replace('_', '/')}=",
        "twice": f"{good} {good}",
        "blank inside": good.replace(".", ". ", 1),
        "JSON serialization": json.dumps(jws.serialize_json({"protected": plain}, payload, key, ["RS256"])),
        "encrypted": jwe.encrypt_compact({"alg": "RSA-OAEP", "enc": "A128GCM"}, payload, key),
        "empty": "",
        "a word": "null",
        "a list as header": f"{head_of(['alg'])}.{body}.{signature}",
        "a text as header": f"{head_of('alg')}.{body}.{signature}",
        "a deep header": f"{b64(b'[' * 300)}.{body}.{signature}",
        "very long": "A" * 200_000,
        "accents": f"{good}\u00e9",
    }


def wrong_headers() -> dict[str, object]:
    """Headers that ask for what we do not do, under a signature that is good."""
    plain = {"alg": "RS256", "typ": "JWT"}
    return {
        "crit": {**plain, "crit": ["exp"], "exp": 1},
        "crit of nothing": {**plain, "crit": []},
        "b64": {**plain, "crit": ["b64"], "b64": False},
        "zip": {**plain, "zip": "DEF"},
        "cty": {**plain, "cty": "JWT"},
        "good jwk, good signature": {**plain, "jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
        "good jku, good signature": {**plain, "jku": "https://meet.example/jwks.json"},
        "unknown": {**plain, "x": "y"},
        "kid a number": {**plain, "kid": 7},
        "kid a list": {**plain, "kid": ["a"]},
        "kid an object": {**plain, "kid": {"a": "b"}},
        "another type": {**plain, "typ": "greenroom-grant+jwt"},
        "type a list": {**plain, "typ": ["JWT"]},
        "RS384 named": {**plain, "alg": "RS384"},
        "RS512 named": {**plain, "alg": "RS512"},
        "PS256 named": {**plain, "alg": "PS256"},
        "alg in small letters": {**plain, "alg": "rs256"},
        "alg a list": {**plain, "alg": ["RS256"]},
        "alg null": {**plain, "alg": None},
        "no alg": {"typ": "JWT"},
    }


def wrong_claims(now: int) -> dict[str, dict[str, Any]]:
    """Claims that do not count, under a signature that is good. ``...`` takes one out."""
    return {
        "expired": {"nbf": now - 60, "exp": now - 1},
        "expires now": {"nbf": now - 60, "exp": now},
        "no exp": {"exp": ...},
        "exp null": {"exp": None},
        "exp a text": {"exp": str(now + 30)},
        "exp a float": {"exp": now + 30.5},
        "exp NaN": {"exp": float("nan")},
        "exp endless": {"exp": float("inf")},
        "exp true": {"exp": True},
        "exp a list": {"exp": [now + 30]},
        "exp far away": {"exp": 10**30},
        "not yet": {"nbf": now + 120, "exp": now + 180},
        "nbf a text": {"nbf": str(now)},
        "nbf NaN": {"nbf": float("nan")},
        "nbf true": {"nbf": True},
        "nbf null": {"nbf": None},
        "issued tomorrow": {"iat": now + 86400, "exp": now + 86430},
        "iat a text": {"iat": "now"},
        "no beginning": {"nbf": ...},
        "lives too long": {"nbf": now, "exp": now + HOUR + 1},
        "lived too long": {"nbf": now - HOUR, "exp": now + 30},
        "lives too long by iat": {"iat": now - HOUR, "nbf": now, "exp": now + 30},
        "another issuer": {"iss": "evil"},
        "no issuer": {"iss": ...},
        "issuers": {"iss": ["prosody"]},
        "issuer's case": {"iss": "Prosody"},
        "issuer with a blank": {"iss": "prosody "},
        "another audience": {"aud": "excalidraw"},
        "no audience": {"aud": ...},
        "audiences": {"aud": ["file-sharing", "other"]},
        "any audience": {"aud": "*"},
        "no meeting": {"meeting_id": ...},
        "empty meeting": {"meeting_id": ""},
        "any meeting": {"meeting_id": "*", "room": "*"},
        "meetings": {"meeting_id": ["a", "b"]},
        "a path as meeting": {"meeting_id": "../x"},
        "context a list": {"context": []},
        "context a text": {"context": "moderator"},
    }


def opens(meeting: Meeting, token: str) -> list[int]:
    """The statuses of every route that asks for a token."""
    return [
        meeting.call(
            method, path, token=token.encode().decode("latin-1"), data=data, content_type=kind
        ).status_code
        for method, path, data, kind in routes(meeting)
    ]


def routes(meeting: Meeting) -> list[tuple[str, str, bytes, str | None]]:
    """Every route that asks for a token: method, path, body and its type."""
    form = text_part(metadata(new_file_id())) + file_part() + CLOSE
    document = f"/sessions/{meeting.session}/document"
    return [
        ("POST", meeting.files, form, f"multipart/form-data; boundary={BOUNDARY}"),
        ("GET", meeting.files, b"", None),
        ("GET", document, b"", None),
        ("GET", f"{meeting.files}/{new_file_id()}", b"", None),
        ("DELETE", f"{meeting.files}/{new_file_id()}", b"", None),
        ("DELETE", f"{meeting.files}?user-id=u-1&customer-id=c-1", b"", None),
    ]


def test_forged_tokens_open_nothing(meeting: Meeting) -> None:
    """No signature but the issuer's own RS256 is one, whatever a header says: 401 everywhere."""
    attacks = forgeries(meeting)
    assert len(attacks) >= 40
    accepted = [name for name, token in attacks.items() if set(opens(meeting, token)) != {401}]
    assert accepted == []
    assert meeting.uploads() == []


@pytest.mark.parametrize("name", wrong_headers())
def test_headers_that_ask_for_more_open_nothing(meeting: Meeting, name: str) -> None:
    """Even under a good signature: no algorithm but one, no key but ours, no extension, no other type."""
    payload = json.dumps(meeting.claims()).encode()
    assert set(opens(meeting, signed(wrong_headers()[name], payload, meeting.signing_key))) == {401}


@pytest.mark.parametrize("name", wrong_claims(0))
def test_claims_that_do_not_count_open_nothing(meeting: Meeting, name: str) -> None:
    """A good signature under wrong times, another issuer, audience or meeting: 401 everywhere."""
    changed = meeting.claims() | wrong_claims(int(time.time()))[name]
    payload = json.dumps({key: value for key, value in changed.items() if value is not ...}).encode()
    token = signed({"alg": "RS256", "typ": "JWT"}, payload, meeting.signing_key)
    assert set(opens(meeting, token)) == {401}


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b'"x"', b"7", b"{", b"\xff", b"[" * 90_000])
def test_signed_nonsense_opens_nothing(meeting: Meeting, payload: bytes) -> None:
    """A payload that holds no claims is refused like any other, without an error of ours."""
    token = signed({"alg": "RS256"}, payload, meeting.signing_key)
    assert meeting.call("GET", meeting.files, token=token).status_code == 401


def test_the_helper_makes_good_tokens(meeting: Meeting) -> None:
    """What the attacks are made of opens the door when nothing is wrong with it."""
    payload = json.dumps(meeting.claims()).encode()
    for header in ({"alg": "RS256"}, {"alg": "RS256", "typ": "JWT", "kid": "any"}):
        assert 401 not in opens(meeting, signed(header, payload, meeting.signing_key))


@pytest.mark.parametrize(
    "times",
    [
        lambda now: {"nbf": now + 25, "exp": now + 60},
        lambda now: {"nbf": now - 29, "exp": now + 10},
        lambda now: {"nbf": now, "exp": now + HOUR},
        lambda now: {"iat": now, "nbf": now, "exp": now + 30},
    ],
    ids=["a clock ahead", "nearly over", "an hour", "with iat"],
)
def test_times_within_bounds_count(meeting: Meeting, times: Any) -> None:
    """The issuer's clock may be ahead by half a minute, and a token may live for an hour."""
    claims = meeting.claims() | times(int(time.time()))
    token = jwt.encode({"alg": "RS256"}, claims, meeting.signing_key, ["RS256"])
    assert meeting.call("GET", meeting.files, token=token).status_code == 200


def test_every_route_needs_a_bearer_token(meeting: Meeting) -> None:
    """No token, another scheme, or a token in the query: 401 with the scheme that is wanted."""
    good = meeting.token()
    for method, path, data, kind in routes(meeting):
        for headers in ({}, {"Authorization": f"Basic {good}"}, {"Authorization": good}):
            answer = meeting.app.test_client().open(
                f"{BASE}{path}", method=method, headers=headers, data=data, content_type=kind
            )
            assert_problem(answer, 401, "unauthenticated")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        asked = f"{BASE}{path}{'&' if '?' in path else '?'}token={good}&access_token={good}&jwt={good}"
        assert meeting.app.test_client().open(asked, method=method, data=data).status_code == 401


def test_another_meetings_token_sees_nothing(meeting: Meeting, neighbour: Meeting) -> None:
    """403 on every route, the same for what is there and for what is not."""
    file_id = meeting.share()
    assert opens(meeting, neighbour.token()) == [403] * len(routes(meeting))
    for answer in (
        meeting.document(file_id, token=neighbour.token()),
        meeting.call("GET", f"{meeting.files}/{file_id}", token=neighbour.token()),
        meeting.call("DELETE", f"{meeting.files}/{file_id}", token=neighbour.token()),
    ):
        assert_problem(answer, 403, "forbidden")
    # Within its own meeting the id names nothing.
    assert_problem(neighbour.document(file_id), 404, "not_found")
    assert_problem(neighbour.call("DELETE", f"{neighbour.files}/{file_id}"), 404, "not_found")
    assert meeting.document(file_id).status_code == 200


CONTEXTS: list[tuple[dict[str, Any], bool]] = [
    (SHARER, True),
    (GUEST, False),
    ({"features": {"file-upload": True}}, True),
    ({"features": {"file-upload": "true"}, "user": None}, True),
    ({"features": {"file-upload": "false"}}, False),
    ({"features": {"file-upload": 1}}, False),
    ({"features": {"file-upload": ["true"]}}, False),
    ({"features": {"file-upload": None}}, False),
    ({"features": {"File-Upload": True}}, False),
    ({"features": {"recording": True}}, False),
    ({"features": {}}, False),
    ({"features": None}, False),
    ({"features": ["file-upload"]}, False),
    ({"features": "file-upload"}, False),
    ({"features": {}, "user": {"id": "u", "moderator": True}}, False),
    ({"user": {"id": "u", "moderator": True}}, True),
    ({"user": {"id": "u", "moderator": "true"}}, True),
    ({"user": {"id": "u", "affiliation": "owner"}}, True),
    ({"user": {"id": "u", "moderator": "false"}}, False),
    ({"user": {"id": "u", "moderator": 1}}, False),
    ({"user": {"id": "u", "affiliation": "member"}}, False),
    ({"user": {"id": "u"}}, False),
    ({"user": ["moderator"]}, False),
    ({}, False),
]


@pytest.mark.parametrize(("context", "may"), CONTEXTS)
def test_who_may_share_and_delete(meeting: Meeting, context: dict[str, Any], *, may: bool) -> None:
    """As Jitsi's own check: the feature decides where features are told, else being a moderator; all of a
    meeting may read.
    """
    file_id = meeting.share()
    token = meeting.token(context)
    assert meeting.document(file_id, token=token).status_code == 200
    assert meeting.call("GET", meeting.files, token=token).status_code == 200
    form = text_part(metadata(new_file_id())) + file_part() + CLOSE
    answers = [
        meeting.post(form, token=token),
        meeting.call("DELETE", f"{meeting.files}?user-id=x&customer-id=y", token=token),
        meeting.call("DELETE", f"{meeting.files}/{file_id}", token=token),
    ]
    if may:
        assert [answer.status_code for answer in answers] == [200, 204, 200]
    else:
        for answer in answers:
            assert "file-upload" in assert_problem(answer, 403, "forbidden")["detail"]
        assert meeting.document(file_id).status_code == 200


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ("u-1", "u-1"),
        (42, "42"),
        ("ann@meet.example/SVByp", "ann@meet.example/SVByp"),
        ("a\0b\ud800c\u202e", "abc"),
        ("x" * 300, "x" * 255),
        (None, ""),
        (True, ""),
        (["a"], ""),
        ({"a": 1}, ""),
    ],
)
def test_who_sent_it_is_told_by_the_token(meeting: Meeting, user: object, shown: str) -> None:
    """Any id that a server may give its people is kept as text, odd ones as none."""
    context = {"user": {"id": user}, "features": {"file-upload": True}}
    payload = json.dumps(meeting.claims(context)).encode()
    file_id = meeting.share(token=signed({"alg": "RS256"}, payload, meeting.signing_key))
    assert meeting.document(file_id).get_json()["userId"] == shown


def test_keys_and_tokens_open_only_their_own_doors(app: Flask, backend: Backend, meeting: Meeting) -> None:
    """An API key is no token of a meeting, and a meeting's token opens no other route."""
    assert set(opens(meeting, backend.key)) == {401}
    headers = {"Authorization": f"Bearer {meeting.token()}"}
    listed = ("GET", f"/v1/uploads?meeting={meeting.session}")
    for method, path in (listed, ("POST", "/v1/uploads"), ("GET", "/v1/grant")):
        assert meeting.app.test_client().open(path, method=method, headers=headers).status_code == 401


def test_configured_pages_may_call(meeting: Meeting) -> None:
    """A preflight of a configured page is answered with what it may send; its answers may be read."""
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    for path in (meeting.files, f"{meeting.files}/x", f"/sessions/{meeting.session}/document", "/content/x"):
        answer = meeting.app.test_client().options(f"{BASE}{path}", headers=asked)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, DELETE"
        assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, X-File-Id"
        assert "Origin" in answer.headers["Vary"]
    for token in (meeting.token(), "wrong"):
        answer = meeting.call("GET", meeting.files, token=token)
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://meet.example",
        "https://meet.example.evil.example",
        "https://evil-meet.example",
        "https://meet.example:8443",
        "https://MEET.example",
        "https://meet.example/",
        "null",
        "*",
        "",
    ],
)
def test_other_pages_may_not_call(meeting: Meeting, origin: str) -> None:
    """Any other origin, however alike, is told nothing that a browser would take for a permission."""
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    preflight = meeting.app.test_client().options(f"{BASE}{meeting.files}", headers=asked)
    answer = meeting.call("GET", meeting.files, headers={"Origin": origin})
    for one in (preflight, answer):
        assert not [name for name, _ in one.headers if name.startswith("Access-Control-")]
        assert "Origin" in one.headers["Vary"]


@pytest.mark.parametrize(
    ("user", "person"),
    [
        ("u-1", "u-1"),
        ("Ann Müller", f"sha256:{hashlib.sha256('Ann Müller'.encode()).hexdigest()}"),
        ("a/b", f"sha256:{hashlib.sha256(b'a/b').hexdigest()}"),
        (None, None),
    ],
    ids=ascii,
)
def test_an_upload_is_its_users(meeting: Meeting, user: object, person: str | None) -> None:
    """Who shares a file is its person, by a digest where the id is not fit for one, so nobody's are lost."""
    context = {"user": {"id": user}, "features": {"file-upload": True}}
    payload = json.dumps(meeting.claims(context)).encode()
    file_id = meeting.share(token=signed({"alg": "RS256"}, payload, meeting.signing_key))
    file = meeting.jitsi.files.find(meeting.jitsi.issuer.account_id, meeting.session, file_id)
    upload = meeting.parts.ledger.find(file.upload_id) if file else None
    assert upload is not None
    assert upload.person == person
