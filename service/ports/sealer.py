"""Keeping secrets that the service must be able to read again."""

from typing import Protocol


class Sealer(Protocol):
    """Encrypts what lies in the database and opens it again. Safe for many threads at once."""

    def seal(self, secret: bytes) -> bytes:
        """Return ``secret`` encrypted and authenticated."""

    def unseal(self, sealed: bytes) -> bytes:
        """Return what was sealed. Raises ``SecretsUnreadable`` for what was sealed with another key."""
