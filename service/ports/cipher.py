"""Sealing what belongs to an account, so that only this service can read it."""

from dataclasses import dataclass
from typing import Protocol

from service.core.account import Account
from service.ports.store import Source


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which bytes of a sealed object hold a stretch of what was sealed.

    ``offset`` and ``length`` are those of the sealed bytes, ``start`` and ``size`` those of the plain ones
    that are wanted; ``frame`` is the number of the first frame in it.
    """

    offset: int
    length: int
    frame: int
    start: int
    size: int


class ContentCipher(Protocol):
    """Seals and opens the objects of one content, each under its number.

    An object is sealed in frames, which are opened one by one: to read some bytes costs those and at most two
    frames more (each 256 KiB), whatever the object's size. Every frame is bound to its account, content,
    object and place, so that none can stand for another.
    """

    def seal(self, number: int, source: Source) -> Source:
        """Return what ``source`` gives, sealed. It gives exactly as much as is asked for, less only at its
        end; what ``source`` raises passes through."""

    def open(self, number: int, stretch: Stretch, sealed: Source) -> Source:
        """Return the plain bytes of a stretch, of which ``sealed`` gives the sealed ones.

        Nothing is given that was not proved to be what was sealed; else reading raises ``ContentLost``."""


class AccountKey(Protocol):
    """What an account's keys and fields are sealed with. Safe for many threads at once."""

    def new_content_key(self, content_id: str) -> bytes:
        """Return a new key for one content, sealed under this one."""

    def content(self, content_id: str, sealed_key: bytes) -> ContentCipher:
        """Return what seals and opens a content. Raises ``ContentLost`` for a key that is another's."""


class Cipher(Protocol):
    """Makes and opens accounts' keys, which lie sealed by the master key. Safe for many threads at once."""

    def new_account_key(self, account: Account) -> bytes:
        """Return a new key for an account, sealed. Raises ``KeysUnavailable``."""

    def account_key(self, account: Account) -> AccountKey:
        """Open an account's key. Raises ``KeysUnavailable`` if what keeps the master key does not answer,
        ``SecretsUnreadable`` if it was sealed by another master key or for another account."""

    def resealed(self, account: Account) -> bytes | None:
        """Return an account's key, sealed by the present master key; ``None`` if it is so already. Whoever
        keeps a master key may not tell: then it is sealed anew. Raises as ``account_key`` does."""

    def sealed_size(self, size: int) -> int:
        """Return how many bytes an object of ``size`` bytes has once it is sealed."""

    def stretch(self, size: int, offset: int, length: int) -> Stretch:
        """Return where ``length`` bytes at ``offset``, all there, lie in a sealed object of ``size``."""
