"""The keys with which this service signs grants: made, changed over, published.

The newest signs. The one before stays trusted for as long as a token of it may live, so a rotation cuts
nobody off.
"""

import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from service.core.errors import BadRequest, Conflict
from service.core.grant import CLOCK_SKEW, LONGEST_LIFE
from service.ports import Jwk, SigningKey
from service.stages.parts import Parts

#: How long a key is trusted after another took its place.
_OVERLAP: Final = LONGEST_LIFE + CLOCK_SKEW


def newest_key(parts: Parts) -> tuple[str, Jwk]:
    """Return the id and the private key that sign now. The first one is made when it is first needed.

    Raises ``SecretsUnreadable`` if it was sealed with a key that is not configured any more.
    """
    known = parts.credentials.signing_keys()
    key = known[0] if known else _first(parts)
    return key.id, json.loads(parts.sealer.unseal(key.sealed))


def rotate(parts: Parts, *, drop_old: bool) -> SigningKey:
    """Make a new key sign from now on, and return it.

    With ``drop_old`` those before are not trusted from now on, as is right for one that leaked. Raises
    ``BadRequest`` while two keys are trusted already: a third would cut off the tokens of the first.
    """
    now = parts.clock.now()
    known = parts.credentials.signing_keys()
    if len(_trusted(known, now)) > 1 and not drop_old:
        until = min(key.trusted_until for key in known if key.trusted_until and key.trusted_until > now)
        raise BadRequest(
            f"Two keys are trusted until {until:%H:%M:%S} UTC. Try again then, or give --drop-old "
            "to end every grant that was signed before."
        )
    key = _fresh(parts, known[0].generation + 1 if known else 1)
    parts.credentials.add_signing_key(key, now if drop_old else now + _OVERLAP)
    return key


def trusted_key(parts: Parts, key_id: str) -> SigningKey | None:
    """Return a key of this service, if tokens that it signed count now."""
    found = _trusted(parts.credentials.signing_keys(), parts.clock.now())
    return next((key for key in found if key.id == key_id), None)


def key_set(parts: Parts) -> dict[str, list[dict[str, str]]]:
    """Return the public keys that grants are checked with now, as a JWK Set (RFC 7517, 5)."""
    trusted = _trusted(parts.credentials.signing_keys(), parts.clock.now())
    return {
        "keys": [{**key.public_key, "kid": key.id, "use": "sig", "alg": "Ed25519"} for key in trusted],
    }


def _trusted(keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
    return [key for key in keys if key.trusted_until is None or key.trusted_until > now]


def _first(parts: Parts) -> SigningKey:
    key = _fresh(parts, 1)
    try:
        parts.credentials.add_signing_key(key, parts.clock.now())
    except Conflict:
        # Another process made the first one.
        return parts.credentials.signing_keys()[0]
    return key


def _fresh(parts: Parts, generation: int) -> SigningKey:
    private = parts.tokens.new_key()
    public = {name: private[name] for name in ("kty", "crv", "x")}
    return SigningKey(
        generation=generation,
        id=f"sk_{secrets.token_hex(6)}",
        public_key=public,
        sealed=parts.sealer.seal(json.dumps(dict(private)).encode()),
        created_at=parts.clock.now(),
        trusted_until=None,
    )
