"""Contents: the one way of bytes to the stores and back. An account's contents lie in its region's store."""

from contextlib import AbstractContextManager
from typing import Protocol

from service.core.errors import StoreUnavailable
from service.core.upload import Segment
from service.ports import ObjectStore, Source, Stored
from service.stages.parts import Parts, new_segment_key


class Holder(Protocol):
    """Whose a content is: an upload, or whatever else has one."""

    @property
    def id(self) -> str:
        """What its objects' keys begin with."""

    @property
    def account_id(self) -> str:
        """The account that it belongs to."""

    @property
    def region(self) -> str:
        """Where it lies."""

    @property
    def content_key(self) -> bytes | None:
        """The key that it is under, sealed by its account's."""


def store_of(parts: Parts, region: str) -> ObjectStore:
    """Return a region's store. Raises ``StoreUnavailable`` where none is configured for it."""
    try:
        return parts.stores[region]
    except KeyError:
        raise StoreUnavailable(f"no store is configured for the region {region!r}") from None


def put(parts: Parts, holder: Holder, source: Source, size: int | None) -> Stored:
    """Store a source as a new object of the holder's in quarantine (see ``ObjectStore.put``)."""
    return store_of(parts, holder.region).put(new_segment_key(holder.id), source, size)


def quarantined(
    parts: Parts, holder: Holder, segment: Segment, offset: int = 0, length: int | None = None
) -> AbstractContextManager[Source]:
    """Open a range of a quarantined segment (see ``ObjectStore.read_quarantined``)."""
    return store_of(parts, holder.region).read_quarantined(segment.key, offset, length)


def released(
    parts: Parts, holder: Holder, segment: Segment, offset: int = 0, length: int | None = None
) -> AbstractContextManager[Source]:
    """Open a range of a released segment (see ``ObjectStore.read_released``)."""
    return store_of(parts, holder.region).read_released(segment.key, offset, length)


def copy_out(parts: Parts, holder: Holder, segment: Segment) -> None:
    """Copy a segment from quarantine to released (see ``ObjectStore.release``)."""
    store_of(parts, holder.region).release(segment)
