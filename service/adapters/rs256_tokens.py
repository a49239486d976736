"""``ports.TokenVerifier`` on joserfc: JSON Web Tokens signed with RS256 by one key, and nothing else."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from service.core.errors import ConfigurationError, Unauthenticated

_ALGORITHM: Final = "RS256"
#: RFC 7518, 3.3.
_LEAST_BITS: Final = 2048
_PUBLIC_PEM: Final = re.compile(
    r"-----BEGIN (RSA )?PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END (RSA )?PUBLIC KEY-----", re.ASCII
)
#: What a header may hold. Names of keys to fetch or to embed, and extensions to understand, have no place.
_HEADER: Final = frozenset({"alg", "typ", "kid"})


class Rs256Tokens:
    """Tokens of whoever holds the private half of one RSA key."""

    def __init__(self, public_key_pem: str) -> None:
        """Use the key in ``public_key_pem`` (SPKI or PKCS #1).

        Raises ``ConfigurationError`` for anything but one public RSA key of at least 2048 bits.
        """
        if not _PUBLIC_PEM.fullmatch(public_key_pem.strip()):
            raise ConfigurationError(
                "GREENROOM_JITSI_PUBLIC_KEY_FILE must hold one public key in PEM, no more"
            )
        try:
            self._key = RSAKey.import_key(public_key_pem)
        except (JoseError, ValueError, TypeError, AttributeError):
            raise ConfigurationError("GREENROOM_JITSI_PUBLIC_KEY_FILE must hold an RSA key") from None
        if self._key.raw_value.key_size < _LEAST_BITS:
            raise ConfigurationError(
                f"The key in GREENROOM_JITSI_PUBLIC_KEY_FILE must have {_LEAST_BITS} bits or more"
            )

    def claims(self, untrusted_token: str) -> Mapping[str, Any]:
        """Check the header, then the signature, then that there are claims."""
        try:
            token = jws.extract_compact(untrusted_token.encode())
            if not _plain(token.protected) or not jws.validate_compact(token, self._key, [_ALGORITHM]):
                raise _refusal()
            claims = json.loads(token.payload or b"")
        # The library looks at headers before it knows that they are objects, hence the TypeError.
        except (JoseError, ValueError, TypeError, RecursionError):
            raise _refusal() from None
        if not isinstance(claims, dict):
            raise _refusal()
        return claims


def _plain(header: object) -> bool:
    """Tell whether a header asks for nothing but our one algorithm (RFC 8725, 3.1)."""
    return (
        isinstance(header, dict)
        and header.keys() <= _HEADER
        and header.get("alg") == _ALGORITHM
        and header.get("typ", "JWT") == "JWT"
        and isinstance(header.get("kid", ""), str)
    )


def _refusal() -> Unauthenticated:
    return Unauthenticated("Send a valid token of the meeting: Authorization: Bearer token")
