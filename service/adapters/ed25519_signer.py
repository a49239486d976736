"""``ports.Signer`` on cryptography."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class Ed25519Signer:
    """Signs notes."""

    def new_key(self) -> tuple[bytes, bytes]:
        """Make a key pair."""
        private = Ed25519PrivateKey.generate()
        return private.private_bytes_raw(), private.public_key().public_bytes_raw()

    def sign(self, private_key: bytes, message: bytes) -> bytes:
        """Sign ``message``."""
        return Ed25519PrivateKey.from_private_bytes(private_key).sign(message)
