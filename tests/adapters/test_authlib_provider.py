"""What our side of OpenID Connect believes, and what it does not (OpenID Connect Core 1.0, 3.1.3.7)."""

from __future__ import annotations

import hmac
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from joserfc.jwk import OctKey, RSAKey

from service.adapters.authlib_provider import AuthlibProvider, Client
from service.core.errors import IdentityProviderUnavailable, Unauthenticated
from service.core.identity import Identity, subject_of
from service.ports import Journey
from tests.adapters.lying_provider import CLIENT_ID, SUBJECT, LyingProvider

SECRET = "a secret: with % and + in it"
BACK = "https://console.example/sign-in/oidc/callback"
JOURNEY = Journey("s" * 64, "n" * 64, "v" * 64)
NOW = int(time.time())


@pytest.fixture(scope="module")
def running() -> Iterator[LyingProvider]:
    """A provider for all tests of this file."""
    provider = LyingProvider()
    yield provider
    provider.stop()


@pytest.fixture
def provider(running: LyingProvider) -> Iterator[LyingProvider]:
    """It, honest at first."""
    discovery, jwks = dict(running.discovery), dict(running.jwks)
    running.asked.clear()
    yield running
    running.discovery, running.jwks = discovery, jwks


def ours(provider: LyingProvider) -> AuthlibProvider:
    """Our side of it."""
    return AuthlibProvider(
        Client(provider.issuer, CLIENT_ID, SECRET, "openid profile", "https://x.example/roles")
    )


def identify(provider: LyingProvider, answer: Any = None, **changes: Any) -> Identity:
    """Redeem a code for `answer`, or for a token with nothing wrong but `changes` of its claims."""
    provider.answer = provider.token(provider.claims(JOURNEY.nonce, **changes)) if answer is None else answer
    return ours(provider).identify(JOURNEY, "a code", BACK)


def test_what_is_asked_and_what_is_read(provider: LyingProvider) -> None:
    """Code, verifier and page of this journey, with our secret beside them; names and groups come back."""
    roles = {"https://x.example/roles": ["security", 7, None, "heads"]}
    found = identify(provider, preferred_username="Mara", email="m@x.example", **roles)
    assert found == Identity(subject_of(provider.issuer, SUBJECT), "Mara", frozenset({"security", "heads"}))
    [(authorization, body)] = provider.asked
    assert b64decode(authorization.removeprefix("Basic ")) == (
        b"greenroom:a%20secret%3A%20with%20%25%20and%20%2B%20in%20it"
    )
    assert parse_qs(body) == {
        "grant_type": ["authorization_code"],
        "code": ["a code"],
        "code_verifier": [JOURNEY.verifier],
        "redirect_uri": [BACK],
    }


@pytest.mark.parametrize(
    ("claims", "name", "groups"),
    [
        ({"email": "m@x.example"}, "m@x.example", set()),
        ({"preferred_username": "", "email": 7}, SUBJECT, set()),
        ({"https://x.example/roles": "security"}, SUBJECT, {"security"}),
        ({"https://x.example/roles": {"security": True}}, SUBJECT, set()),
        ({"https://x.example/roles": None, "roles": ["security"]}, SUBJECT, set()),
    ],
)
def test_claims_of_any_shape(provider: LyingProvider, claims: Any, name: str, groups: set[str]) -> None:
    """The first name there is; groups from the one claim alone, as a text or a list of them."""
    found = identify(provider, **claims)
    assert (found.name, found.groups) == (name, frozenset(groups))


@pytest.mark.parametrize("audience", [CLIENT_ID, [CLIENT_ID]])
def test_a_token_for_us_alone_is_taken(provider: LyingProvider, audience: Any) -> None:
    """As a text or as a list of one."""
    assert identify(provider, aud=audience).name == SUBJECT


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "o" * 64},
        {"nonce": None},
        {"nonce_supported": False, "nonce": None},
        {"iss": "https://id.example"},
        {"iss": None},
        {"iss": ["https://id.example"]},
        {"aud": "another"},
        {"aud": "another", "azp": CLIENT_ID},
        {"aud": [CLIENT_ID, "another"]},
        {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID},
        {"aud": []},
        {"aud": None},
        {"azp": "another"},
        {"exp": NOW - 3600},
        {"exp": None},
        {"exp": "never"},
        {"iat": NOW + 3600},
        {"iat": None},
        {"nbf": NOW + 3600},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": [SUBJECT]},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
    # Not by the moment, which two processes of one run read differently.
    ids=lambda lie: str(lie).replace(str(NOW - 3600), "an hour ago").replace(str(NOW + 3600), "in an hour"),
)
def test_a_token_with_one_lie_is_not_believed(provider: LyingProvider, lie: dict[str, Any]) -> None:
    """Everything else about it is right, its signature too."""
    with pytest.raises(Unauthenticated):
        identify(provider, **lie)


def unsigned(provider: LyingProvider, claims: dict[str, Any]) -> str:
    """A token whose header says that it needs no signature."""
    token = provider.token(claims)["id_token"]
    head = urlsafe_b64encode(b'{"alg":"none","kid":"1"}').rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


def by_secret(provider: LyingProvider, claims: dict[str, Any]) -> str:
    """A token signed with what we share with the provider."""
    return provider.token(claims, OctKey.import_key(SECRET), "HS256")["id_token"]


def by_public_key(provider: LyingProvider, claims: dict[str, Any]) -> str:
    """A token for which the provider's public key was used as a secret."""
    _, body, _ = provider.token(claims)["id_token"].split(".")
    head = urlsafe_b64encode(b'{"alg":"HS256","kid":"1"}').rstrip(b"=").decode()
    digest = hmac.digest(provider.key.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
    return f"{head}.{body}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def by_another(provider: LyingProvider, claims: dict[str, Any]) -> str:
    """A token of somebody with a key of their own, under the provider's key's name."""
    return provider.token(claims, RSAKey.generate_key(2048, {"kid": "1"}))["id_token"]


def changed(provider: LyingProvider, claims: dict[str, Any]) -> str:
    """A token whose claims were changed after they were signed."""
    other = provider.token({**claims, "sub": "1"})["id_token"].split(".")
    return ".".join([*provider.token(claims)["id_token"].split(".")[:1], *other[1:2], other[2][::-1]])


@pytest.mark.parametrize("forge", [unsigned, by_secret, by_public_key, by_another, changed])
def test_a_forged_token_is_not_believed(
    provider: LyingProvider, forge: Callable[[LyingProvider, dict[str, Any]], str]
) -> None:
    """However the provider's description allows for it: only its own private key makes a signature."""
    assert identify(provider).name == SUBJECT
    with pytest.raises(Unauthenticated):
        identify(provider, {"id_token": forge(provider, provider.claims(JOURNEY.nonce)), "access_token": "a"})


@pytest.mark.parametrize(
    "answer",
    [
        {"access_token": "a", "token_type": "Bearer"},
        {"id_token": None},
        {"id_token": "a.b"},
        {"id_token": ""},
        {"id_token": ["a"]},
        {"error": "invalid_grant"},
        {"error": "<script>alert(1)</script>"},
        {"error": {"code": 7}},
        (400, '{"error": "invalid_client"}'),
    ],
    ids=str,
)
def test_without_a_token_nobody_is_known(provider: LyingProvider, answer: Any) -> None:
    """And what a provider says of it is told only where it is a word."""
    with pytest.raises(Unauthenticated) as refused:
        identify(provider, answer)
    assert "<" not in str(refused.value)


@pytest.mark.parametrize(
    "answer", [(500, "{}"), (200, "<html>"), (200, "[]"), (302, ""), (429, "slow down")], ids=str
)
def test_a_provider_in_trouble_is_no_mistake_of_the_persons(provider: LyingProvider, answer: Any) -> None:
    """Nobody is let in, and it is said that the provider is away, at each of its three addresses."""
    provider.answer = provider.token(provider.claims(JOURNEY.nonce))
    good = provider.discovery, provider.jwks
    for which in range(3):
        provider.discovery, provider.jwks = good
        if which == 0:
            provider.discovery = answer
        elif which == 1:
            provider.jwks = answer
        else:
            provider.answer = answer
        with pytest.raises(IdentityProviderUnavailable):
            ours(provider).identify(JOURNEY, "a code", BACK)
    provider.discovery, provider.jwks = good


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://id.example"},
        {"issuer": None},
        {"token_endpoint": "http://id.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": 7},
        {"jwks_uri": None},
        {"token_endpoint": "https://"},
    ],
    ids=str,
)
def test_a_description_that_cannot_be_used(provider: LyingProvider, change: dict[str, Any]) -> None:
    """Of another issuer, or with addresses that are not HTTPS: neither is the browser sent there."""
    provider.discovery = {**provider.discovery, **change}
    with pytest.raises(IdentityProviderUnavailable):
        ours(provider).address(JOURNEY, BACK)


def test_nobody_at_the_address() -> None:
    """A provider that is away is away."""
    with pytest.raises(IdentityProviderUnavailable):
        AuthlibProvider(Client("http://127.0.0.1:9", CLIENT_ID, SECRET, "openid", "roles")).address(
            JOURNEY, BACK
        )
