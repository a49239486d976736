"""What opens the door: API keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


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


class Credentials(Protocol):
    """The accounts and what authenticates them. Safe for many threads and processes at once.

    A change is durable when the call returned. All raise ``LedgerUnavailable``.
    """

    def add_key(self, key: ApiKey, live_at: datetime, most_live: int) -> None:
        """Add a key, making its account if new. Raises ``BadRequest`` if ``most_live`` are live already."""

    def key(self, prefix: str) -> ApiKey | None:
        """Return a key by its prefix, revoked or not."""

    def keys(self, account_id: str | None = None) -> Sequence[ApiKey]:
        """Return keys, oldest first."""

    def revoke_key(self, prefix: str, at: datetime) -> bool:
        """Revoke a key; return whether there was a live one."""
