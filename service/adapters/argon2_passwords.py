"""``ports.Passwords`` on argon2-cffi: Argon2id (RFC 9106)."""

from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

#: 19 MiB, two passes, one lane: the least of OWASP's Password Storage Cheat Sheet that needs little memory
#: of a machine on which many may try at once.
_MEMORY_KIB: Final = 19 * 1024
_PASSES: Final = 2
_LANES: Final = 1
#: 16 bytes of salt and 32 of hash, all 0: what no known password gives, for those who have none.
_NOBODYS: Final = f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p={_LANES}${'A' * 22}${'A' * 43}"


class Argon2Passwords:
    """Hashes with parameters that each hash carries, so that old ones can be checked after a change."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(_PASSES, _MEMORY_KIB, _LANES, type=Type.ID)

    def hash(self, password: str) -> str:
        """Return a salted hash."""
        return self._hasher.hash(_bytes(password))

    def matches(self, password_hash: str | None, untrusted_password: str) -> bool:
        """Check a password, or do the work of it."""
        try:
            self._hasher.verify(password_hash or _NOBODYS, _bytes(untrusted_password))
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None


def _bytes(password: str) -> bytes:
    """Return ``password`` in UTF-8, whatever a form decoded it to."""
    return password.encode(errors="surrogatepass")
