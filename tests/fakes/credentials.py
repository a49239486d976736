"""Credentials in memory, keeping the promises of ``ports.Credentials``."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from service.core.erasure import Erasure, Reach
from service.core.errors import BadRequest, Conflict, TooManyKeys
from service.core.grant import Grant
from service.core.journal import Entry
from service.core.upload import State, Upload
from service.ports import ApiKey, GrantKey, KnownGrant, SigningKey
from tests.fakes.accounts import FakeAccounts
from tests.fakes.faults import Faults
from tests.fakes.journal import FakeJournal


class FakeCredentials:
    """What opens the door, as values."""

    def __init__(
        self, faults: Faults, journal: FakeJournal | None = None, accounts: FakeAccounts | None = None
    ) -> None:
        self._faults = faults
        self._journal = journal or FakeJournal(faults)
        self.accounts = accounts or FakeAccounts(faults, self._journal)
        self._keys: dict[str, ApiKey] = {}
        self._signing: list[SigningKey] = []
        self._grant_keys: dict[str, GrantKey] = {}
        self._grants: dict[tuple[str, str], KnownGrant] = {}
        #: Every upload there is, told by the ledger of the same world.
        self.uploads: Callable[[], Iterable[Upload]] = list
        #: Whether anything in a meeting must stay, told by the holds of the same world.
        self.holds: Callable[[str, str], bool] = lambda *_: False
        self._lock = threading.RLock()

    def add_key(self, key: ApiKey, live_at: datetime, most_live: int, line: Entry) -> None:
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
            self.accounts.known(key.account_id, key.created_at)
            self._keys[key.prefix] = key
            self._journal.record([line])

    def key(self, prefix: str) -> ApiKey | None:
        """Return a key."""
        with self._faults.at("credentials.key"):
            return self._keys.get(prefix)

    def keys(self, account_id: str | None = None) -> Sequence[ApiKey]:
        """Return keys, oldest first."""
        with self._faults.at("credentials.keys"), self._lock:
            found = [key for key in self._keys.values() if account_id in {None, key.account_id}]
            return sorted(found, key=lambda key: (key.created_at, key.prefix))

    def revoke_key(self, prefix: str, at: datetime, line: Entry) -> bool:
        """Revoke a key."""
        with self._faults.at("credentials.revoke_key"), self._lock:
            key = self._keys.get(prefix)
            if key is None or key.revoked_at is not None:
                return False
            self._keys[prefix] = replace(key, revoked_at=at)
            self._journal.record([line])
            return True

    def add_signing_key(self, key: SigningKey, others_until: datetime) -> None:
        """Add a generation and let the others run out."""
        with self._faults.at("credentials.add_signing_key"), self._lock:
            if any(known.generation == key.generation for known in self._signing):
                raise Conflict("another process added it first")
            self._signing = [key] + [
                replace(known, trusted_until=min(known.trusted_until or others_until, others_until))
                for known in self._signing
            ]

    def signing_keys(self) -> Sequence[SigningKey]:
        """Return all, newest first."""
        with self._faults.at("credentials.signing_keys"), self._lock:
            return list(self._signing)

    def add_grant_key(self, key: GrantKey, most_live: int) -> None:
        """Add an account's key within the limit."""
        with self._faults.at("credentials.add_grant_key"), self._lock:
            if sum(known.revoked_at is None for known in self._of(key.account_id)) >= most_live:
                raise TooManyKeys(f"the account has {most_live} live keys already")
            self._grant_keys[key.id] = key

    def grant_key(self, key_id: str) -> GrantKey | None:
        """Return an account's key."""
        with self._faults.at("credentials.grant_key"):
            return self._grant_keys.get(key_id)

    def grant_keys(self, account_id: str) -> Sequence[GrantKey]:
        """Return an account's keys, oldest first."""
        with self._faults.at("credentials.grant_keys"), self._lock:
            return sorted(self._of(account_id), key=lambda key: (key.created_at, key.id))

    def _of(self, account_id: str) -> list[GrantKey]:
        return [key for key in self._grant_keys.values() if key.account_id == account_id]

    def revoke_grant_key(self, account_id: str, key_id: str, at: datetime) -> bool:
        """Revoke an account's key."""
        with self._faults.at("credentials.revoke_grant_key"), self._lock:
            key = self._grant_keys.get(key_id)
            if key is None or key.account_id != account_id or key.revoked_at is not None:
                return False
            self._grant_keys[key_id] = replace(key, revoked_at=at)
            return True

    def keep_grant(self, grant: Grant, at: datetime) -> KnownGrant:
        """Store a grant that is not stored yet."""
        with self._faults.at("credentials.keep_grant"), self._lock:
            self._grants.setdefault((grant.account_id, grant.id), KnownGrant(grant, at, None, 0, 0))
            return self._counted(grant.account_id, grant.id)

    def grant(self, account_id: str, grant_id: str) -> KnownGrant | None:
        """Return a stored grant."""
        with self._faults.at("credentials.grant"):
            return self.stored(account_id, grant_id)

    def grants_of(self, account_id: str, person: str | None) -> Sequence[KnownGrant]:
        """Return an account's grants."""
        with self._faults.at("credentials.grants_of"), self._lock:
            theirs = [self._counted(*key) for key in self._grants if key[0] == account_id]
            found = [known for known in theirs if person in {None, known.grant.person}]
            return sorted(found, key=lambda known: (known.created_at, known.grant.id))

    def prolong_grant(self, grant: Grant) -> None:
        """Note a later end."""
        with self._faults.at("credentials.prolong_grant"), self._lock:
            known = self.stored(grant.account_id, grant.id)
            if known is not None and known.grant.expires_at < grant.expires_at:
                times: dict[str, Any] = {"issued_at": grant.issued_at, "expires_at": grant.expires_at}
                kept = replace(known, grant=replace(known.grant, **times))
                self._grants[grant.account_id, grant.id] = kept

    def revoke_grant(self, account_id: str, grant_id: str, at: datetime) -> bool:
        """Revoke a grant."""
        with self._faults.at("credentials.revoke_grant"), self._lock:
            known = self._grants.get((account_id, grant_id))
            if known is None or known.revoked_at is not None:
                return False
            self._grants[account_id, grant_id] = replace(known, revoked_at=at)
            return True

    def forget_grants(self, expired_before: datetime) -> None:
        """Forget old grants."""
        with self._faults.at("credentials.forget_grants"), self._lock:
            old = [one.grant for one in self._grants.values() if one.grant.expires_at < expired_before]
            for grant in old:
                if not self.holds(grant.account_id, grant.meeting_id):
                    del self._grants[grant.account_id, grant.id]

    def forget_account(self, account_id: str) -> None:
        """Forget an account's keys and grants, as a part of somebody's transaction."""
        with self._lock:
            self._keys = {key: one for key, one in self._keys.items() if one.account_id != account_id}
            theirs = self._grant_keys.items()
            self._grant_keys = {key: one for key, one in theirs if one.account_id != account_id}
            self._grants = {key: one for key, one in self._grants.items() if key[0] != account_id}

    def end_grants(self, erasure: Erasure) -> None:
        """Revoke a meeting's or a person's grants, as a part of somebody's transaction."""
        meeting = erasure.reach is Reach.MEETING
        with self._lock:
            for key, one in self._grants.items():
                names = one.grant.meeting_id if meeting else one.grant.person
                its = (one.grant.account_id, names) == (erasure.account_id, erasure.subject)
                if its and one.created_at <= erasure.asked_at:
                    meeting_id = erasure.mark if meeting else one.grant.meeting_id
                    forgotten = replace(one.grant, person=None, meeting_id=meeting_id)
                    revoked_at = one.revoked_at or erasure.asked_at
                    self._grants[key] = replace(one, grant=forgotten, revoked_at=revoked_at)

    def stored(self, account_id: str, grant_id: str) -> KnownGrant | None:
        """Return a stored grant, for the ledger of the same world and for tests."""
        with self._lock:
            if (account_id, grant_id) not in self._grants:
                return None
            return self._counted(account_id, grant_id)

    def _counted(self, account_id: str, grant_id: str) -> KnownGrant:
        counted = [
            upload
            for upload in self.uploads()
            if (upload.account_id, upload.grant_id) == (account_id, grant_id)
            and (upload.size is not None or upload.state is State.RECEIVING)
        ]
        size = sum((u.reserved or 0) if u.size is None else u.size for u in counted)
        return replace(self._grants[account_id, grant_id], files=len(counted), bytes=size)
