"""What the log has committed itself to, and the keys it does so with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.core.journal import SignedCheckpoint


@dataclass(frozen=True, slots=True)
class LogKey:
    """The key that signs checkpoints: the log's name, the 32 bytes of its Ed25519 public key (RFC 8032) and
    the private one, sealed. ``generation`` counts up from 1, the highest signs.
    """

    generation: int
    name: str
    public_key: bytes
    sealed: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PseudonymKey:
    """What an account's pseudonyms are made with, sealed; ``None`` once it was destroyed."""

    account_id: str
    sealed: bytes | None
    created_at: datetime


class Checkpoints(Protocol):
    """Signed checkpoints and the log's keys. Safe for many threads and processes at once.

    A change is durable when the call returned. All raise ``LedgerUnavailable``.
    """

    def add(self, checkpoint: SignedCheckpoint) -> None:
        """Add a checkpoint. Raises ``Conflict`` unless it is over more lines than every other."""

    def newest(self) -> SignedCheckpoint | None:
        """Return the checkpoint over the most lines."""

    def after(self, size: int, limit: int) -> Sequence[SignedCheckpoint]:
        """Return at most ``limit`` checkpoints over more than ``size`` lines, smallest first."""

    def log_keys(self) -> Sequence[LogKey]:
        """Return the keys that sign checkpoints, newest first."""

    def add_log_key(self, key: LogKey) -> None:
        """Add a key. Raises ``Conflict`` if another process added that generation first."""

    def pseudonym_key(self, account_id: str) -> PseudonymKey | None:
        """Return an account's key, or what is left of it."""

    def add_pseudonym_key(self, key: PseudonymKey) -> None:
        """Add an account's key. Raises ``Conflict`` if it had one before, destroyed or not."""

    def destroy_pseudonym_key(self, account_id: str, at: datetime) -> None:
        """Forget an account's key for good. The account gets no other, nor a first one if it had none."""
