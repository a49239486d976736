"""``ports.Sealer`` on Fernet (AES-128-CBC and HMAC-SHA256), whose MultiFernet changes keys without a gap."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from service.core.errors import SecretsUnreadable


class FernetSealer:
    """Seals with the first of some keys and opens what any of them sealed."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Use ``keys``, each 32 bytes in URL-safe base64."""
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, secret: bytes) -> bytes:
        """Encrypt and authenticate."""
        return self._fernet.encrypt(secret)

    def unseal(self, sealed: bytes) -> bytes:
        """Check and decrypt."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise SecretsUnreadable(
                "A stored secret cannot be opened: GREENROOM_SECRETS_KEY is not the key it was sealed with."
            ) from None
