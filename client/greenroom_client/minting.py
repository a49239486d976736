"""Grants minted without asking the service, with a key that was registered there.

Needs joserfc: ``pip install greenroom-client[mint]``.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from joserfc import jwt
from joserfc.jwk import OKPKey

_LONGEST: Final = 900


def mint_locally(
    private_jwk: Mapping[str, Any],
    key_id: str,
    account: str,
    kind: Literal["upload", "download"],
    meeting: str,
    *,
    file: str | None = None,
    max_files: int | None = None,
    max_bytes: int | None = None,
    types: Sequence[str] | None = None,
    person: str | None = None,
    expires_in: int = _LONGEST,
    audience: str = "greenroom",
    grant_id: str | None = None,
) -> str:
    """Return the token of a new grant of ``account``, signed with ``private_jwk`` (OKP, Ed25519).

    ``key_id`` is the id that ``grants.register_key`` gave its public half. The next arguments are those of
    ``grants.mint``, but an upload grant needs both limits; ``expires_in`` is in seconds. Two tokens of one
    ``grant_id`` that say the same are one grant with one quota: so it is refreshed. Raises ``ValueError`` for
    a life that no grant may have.
    """
    if not 1 <= expires_in <= _LONGEST:
        raise ValueError(f"a grant lives for 1 to {_LONGEST} seconds")
    now = int(time.time())
    claims = {
        "iss": account,
        "aud": audience,
        "jti": grant_id or f"gt_{secrets.token_hex(16)}",
        "iat": now,
        "nbf": now,
        "exp": now + expires_in,
        "kind": kind,
        "meeting": meeting,
        "file": file,
        "max_files": max_files,
        "max_bytes": max_bytes,
        "types": None if types is None else [*types],
        "person": person,
    }
    header = {"alg": "Ed25519", "kid": key_id, "typ": "greenroom-grant+jwt"}
    given = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(header, given, OKPKey.import_key(dict(private_jwk)), algorithms=["Ed25519"])
