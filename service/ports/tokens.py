"""Signed tokens."""

from collections.abc import Mapping
from typing import Any, Protocol

#: A JSON Web Key (RFC 7517) of the kind Ed25519 (RFC 8037).
Jwk = Mapping[str, Any]


class Tokens(Protocol):
    """Signs and checks tokens: JWS in compact form (RFC 7515) with Ed25519 (RFC 9864). Safe for threads."""

    def new_key(self) -> Jwk:
        """Return a fresh private key."""

    def public_key(self, untrusted_jwk: Jwk) -> Jwk:
        """Return the public members of a key, and only those. Raises ``BadRequest`` for anything that is no
        Ed25519 public key, one with private members included."""

    def sign(self, claims: Mapping[str, Any], key_id: str, private_key: Jwk) -> str:
        """Return a token of our type with ``claims``."""

    def key_id(self, untrusted_token: str) -> str:
        """Return which key a token says it was signed with. Raises ``Unauthenticated`` if it is no token of
        our type, or its header says anything but algorithm, type and key id."""

    def claims(self, untrusted_token: str, public_key: Jwk) -> Mapping[str, Any]:
        """Return the claims of a token that ``public_key`` signed. Raises ``Unauthenticated``."""
