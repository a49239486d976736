"""Credentials in memory, keeping the promises of ``ports.Credentials``."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from service.core.errors import BadRequest
from service.ports import ApiKey
from tests.fakes.faults import Faults


class FakeCredentials:
    """What opens the door, as values."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._keys: dict[str, ApiKey] = {}
        self._lock = threading.RLock()

    def add_key(self, key: ApiKey, live_at: datetime, most_live: int) -> None:
        """Add a key within the limit."""
        with self._faults.at("credentials.add_key"), self._lock:
            live = [
                known
                for known in self._keys.values()
                if known.account_id == key.account_id
                and known.revoked_at is None
                and (known.expires_at is None or known.expires_at > live_at)
            ]
            if len(live) >= most_live:
                raise BadRequest(f"the account has {most_live} live keys already")
            self._keys[key.prefix] = key

    def key(self, prefix: str) -> ApiKey | None:
        """Return a key."""
        with self._faults.at("credentials.key"):
            return self._keys.get(prefix)

    def keys(self, account_id: str | None = None) -> Sequence[ApiKey]:
        """Return keys, oldest first."""
        with self._faults.at("credentials.keys"), self._lock:
            found = [key for key in self._keys.values() if account_id in {None, key.account_id}]
            return sorted(found, key=lambda key: (key.created_at, key.prefix))

    def revoke_key(self, prefix: str, at: datetime) -> bool:
        """Revoke a key."""
        with self._faults.at("credentials.revoke_key"), self._lock:
            key = self._keys.get(prefix)
            if key is None or key.revoked_at is not None:
                return False
            self._keys[prefix] = replace(key, revoked_at=at)
            return True
