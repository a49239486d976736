"""Who may come in: API keys, made, shown once and checked, and the holders of grants.

Only the SHA-256 of a key's secret is ever stored.
"""

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta
from typing import Final

from service.core.account import OPERATOR
from service.core.caller import Caller, Scope
from service.core.errors import BadRequest, Unauthenticated
from service.core.journal import Act, Entry
from service.core.naming import identifier
from service.ports import ApiKey
from service.stages import accounts, grants
from service.stages.parts import Parts

#: What a key of an account may be for.
SCOPES: Final = frozenset(scope.value for scope in Scope) - {Scope.ADMIN.value}
#: Two, so that a backend can change over from one to the next without a gap.
MOST_LIVE_KEYS: Final = 2
#: A token in compact form has three parts (RFC 7515, 3.1), a key two.
_DOTS_OF_TOKENS: Final = 2
#: Keys are made and revoked at the command line.
COMMAND: Final = "operator:command"
_KEY: Final = re.compile(r"(gr_[0-9a-f]{12})\.([A-Za-z0-9_-]{43})")


def create_key(
    parts: Parts, account: str, label: str, scopes: frozenset[str], lifetime: timedelta | None
) -> str:
    """Make a key for ``account`` (created if new) and return it as ``prefix.secret``, this once.

    Raises ``BadRequest`` for an odd account or lifetime, unknown scopes or a third live key, and
    ``AccountRemoved``.
    """
    if not scopes or not scopes <= SCOPES:
        raise BadRequest(f"scopes must be some of {', '.join(sorted(SCOPES))}")
    account_id = identifier(account, "account")
    accounts.check_there(parts, account_id)
    return _made(parts, account_id, label, scopes, lifetime)


def create_admin_key(parts: Parts, label: str, lifetime: timedelta | None) -> str:
    """Make an administrator's key, for accounts and for nothing that is in one, and return it, this once.

    Raises ``BadRequest`` for an odd lifetime or a third live key.
    """
    return _made(parts, OPERATOR, label, frozenset({Scope.ADMIN.value}), lifetime)


def _made(
    parts: Parts, account_id: str, label: str, scopes: frozenset[str], lifetime: timedelta | None
) -> str:
    if lifetime is not None and lifetime <= timedelta(0):
        raise BadRequest("a key must live for at least a day")
    now = parts.clock.now()
    prefix, secret = f"gr_{secrets.token_hex(6)}", secrets.token_urlsafe(32)
    key = ApiKey(
        prefix=prefix,
        secret_sha256=_digest(secret),
        account_id=account_id,
        label=label[:255],
        scopes=scopes,
        created_at=now,
        expires_at=None if lifetime is None else now + lifetime,
        revoked_at=None,
    )
    parts.credentials.add_key(key, now, MOST_LIVE_KEYS, _line(Act.KEY_CREATED, key, now))
    return f"{prefix}.{secret}"


def revoke_key(parts: Parts, prefix: str) -> bool:
    """Revoke a key at once; return whether there was a live one of that ``prefix``."""
    key, now = parts.credentials.key(prefix), parts.clock.now()
    return key is not None and parts.credentials.revoke_key(prefix, now, _line(Act.KEY_REVOKED, key, now))


def _line(act: Act, key: ApiKey, at: datetime) -> Entry:
    # Without the label, which may name a person.
    detail = {"key": key.prefix, "scopes": ",".join(sorted(key.scopes))}
    return Entry(at, act.value, detail, COMMAND, account_id=key.account_id)


def authenticate(parts: Parts, untrusted_bearer: str, *, expired_grants_too: bool = False) -> Caller:
    """Return who holds ``untrusted_bearer``, an API key or the token of a grant.

    With ``expired_grants_too`` a grant's holder is known after the grant's time, for what was begun under
    it. Raises ``Unauthenticated``.
    """
    if untrusted_bearer.count(".") == _DOTS_OF_TOKENS:
        return grants.holder(parts, untrusted_bearer, expired_too=expired_grants_too)
    key = _live_key(parts, untrusted_bearer)
    return Caller(key.account_id, key.prefix, key.scopes)


def _live_key(parts: Parts, untrusted_key: str) -> ApiKey:
    match = _KEY.fullmatch(untrusted_key)
    key = parts.credentials.key(match[1]) if match else None
    expected = key.secret_sha256 if key else "0" * 64
    given = _digest(match[2]) if match else ""
    if key is None or not hmac.compare_digest(given, expected) or not is_live(key, parts.clock.now()):
        raise Unauthenticated("Send a valid API key or grant: Authorization: Bearer ...")
    return key


def is_live(key: ApiKey, now: datetime) -> bool:
    """Tell whether a key is neither revoked nor expired at ``now``."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
