"""The object store in memory, keeping the promises of ``ports.ObjectStore``."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from service.core.errors import ContentLost, StoreUnavailable
from service.ports import Clock, Source, Stored
from tests.fakes.faults import Crash, Faults

PART = 5 * 1024 * 1024


class FakeStore:
    """Two dicts of immutable objects, and the multipart uploads that a killed process left behind."""

    def __init__(self, faults: Faults, clock: Clock) -> None:
        """Call ``watch`` with each object's name and bytes just before they become a released object."""
        self._faults = faults
        self._clock = clock
        self.quarantined: dict[str, bytes] = {}
        self.released: dict[str, bytes] = {}
        self.unfinished: dict[str, datetime] = {}
        self.watch: Callable[[Stored, bytes], None] = lambda _stored, _data: None

    def put(self, key: str, source: Source, size: int | None) -> Stored:
        """Store a source: part by part, and at the end all of it or nothing."""
        data = bytearray()
        try:
            while size is None or len(data) < size:
                piece = source.read(PART if size is None else min(PART, size - len(data)))
                if not piece:
                    break
                with self._faults.at("store.put_part"):
                    data += piece
            if size is not None and len(data) != size:
                raise StoreUnavailable("the source ended early")
            with self._faults.at("store.put"):
                assert key not in self.quarantined, "objects are immutable, keys are used once"
                self.quarantined[key] = bytes(data)
        except Crash:
            if key not in self.quarantined:
                self.unfinished[key] = self._clock.now()
            raise
        return Stored(key, len(data), etag(bytes(data)))

    @contextmanager
    def read_quarantined(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[Source]:
        """Open a range."""
        with self._faults.at("store.read_quarantined"):
            source = self._range(self.quarantined, key, offset, length)
        yield source

    @contextmanager
    def read_released(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[Source]:
        """Open a range."""
        with self._faults.at("store.read_released"):
            source = self._range(self.released, key, offset, length)
        yield source

    def _range(self, bucket: dict[str, bytes], key: str, offset: int, length: int | None) -> Source:
        data = bucket.get(key)
        if data is None or offset > len(data) or (offset == len(data) > 0):
            raise ContentLost("no such object or range")
        return _Range(data[offset:] if length is None else data[offset : offset + length], self._faults)

    def release(self, stored: Stored) -> None:
        """Copy an object on condition of its ETag."""
        with self._faults.at("store.release"):
            data = self.quarantined.get(stored.key)
            if data is None or etag(data) != stored.etag or len(data) != stored.size:
                raise ContentLost("not the object that was stored")
            self.watch(stored, data)
            self.released[stored.key] = data

    def recall(self, key: str) -> Stored:
        """Copy a released object back."""
        with self._faults.at("store.recall"):
            data = self.released.get(key)
            if data is None:
                raise ContentLost("no such object")
            self.quarantined[key] = data
            return Stored(key, len(data), etag(data))

    def discard_object(self, key: str) -> None:
        """Delete one object."""
        with self._faults.at("store.discard_object"):
            self.quarantined.pop(key, None)

    def discard_quarantined(self, upload_id: str) -> None:
        """Delete below a prefix."""
        with self._faults.at("store.discard_quarantined"):
            _delete(self.quarantined, upload_id)

    def discard_released(self, upload_id: str) -> None:
        """Delete below a prefix."""
        with self._faults.at("store.discard_released"):
            _delete(self.released, upload_id)

    def discard_unfinished(self, started_before: datetime) -> int:
        """Abort old multipart uploads."""
        with self._faults.at("store.discard_unfinished"):
            stale = [key for key, begun in self.unfinished.items() if begun < started_before]
            for key in stale:
                del self.unfinished[key]
            return len(stale)

    def ping(self) -> None:
        """Answer."""
        with self._faults.at("store.ping"):
            return


class _Range:
    def __init__(self, data: bytes, faults: Faults) -> None:
        self._left = memoryview(data)
        self._faults = faults

    def read(self, size: int, /) -> bytes:
        with self._faults.at("store.read"):
            piece, self._left = bytes(self._left[:size]), self._left[size:]
            return piece


def etag(data: bytes) -> str:
    """Return the ETag of an object that was put in one piece."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _delete(bucket: dict[str, bytes], upload_id: str) -> None:
    for key in [key for key in bucket if key.startswith(f"{upload_id}/")]:
        del bucket[key]
