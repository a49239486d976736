"""Where contents lie."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Source(Protocol):
    """Where bytes come from: a request body, a stored content."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes, at least one; empty only at the end."""


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

    def release(self, stored: Stored) -> None:
        """Copy an object from quarantine to released, within the store.

        The copy happens only if the quarantined object is still the one with that ETag, and is checked for
        its size afterwards; else ``ContentLost``. Releasing twice is one release."""

    def recall(self, key: str) -> Stored:
        """Copy a released object back to quarantine, within the store; return what lies there now.

        Its ETag may be another than it was there before: servers differ in what they make of a copy. The copy
        happens only if the object is still the one whose ETag was asked for first, and is checked for its
        size afterwards; else ``ContentLost``. Recalling twice is one recall."""

    def discard_object(self, key: str) -> None:
        """Delete one object in quarantine. One that is not there is fine."""

    def discard_quarantined(self, upload_id: str) -> None:
        """Delete all of an upload's objects in quarantine, every version of them and what says that one was
        deleted included. Nothing there is fine."""

    def discard_released(self, upload_id: str) -> None:
        """Delete all of an upload's released objects, likewise."""

    def discard_unfinished(self, started_before: datetime) -> int:
        """Abort multipart uploads begun before then; return how many."""

    def ping(self) -> None:
        """Raise ``StoreUnavailable`` unless both buckets answer."""
