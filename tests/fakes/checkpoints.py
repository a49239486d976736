"""Checkpoints and the log's keys in memory, keeping the promises of ``ports.Checkpoints``."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from service.core.errors import Conflict
from service.core.journal import SignedCheckpoint
from service.ports import LogKey, PseudonymKey
from tests.fakes.faults import Faults


class FakeCheckpoints:
    """What the log has committed itself to, as values."""

    def __init__(self, faults: Faults) -> None:
        """Fail as ``faults`` say."""
        self._faults = faults
        self._lock = threading.Lock()
        self.signed: list[SignedCheckpoint] = []
        self._log_keys: list[LogKey] = []
        self._pseudonym_keys: dict[str, PseudonymKey] = {}

    def add(self, checkpoint: SignedCheckpoint) -> None:
        """Add a larger one."""
        with self._faults.at("checkpoints.add"), self._lock:
            if self.signed and self.signed[-1].size >= checkpoint.size:
                raise Conflict("another process was first")
            self.signed.append(checkpoint)

    def newest(self) -> SignedCheckpoint | None:
        """Return the largest."""
        with self._faults.at("checkpoints.newest"), self._lock:
            return self.signed[-1] if self.signed else None

    def after(self, size: int, limit: int) -> Sequence[SignedCheckpoint]:
        """Return larger ones."""
        with self._faults.at("checkpoints.after"), self._lock:
            return [one for one in self.signed if one.size > size][:limit]

    def log_keys(self) -> Sequence[LogKey]:
        """Return the keys that sign."""
        with self._faults.at("checkpoints.log_keys"), self._lock:
            return self._log_keys[::-1]

    def add_log_key(self, key: LogKey) -> None:
        """Add a generation."""
        with self._faults.at("checkpoints.add_log_key"), self._lock:
            if any(known.generation == key.generation for known in self._log_keys):
                raise Conflict("another process was first")
            self._log_keys.append(key)

    def pseudonym_key(self, account_id: str) -> PseudonymKey | None:
        """Return an account's key."""
        with self._faults.at("checkpoints.pseudonym_key"):
            return self._pseudonym_keys.get(account_id)

    def add_pseudonym_key(self, key: PseudonymKey) -> None:
        """Add an account's key."""
        with self._faults.at("checkpoints.add_pseudonym_key"), self._lock:
            if key.account_id in self._pseudonym_keys:
                raise Conflict("it has one")
            self._pseudonym_keys[key.account_id] = key

    def rename_pseudonym_key(self, account_id: str, to: str) -> None:
        """Let what is left of a destroyed key be under another name, as a part of somebody's transaction."""
        with self._lock:
            known = self._pseudonym_keys.pop(account_id, None)
            if known is not None:
                self._pseudonym_keys[to] = replace(known, account_id=to, sealed=None)

    def destroy_pseudonym_key(self, account_id: str, at: datetime) -> None:
        """Forget an account's key."""
        with self._faults.at("checkpoints.destroy_pseudonym_key"), self._lock:
            known = self._pseudonym_keys.get(account_id, PseudonymKey(account_id, None, at))
            self._pseudonym_keys[account_id] = replace(known, sealed=None)
