"""What the stages need from the world, one page of promises.

Every implementation, real or fake, passes the contract suite in ``tests/contract``.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from service.core.outcome import Engine, Outcome
from service.core.upload import LogLine, Segment, State, Upload


class Clock(Protocol):
    """Time, as an argument."""

    def now(self) -> datetime:
        """Return the time of day in UTC. May jump."""

    def monotonic(self) -> float:
        """Return seconds since some moment. Never runs backwards."""

    def sleep(self, seconds: float) -> None:
        """Wait. A test's clock only moves its hands."""


class Source(Protocol):
    """Where bytes come from: a request body, a stored content."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes, at least one; empty only at the end."""


class ScanStream(Protocol):
    """One scan under way. Not for two threads at once."""

    def feed(self, chunk: bytes) -> None:
        """Hand the next bytes over. Raises ``ScannerUnavailable`` when the scanner does not take them; the
        scan is then lost: ``outcome`` may tell why but nothing about the content, ``close`` must follow."""

    def finish(self) -> None:
        """Say that all bytes were fed. Does not wait. Raises ``ScannerUnavailable``."""

    def outcome(self, timeout: float | None = None) -> Outcome | None:
        """Wait for the answer, at most ``timeout`` seconds or until the scan's deadline.

        ``None`` means not yet, ask again; past the deadline it is ``Failed``. Never raises."""

    def close(self) -> None:
        """Let go of the scan. May be called twice and at any time."""


class Scanner(Protocol):
    """Looks into bytes. Safe for many threads at once. Keeps nothing."""

    def open(self) -> ScanStream:
        """Begin a scan under one total deadline. Raises ``ScannerUnavailable``."""

    def engine(self) -> Engine:
        """Return who scans and with which signatures, no older than a second or two.
        Raises ``ScannerUnavailable``."""


class Sniffer(Protocol):
    """Tells a media type from first bytes. Safe for many threads at once."""

    def media_type(self, head: bytes) -> str:
        """Return the media type that the bytes look like. Never raises for odd bytes."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store says of one object. ``size`` is in bytes."""

    key: str
    size: int
    etag: str


class ObjectStore(Protocol):
    """Two buckets of immutable objects: quarantine and released.

    Safe for many threads at once. Every call may be repeated. All raise ``StoreUnavailable`` when the
    store does not answer; an object is durable when the call that made it returned.
    """

    def put(self, key: str, source: Source, size: int | None) -> Stored:
        """Store what ``source`` gives under ``key`` in quarantine, reading until its end.

        ``size`` is the exact length where it is known. An error raised by ``source`` passes through and
        leaves nothing stored. Holds at most a few parts of the object in memory."""

    def read_quarantined(
        self, key: str, offset: int = 0, length: int | None = None
    ) -> AbstractContextManager[Source]:
        """Open a range of a quarantined object. Raises ``ContentLost`` if there is no such object."""

    def read_released(
        self, key: str, offset: int = 0, length: int | None = None
    ) -> AbstractContextManager[Source]:
        """Open a range of a released object. Raises ``ContentLost`` if there is no such object."""

    def release(self, segment: Segment) -> None:
        """Copy a segment from quarantine to released, within the store.

        The copy happens only if the quarantined object is still the one with the segment's ETag, and is
        checked for its size afterwards; else ``ContentLost``. Releasing twice is one release."""

    def discard_quarantined(self, upload_id: str) -> None:
        """Delete all of an upload's objects in quarantine. Nothing there is fine."""

    def discard_released(self, upload_id: str) -> None:
        """Delete all of an upload's released objects. Nothing there is fine."""

    def discard_unfinished(self, started_before: datetime) -> int:
        """Abort multipart uploads begun before then; return how many."""

    def ping(self) -> None:
        """Raise ``StoreUnavailable`` unless both buckets answer."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as stored: the public prefix and the SHA-256 (hex) of its secret."""

    prefix: str
    secret_sha256: str
    account_id: str
    label: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class Ledger(Protocol):
    """The truth about every upload. Safe for many threads and processes at once.

    A save is one transaction: the upload's row, its new segments, its log lines and, where asked, a job
    for the background worker. It is durable when the call returned. All raise ``LedgerUnavailable``.
    """

    def save(self, upload: Upload, *, wake: bool = False) -> Upload:
        """Save an upload and its unsaved log lines; return it with none unsaved and its version raised.

        Version 0 is inserted; any other must still be the row's version, else ``Conflict`` and nothing
        is changed. With ``wake`` a job to advance the upload, not before ``due_at``, is queued in the
        same transaction."""

    def renew(self, upload: Upload, lease_until: datetime) -> None:
        """Prolong the lease without a new version. Raises ``Conflict`` if the upload has moved on."""

    def find(self, upload_id: str) -> Upload | None:
        """Return an upload, whoever owns it."""

    def history(self, upload_id: str) -> Sequence[LogLine]:
        """Return an upload's log lines, oldest first."""

    def page(self, account_id: str, meeting_id: str, before: str | None, limit: int) -> Sequence[Upload]:
        """Return uploads of one meeting, newest first, whose id sorts below ``before``."""

    def unattended(self, now: datetime, states: Sequence[State], limit: int) -> Sequence[Upload]:
        """Return uploads in ``states`` that no live lease covers and that are due, oldest first."""

    def with_leftovers(self, now: datetime, limit: int) -> Sequence[Upload]:
        """Return uploads whose objects are to be deleted and that are due."""

    def swept(self, uploads: Sequence[Upload]) -> None:
        """Note that the leftovers of these uploads are gone (skipping any that changed since)."""

    def add_key(self, key: ApiKey, live_at: datetime, most_live: int) -> None:
        """Add a key, making its account if new. Raises ``BadRequest`` if ``most_live`` are live already."""

    def key(self, prefix: str) -> ApiKey | None:
        """Return a key by its prefix, revoked or not."""

    def keys(self, account_id: str | None = None) -> Sequence[ApiKey]:
        """Return keys, oldest first."""

    def revoke_key(self, prefix: str, at: datetime) -> bool:
        """Revoke a key; return whether there was a live one."""

    def ping(self) -> None:
        """Raise ``LedgerUnavailable`` unless the database answers and has the expected schema."""


class EventLog(Protocol):
    """Where log lines also go out as structured text, after they are durable."""

    def emit(self, event: str, fields: Mapping[str, Any]) -> None:
        """Write one line. Never raises."""

    def failure(self, event: str, error: BaseException, fields: Mapping[str, Any]) -> None:
        """Write one line about an error, for the operator. Never raises."""

    def bind(self, **fields: str) -> None:
        """Put ``fields``, and no others, on every further line of this thread."""


class Queue(Protocol):
    """Where the reconciler puts uploads that nobody is at work on. Safe for many threads."""

    def push(self, upload: Upload, now: datetime) -> None:
        """Queue a job to advance ``upload``. Pushing often is no harm."""

    def purge(self, older_than: timedelta) -> None:
        """Forget jobs that ended, or whose worker did, longer than that ago."""


class QueueWorker(Protocol):
    """What takes jobs from the queue."""

    def start(self, handle: Callable[[str], None], executor: str) -> None:
        """Begin to hand upload ids to ``handle``, several at once. ``executor`` names this process."""

    def stop(self) -> None:
        """Stop; let jobs under way end."""
