"""The log's keys: the one that signs its checkpoints, and those of accounts that make their pseudonyms."""

import secrets
from typing import Final

from service.core.errors import Conflict
from service.ports import LogKey, PseudonymKey
from service.stages.parts import Parts
from service.verify.note import PublicKey

_KEY_SIZE: Final = 32
#: Whose key makes pseudonyms of what is no account's own, as the words that a reviewer searched for. No
#: account has this name.
SERVICE: Final = ""


def signing_key(parts: Parts) -> LogKey:
    """Return the key that signs checkpoints now. The first one is made when it is first needed."""
    known = parts.checkpoints.log_keys()
    return known[0] if known else _first(parts)


def public_key(parts: Parts) -> PublicKey:
    """Return what the log's checkpoints are checked with."""
    key = signing_key(parts)
    return PublicKey(key.name, key.public_key)


def pseudonym_key(parts: Parts, account_id: str) -> bytes | None:
    """Return what makes an account's pseudonyms, made when it is first needed; ``None`` if it was destroyed.

    Raises ``SecretsUnreadable`` if it was sealed with a key that is not configured any more.
    """
    known = parts.checkpoints.pseudonym_key(account_id)
    if known is None:
        sealed = parts.sealer.seal(secrets.token_bytes(_KEY_SIZE))
        known = PseudonymKey(account_id, sealed, parts.clock.now())
        try:
            parts.checkpoints.add_pseudonym_key(known)
        except Conflict:
            # Another process made it, or it was destroyed meanwhile.
            known = parts.checkpoints.pseudonym_key(account_id)
    return parts.sealer.unseal(known.sealed) if known and known.sealed else None


def _first(parts: Parts) -> LogKey:
    private, public = parts.signer.new_key()
    # A name that no other log has, as c2sp.org/tlog-checkpoint asks for.
    name = f"greenroom/log/{secrets.token_hex(6)}"
    key = LogKey(1, name, public, parts.sealer.seal(private), parts.clock.now())
    try:
        parts.checkpoints.add_log_key(key)
    except Conflict:
        # Another process made the first one.
        return parts.checkpoints.log_keys()[0]
    return key
