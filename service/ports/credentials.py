"""What opens the door: API keys, and grants with the keys that sign them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.core.grant import Grant
from service.core.journal import Entry
from service.ports.tokens import Jwk


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as stored: the public prefix and the SHA-256 (hex) of its secret."""

    prefix: str
    secret_sha256: str
    account_id: str
    label: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key with which this service signs grants.

    ``generation`` counts up from 1, the highest signs; ``sealed`` is the private key, sealed; tokens are
    checked with it until ``trusted_until``, always if that is ``None``.
    """

    generation: int
    id: str
    public_key: Jwk
    sealed: bytes
    created_at: datetime
    trusted_until: datetime | None


@dataclass(frozen=True, slots=True)
class GrantKey:
    """A public key with which an account's own backend signs grants."""

    id: str
    account_id: str
    name: str
    public_key: Jwk
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownGrant:
    """A grant as stored, with what its holder has sent: ``files`` and ``bytes`` (reserved ones included)."""

    grant: Grant
    created_at: datetime
    revoked_at: datetime | None
    files: int
    bytes: int


class Credentials(Protocol):
    """The accounts and what authenticates them. Safe for many threads and processes at once.

    A change is durable when the call returned; its ``line`` is written to the log in the transaction that
    makes it true. All raise ``LedgerUnavailable``.
    """

    def add_key(self, key: ApiKey, live_at: datetime, most_live: int, line: Entry) -> None:
        """Add a key, making its account if new. Raises ``BadRequest`` if ``most_live`` are live already."""

    def key(self, prefix: str) -> ApiKey | None:
        """Return a key by its prefix, revoked or not."""

    def keys(self, account_id: str | None = None) -> Sequence[ApiKey]:
        """Return keys, oldest first."""

    def revoke_key(self, prefix: str, at: datetime, line: Entry) -> bool:
        """Revoke a key. Return false, and write no line, if there was no live one."""

    def add_signing_key(self, key: SigningKey, others_until: datetime) -> None:
        """Add the next generation, and trust all before it until ``others_until`` at the longest.
        Raises ``Conflict`` if another process added that generation first."""

    def signing_keys(self) -> Sequence[SigningKey]:
        """Return all signing keys, newest first."""

    def add_grant_key(self, key: GrantKey, most_live: int) -> None:
        """Add an account's key. Raises ``TooManyKeys`` if the account has ``most_live`` live ones."""

    def grant_key(self, key_id: str) -> GrantKey | None:
        """Return an account's key by its id, revoked or not."""

    def grant_keys(self, account_id: str) -> Sequence[GrantKey]:
        """Return an account's keys, oldest first."""

    def revoke_grant_key(self, account_id: str, key_id: str, at: datetime) -> bool:
        """Revoke an account's key; return whether there was a live one."""

    def keep_grant(self, grant: Grant, at: datetime) -> KnownGrant:
        """Store a grant, unless one of its account and id is stored already; return the one that is."""

    def grant(self, account_id: str, grant_id: str) -> KnownGrant | None:
        """Return a stored grant."""

    def grants_of(self, account_id: str, person: str | None) -> Sequence[KnownGrant]:
        """Return the stored grants of an account, for one of its people only if a ``person`` is given, the
        one that was stored first first."""

    def prolong_grant(self, grant: Grant) -> None:
        """Note that a token of a stored grant lives until ``expires_at``, if that is later than known."""

    def revoke_grant(self, account_id: str, grant_id: str, at: datetime) -> bool:
        """Revoke a grant; return whether there was a live one."""

    def forget_grants(self, expired_before: datetime) -> None:
        """Forget the grants that expired before then, but not in a meeting where a legal hold keeps anything.
        What was sent under them stays."""
