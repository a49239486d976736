"""What was answered to requests that carry an Idempotency-Key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that one request holds, so that no other request with this key runs beside it.

    ``id`` is random and names the holder. The key belongs to an account and, where a grant opened the door,
    to that grant (``grant_id``, else empty). ``fingerprint`` (hex) tells which request it is. A holder that
    has not answered by ``running_until`` counts as dead; ``None`` for an upload, whose own lease tells.
    ``replaces`` is the ``id`` of an earlier claim that is to be taken over.
    """

    id: str
    account_id: str
    grant_id: str
    key: str
    fingerprint: str
    made_at: datetime
    running_until: datetime | None = None
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, its headers, and its body, sealed because answers hold tokens."""

    status: int
    headers: Mapping[str, str]
    sealed_body: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a key: who holds it, the upload it began, the answer that was given."""

    claim: Claim
    upload_id: str | None
    reply: Reply | None


class Answers(Protocol):
    """The keys and what was answered. Safe for many threads and processes at once.

    A change is durable when the call returned. All raise ``LedgerUnavailable``. A claim that belongs to an
    upload is made by ``Ledger.save``, in one transaction with the upload's first row.
    """

    def find(self, account_id: str, grant_id: str, key: str) -> Entry | None:
        """Return what is known of a key."""

    def claim(self, claim: Claim) -> None:
        """Take a key that nobody holds, or take over the one claim that ``replaces`` names.

        Raises ``IdempotencyInProgress`` if another request was first."""

    def settle(self, claim: Claim, reply: Reply) -> None:
        """Keep the answer of the request that holds ``claim``. Nothing happens if it holds it no more."""

    def release(self, claim: Claim) -> None:
        """Forget ``claim``, so that its key is free. Nothing happens if the request holds it no more."""

    def purge(self, made_before: datetime) -> None:
        """Forget the claims that were made before then, with their answers."""
