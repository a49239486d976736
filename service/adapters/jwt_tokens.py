"""``ports.Tokens`` on joserfc.

The algorithm is pinned and the header may say nothing but which key: a token cannot choose how it is checked
(RFC 8725, 3.1) and cannot bring or point to a key of its own (``jwk``, ``jku``, ``x5c``, ``x5u``).
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from service.core.errors import BadRequest, Unauthenticated
from service.core.grant import TOKEN_TYPE
from service.ports.tokens import Jwk

_ALGORITHM: Final = "Ed25519"
_PUBLIC: Final = ("kty", "crv", "x")
_LONGEST_TOKEN: Final = 8192
#: What ids of keys are made of here: nothing else is looked for.
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class JwtTokens:
    """Ed25519 tokens of one type."""

    def new_key(self) -> Jwk:
        """Make a key pair."""
        return OKPKey.generate_key("Ed25519").as_dict(private=True)

    def public_key(self, untrusted_jwk: Jwk) -> Jwk:
        """Check a public key and return its public members."""
        if "d" in untrusted_jwk:
            raise BadRequest(
                "This is a private key. Keep it to yourself and make a new one: send the public one."
            )
        if (untrusted_jwk.get("kty"), untrusted_jwk.get("crv")) != ("OKP", "Ed25519"):
            raise BadRequest('jwk must be an Ed25519 public key: {"kty": "OKP", "crv": "Ed25519", "x": ...}.')
        try:
            key = OKPKey.import_key({name: untrusted_jwk[name] for name in _PUBLIC})
            members = key.as_dict(private=False)
            _ = key.public_key
        except (JoseError, ValueError, TypeError, KeyError):
            raise BadRequest("jwk.x must be the 32 bytes of an Ed25519 public key in base64url.") from None
        return {name: members[name] for name in _PUBLIC}

    def sign(self, claims: Mapping[str, Any], key_id: str, private_key: Jwk) -> str:
        """Sign ``claims``."""
        header = {"alg": _ALGORITHM, "kid": key_id, "typ": TOKEN_TYPE}
        payload = json.dumps(dict(claims), separators=(",", ":"))
        return jws.serialize_compact(header, payload, OKPKey.import_key(dict(private_key)), [_ALGORITHM])

    def key_id(self, untrusted_token: str) -> str:
        """Look into the header."""
        if len(untrusted_token) > _LONGEST_TOKEN or not untrusted_token.isascii():
            raise _unusable()
        try:
            header = jws.extract_compact(untrusted_token.encode()).headers()
        except (JoseError, ValueError, TypeError, RecursionError):
            raise _unusable() from None
        key_id = header.get("kid")
        if header != {"alg": _ALGORITHM, "typ": TOKEN_TYPE, "kid": key_id} or not isinstance(key_id, str):
            raise _unusable()
        if not _KEY_ID.fullmatch(key_id):
            raise _unusable()
        return key_id

    def claims(self, untrusted_token: str, public_key: Jwk) -> Mapping[str, Any]:
        """Check the signature and return what was signed."""
        try:
            key = OKPKey.import_key(dict(public_key))
            payload = jws.deserialize_compact(untrusted_token.encode(), key, [_ALGORITHM]).payload
            claims = json.loads(payload or b"")
        except (JoseError, ValueError, TypeError, RecursionError):
            raise _unusable() from None
        if not isinstance(claims, dict):
            raise _unusable()
        return claims


def _unusable() -> Unauthenticated:
    return Unauthenticated("The token is not a grant of this service, or not one that it can check.")
