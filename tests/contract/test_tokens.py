import base64
import json
from typing import Any, Final

import pytest

from service.adapters.jwt_tokens import JwtTokens
from service.core.errors import BadRequest, Unauthenticated
from service.ports import Tokens

TOKENS: Final[Tokens] = JwtTokens()
PRIVATE: Final = TOKENS.new_key()
PUBLIC: Final = {name: PRIVATE[name] for name in ("kty", "crv", "x")}
X: Final = str(PRIVATE["x"])


def part(value: Any) -> str:
    """Encode a part of a token."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def test_what_is_signed_is_what_is_read() -> None:
    """The claims and the key's id come back; a token is three parts of base64url."""
    token = TOKENS.sign({"a": 1, "b": ["ü"]}, "sk_1", PRIVATE)
    assert TOKENS.key_id(token) == "sk_1"
    assert TOKENS.claims(token, PUBLIC) == {"a": 1, "b": ["ü"]}


def test_another_key_does_not_open() -> None:
    """A signature counts for its own key only."""
    other = {name: TOKENS.new_key()[name] for name in ("kty", "crv", "x")}
    with pytest.raises(Unauthenticated):
        TOKENS.claims(TOKENS.sign({}, "sk_1", PRIVATE), other)


def test_every_changed_character_is_noticed() -> None:
    """No change to what was signed goes unnoticed, wherever it is."""
    token = TOKENS.sign({"meeting": "m1"}, "sk_1", PRIVATE)
    signed, _, signature = token.rpartition(".")
    for place, letter in enumerate(signed):
        changed = f"{signed[:place]}{'A' if letter != 'A' else 'B'}{signed[place + 1 :]}.{signature}"
        with pytest.raises(Unauthenticated):
            TOKENS.claims(changed, PUBLIC)


@pytest.mark.parametrize("claims", [[], "x", 1, None, True])
def test_claims_are_an_object(claims: Any) -> None:
    """A right signature under anything else is no token."""
    from joserfc import jws  # noqa: PLC0415 - what our own adapter will not sign
    from joserfc.jwk import OKPKey  # noqa: PLC0415

    header = {"alg": "Ed25519", "kid": "k", "typ": "greenroom-grant+jwt"}
    token = jws.serialize_compact(header, json.dumps(claims), OKPKey.import_key(dict(PRIVATE)), ["Ed25519"])
    with pytest.raises(Unauthenticated):
        TOKENS.claims(token, PUBLIC)


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "OKP", "crv": "Ed25519"},
        {"kty": "OKP", "crv": "Ed25519", "x": ""},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "x": 5},
        {"kty": "OKP", "crv": "Ed25519", "x": ["A"]},
        {"kty": "OKP", "crv": "X25519", "x": X},
        {"kty": "OKP", "crv": "Ed448", "x": X},
        {"kty": "oct", "k": "AAAA"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": X, "y": X},
        dict(PRIVATE),
    ],
)
def test_only_an_ed25519_public_key_is_taken(jwk: dict[str, Any]) -> None:
    """Other kinds and curves, wrong lengths and private keys are refused."""
    with pytest.raises(BadRequest):
        TOKENS.public_key(jwk)


def test_what_else_stands_in_a_key_is_left_out() -> None:
    """Only the members that are the key are kept."""
    assert TOKENS.public_key({**PUBLIC, "kid": "x", "x5u": "https://evil.example", "use": "sig"}) == PUBLIC


HEADER: Final = {"alg": "Ed25519", "kid": "sk_1", "typ": "greenroom-grant+jwt"}


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "alg": "none"},
        {**HEADER, "alg": "None"},
        {**HEADER, "alg": "HS256"},
        {**HEADER, "alg": "RS256"},
        {**HEADER, "alg": "ES256"},
        {**HEADER, "alg": "EdDSA"},
        {**HEADER, "alg": ["Ed25519"]},
        {**HEADER, "jwk": PUBLIC},
        {**HEADER, "jku": "https://evil.example/jwks.json"},
        {**HEADER, "x5u": "https://evil.example/cert.pem"},
        {**HEADER, "x5c": ["AAAA"]},
        {**HEADER, "crit": ["exp"]},
        {**HEADER, "b64": False, "crit": ["b64"]},
        {**HEADER, "zip": "DEF"},
        {**HEADER, "cty": "JWT"},
        {**HEADER, "typ": "JWT"},
        {**HEADER, "typ": "at+jwt"},
        {**HEADER, "kid": None},
        {**HEADER, "kid": 1},
        {**HEADER, "kid": ["sk_1"]},
        {**HEADER, "kid": "x" * 65},
        {**HEADER, "kid": "sk_\0"},
        {**HEADER, "kid": "\ud800"},
        {**HEADER, "kid": "sk 1"},
        {"alg": "Ed25519", "typ": "greenroom-grant+jwt"},
        {"alg": "Ed25519", "kid": "sk_1"},
        [],
        "x",
        None,
    ],
)
def test_a_header_says_nothing_but_which_key(header: Any) -> None:
    """A token can neither choose how it is checked nor bring its own key."""
    with pytest.raises(Unauthenticated):
        TOKENS.key_id(f"{part(header)}.{part({})}.{part(b'0' * 64)}")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "..",
        "a.b.c",
        f"{part(HEADER)}.{part({})}",
        f"{part(HEADER)}.{part({})}.{part(b'')}.x",
        "é.é.é",
        f"{part(b'{')}.{part({})}.AAAA",
        f"{part(b'[' * 5000)}.{part({})}.AAAA",
        f"{part(HEADER)}.{part(b'x' * 9000)}.AAAA",
        f"{part(HEADER)}=.{part({})}.AAAA!",
        f" {part(HEADER)}.{part({})}.AAAA",
        "A" * 100_000,
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    """Odd text ends in ``Unauthenticated``, at the header or at the signature."""
    with pytest.raises(Unauthenticated):
        _used(token)


def _used(token: str) -> None:
    TOKENS.key_id(token)
    TOKENS.claims(token, PUBLIC)
