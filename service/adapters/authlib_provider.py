"""``ports.IdentityProvider`` on Authlib and joserfc: the code flow with PKCE, the ID token checked here.

PKCE with S256, for a client with a secret too (RFC 9700, 2.1.1); the token's rules are those of OpenID
Connect Core 1.0, 3.1.3.7.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from service.core.errors import IdentityProviderUnavailable, Unauthenticated
from service.core.identity import Identity, subject_of
from service.ports import Journey

T = TypeVar("T")

#: Seconds for the provider to answer, and for what it says of itself to be remembered.
_TIMEOUT: Final = 10.0
_REMEMBERED: Final = 600.0
#: Seconds by which the two clocks may differ.
_LEEWAY: Final = 60
#: Signatures by a key of which only the provider has the private half (RFC 8725, 3.1 and 3.2).
_ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost"})
#: RFC 6749, A.11.
_CODE: Final = re.compile(r"[\x20-\x7e]{1,2048}")
_ERROR_CODE: Final = re.compile(r"[a-z_]{1,64}")


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are at which provider, what we ask for, and the claim that decides about roles."""

    issuer: str
    client_id: str
    client_secret: str
    scope: str
    roles_claim: str


class AuthlibProvider:
    """One provider, found by its discovery document (OpenID Connect Discovery 1.0)."""

    def __init__(self, client: Client) -> None:
        """Be ``client``. Opens no connection yet."""
        self._client = client
        self._known: tuple[float, Mapping[str, Any]] | None = None

    @property
    def issuer(self) -> str:
        """The provider's name."""
        return self._client.issuer

    def address(self, journey: Journey, redirect_uri: str) -> str:
        """Return the provider's page, with the challenge but not the verifier in it."""
        with _http() as http:
            endpoint = self._metadata(http)["authorization_endpoint"]
            address, _ = self._oauth(http, redirect_uri).create_authorization_url(
                endpoint, state=journey.state, nonce=journey.nonce, code_verifier=journey.verifier
            )
        return str(address)

    def identify(self, journey: Journey, untrusted_code: str, redirect_uri: str) -> Identity:
        """Exchange the code for an ID token, and check that."""
        with _http() as http:
            metadata = self._metadata(http)
            answer = self._exchange(http, metadata["token_endpoint"], journey, untrusted_code, redirect_uri)
            keys = _answered(lambda: _json(http.get(metadata["jwks_uri"])))
        claims = self._claims(answer, keys, journey.nonce, _algorithms(metadata))
        groups = claims.get(self._client.roles_claim)
        values = groups if isinstance(groups, list) else [groups]
        names = (claims.get(name) for name in ("preferred_username", "email", "sub"))
        return Identity(
            subject=subject_of(self.issuer, claims["sub"]),
            name=next(name for name in names if isinstance(name, str) and name),
            groups=frozenset(value for value in values if isinstance(value, str)),
        )

    def _metadata(self, http: httpx.Client) -> Mapping[str, Any]:
        """Return what the provider says of itself, which must be of itself (Discovery 1.0, 4.3)."""
        known, now = self._known, time.monotonic()
        if known is not None and now < known[0] + _REMEMBERED:
            return known[1]
        address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        said = _answered(lambda: _json(http.get(address)))
        ours = said.get("issuer") == self.issuer
        if not ours or not all(_is_safe(said.get(name)) for name in _ENDPOINTS):
            raise IdentityProviderUnavailable(
                "The sign-in provider describes itself in a way that cannot be used."
            )
        self._known = now, said
        return said

    def _exchange(
        self, http: httpx.Client, endpoint: str, journey: Journey, untrusted_code: str, redirect_uri: str
    ) -> Mapping[str, Any]:
        if not _CODE.fullmatch(untrusted_code):
            raise _not_confirmed("no code")
        # RFC 6749, 2.3.1: both are encoded before they are put together.
        ourselves = quote(self._client.client_id, safe=""), quote(self._client.client_secret, safe="")
        try:
            answer: Mapping[str, Any] = _answered(
                lambda: self._oauth(http, redirect_uri).fetch_token(
                    endpoint,
                    grant_type="authorization_code",
                    code=untrusted_code,
                    code_verifier=journey.verifier,
                    auth=ourselves,
                )
            )
        except OAuth2Error as error:
            said = str(error.error)
            raise _not_confirmed(said if _ERROR_CODE.fullmatch(said) else "refused") from None
        return answer

    def _claims(
        self, answer: Mapping[str, Any], keys: Mapping[str, Any], nonce: str, algorithms: list[str]
    ) -> Mapping[str, Any]:
        """Return the claims of the ID token in ``answer`` once nothing is wrong with it."""
        us = self._client.client_id
        expected = {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": us}}
        about = {"nonce": nonce, "client_id": us, "access_token": answer.get("access_token")}
        try:
            token = jwt.decode(
                answer["id_token"],
                KeySet.import_key_set({"keys": [key for key in keys["keys"] if _can_sign(key)]}),
                registry=JWSRegistry(algorithms=algorithms, strict_check_header=False),
            )
            claims = CodeIDToken(token.claims, token.header, expected, about)
            claims.validate(leeway=_LEEWAY)
        # The libraries look at what they are given before they know what it is.
        except (JoseError, KeyError, TypeError, ValueError, AttributeError, RecursionError):
            raise _not_confirmed("the ID token is not good") from None
        # One that is for others too could be carried from them to us (3.1.3.7, rule 3).
        if claims["aud"] not in (us, [us]) or not isinstance(claims["sub"], str) or not claims["sub"]:
            raise _not_confirmed("the ID token is not good")
        return dict(claims)

    def _oauth(self, http: httpx.Client, redirect_uri: str) -> Any:  # noqa: ANN401 - Authlib has no types
        return OAuth2Client(
            http,
            self._client.client_id,
            scope=self._client.scope,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )


def _http() -> httpx.Client:
    """Return a client that follows nobody elsewhere; proxy and certificates may come from the environment."""
    return httpx.Client(timeout=_TIMEOUT, follow_redirects=False)


def _answered(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError) as error:
        raise IdentityProviderUnavailable("The sign-in provider did not answer as one does.") from error


def _json(answer: httpx.Response) -> Mapping[str, Any]:
    content = answer.raise_for_status().json()
    if not isinstance(content, dict):
        raise TypeError("no JSON object")
    return content


def _is_safe(address: object) -> bool:
    """Tell whether an endpoint is reached by HTTPS, or on this machine."""
    if not isinstance(address, str):
        return False
    parsed = urlsplit(address)
    return bool(parsed.hostname) and (
        parsed.scheme == "https" or (parsed.scheme == "http" and parsed.hostname in _LOOPBACK)
    )


def _algorithms(metadata: Mapping[str, Any]) -> list[str]:
    """Return those that the provider signs with and that are good enough; RS256 if it does not say."""
    offered = metadata.get("id_token_signing_alg_values_supported")
    names = offered if isinstance(offered, list) else ["RS256"]
    return [name for name in names if isinstance(name, str) and name in _ALGORITHMS]


def _can_sign(key: Mapping[str, Any]) -> bool:
    return key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use", "sig") == "sig"


def _not_confirmed(why: str) -> Unauthenticated:
    return Unauthenticated(f"The provider did not confirm who you are ({why}). Try again.")
