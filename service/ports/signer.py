"""Signing what the service commits itself to."""

from typing import Protocol


class Signer(Protocol):
    """Ed25519 (RFC 8032) on plain bytes. Safe for many threads at once."""

    def new_key(self) -> tuple[bytes, bytes]:
        """Make a key pair; return the 32 bytes of the private and of the public key."""

    def sign(self, private_key: bytes, message: bytes) -> bytes:
        """Return the 64 bytes of the signature of ``message``."""
