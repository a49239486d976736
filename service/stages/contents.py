"""Contents: the one way of bytes to the stores and back. An account's contents lie in its region's store."""

import hashlib
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

from service.core.errors import ContentLost, StoreUnavailable
from service.core.upload import Segment, Upload
from service.ports import ObjectStore, Source, Stored
from service.stages.parts import Parts, new_segment_key
from service.stages.receive import CHUNK


class Opened(Protocol):
    """Opens a segment where it lies: ``quarantined`` or ``released``."""

    def __call__(
        self, parts: Parts, upload: Upload, segment: Segment, offset: int = 0, length: int | None = None, /
    ) -> AbstractContextManager[Source]:
        """Open a range of the segment."""


def store_of(parts: Parts, region: str) -> ObjectStore:
    """Return a region's store. Raises ``StoreUnavailable`` where none is configured for it."""
    try:
        return parts.stores[region]
    except KeyError:
        raise StoreUnavailable(f"no store is configured for the region {region!r}") from None


def put(parts: Parts, upload: Upload, source: Source, size: int | None) -> Stored:
    """Store a source as a new object of the upload in quarantine (see ``ObjectStore.put``)."""
    return store_of(parts, upload.region).put(new_segment_key(upload.id), source, size)


def quarantined(
    parts: Parts, upload: Upload, segment: Segment, offset: int = 0, length: int | None = None
) -> AbstractContextManager[Source]:
    """Open a range of a quarantined segment (see ``ObjectStore.read_quarantined``)."""
    return store_of(parts, upload.region).read_quarantined(segment.key, offset, length)


def released(
    parts: Parts, upload: Upload, segment: Segment, offset: int = 0, length: int | None = None
) -> AbstractContextManager[Source]:
    """Open a range of a released segment (see ``ObjectStore.read_released``)."""
    return store_of(parts, upload.region).read_released(segment.key, offset, length)


def bring_back(parts: Parts, upload: Upload, segment: Segment) -> Segment:
    """Copy a released segment back to quarantine (see ``ObjectStore.recall``) and return it as it lies there,
    read once more. Raises ``ContentLost`` if it is not what was scanned.
    """
    back = replace(segment, etag=store_of(parts, upload.region).recall(segment.key).etag)
    digest = hashlib.sha256()
    with quarantined(parts, upload, back) as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != segment.sha256:
        raise ContentLost("the released content is not what was scanned")
    return back


def copy_out(parts: Parts, upload: Upload, segment: Segment) -> None:
    """Copy a segment from quarantine to released (see ``ObjectStore.release``)."""
    store_of(parts, upload.region).release(segment)
