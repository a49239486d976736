"""Answers in memory, keeping the promises of ``ports.Answers``."""

import json
import threading
from dataclasses import replace
from datetime import datetime

from service.core.errors import IdempotencyInProgress
from service.ports import Claim, Entry, Reply
from tests.fakes.faults import Faults


class FakeAnswers:
    """What is known of each key, as values."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._entries: dict[tuple[str, str, str], Entry] = {}
        self._lock = threading.RLock()

    def find(self, account_id: str, grant_id: str, key: str) -> Entry | None:
        """Return what is known of a key."""
        with self._faults.at("answers.find"):
            return self._entries.get((account_id, grant_id, key))

    def claim(self, claim: Claim) -> None:
        """Take a key."""
        with self._faults.at("answers.claim"):
            self.take_key(claim, None)

    def take_key(self, claim: Claim, upload_id: str | None) -> None:
        """Take a key as part of a save."""
        with self._lock:
            self.check_free(claim)
            self._entries[_of(claim)] = Entry(replace(claim, replaces=None), upload_id, None)

    def check_free(self, claim: Claim) -> None:
        """Raise ``IdempotencyInProgress`` if the key cannot be taken."""
        entry = self._entries.get(_of(claim))
        if (entry.claim.id if entry else None) != claim.replaces:
            raise IdempotencyInProgress("another was first")

    def settle(self, claim: Claim, reply: Reply) -> None:
        """Keep an answer."""
        with self._faults.at("answers.settle"), self._lock:
            if self._holds(claim):
                kept = replace(reply, headers=json.loads(json.dumps(dict(reply.headers))))
                self._entries[_of(claim)] = replace(self._entries[_of(claim)], reply=kept)

    def release(self, claim: Claim) -> None:
        """Forget a claim."""
        with self._faults.at("answers.release"), self._lock:
            if self._holds(claim):
                del self._entries[_of(claim)]

    def purge(self, made_before: datetime) -> None:
        """Forget old claims."""
        with self._faults.at("answers.purge"), self._lock:
            young = {of: entry for of, entry in self._entries.items() if entry.claim.made_at >= made_before}
            self._entries = young

    def entries(self) -> list[Entry]:
        """Return all, for the tests to look at."""
        return list(self._entries.values())

    def _holds(self, claim: Claim) -> bool:
        entry = self._entries.get(_of(claim))
        return entry is not None and entry.claim.id == claim.id


def _of(claim: Claim) -> tuple[str, str, str]:
    return claim.account_id, claim.grant_id, claim.key
