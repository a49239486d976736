"""Contents: the one way of bytes to the stores and back. An account's contents lie in its region's store.

What lies there is sealed: a content's bytes are plain in this process alone. Contents of earlier versions,
which have no key, are read as they are.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Final, Protocol

from service.core.errors import ContentLost, StoreUnavailable
from service.core.upload import Segment, Upload
from service.ports import ContentCipher, ObjectStore, Source, Stored
from service.stages.parts import Parts, new_segment_key
from service.stages.receive import CHUNK

_Read = Callable[[str, int, int | None], AbstractContextManager[Source]]
_NO_SUCH_RANGE: Final = "the stored content has no such range"


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


class Opened(Protocol):
    """Opens a segment where it lies: ``quarantined`` or ``released``."""

    def __call__(
        self, parts: Parts, upload: Upload, segment: Segment, offset: int = 0, length: int | None = None, /
    ) -> AbstractContextManager[Source]:
        """Open a range of the segment."""


def new_content_key(parts: Parts, account_id: str, holder_id: str) -> bytes:
    """Return a new key for a content of an account, sealed by the account's.

    Raises as ``Keyring.of`` does.
    """
    return parts.keyring.of(account_id).new_content_key(holder_id)


def store_of(parts: Parts, region: str) -> ObjectStore:
    """Return a region's store. Raises ``StoreUnavailable`` where none is configured for it."""
    try:
        return parts.stores[region]
    except KeyError:
        raise StoreUnavailable(f"no store is configured for the region {region!r}") from None


def put(parts: Parts, holder: Holder, number: int, source: Source, size: int | None) -> Stored:
    """Seal a source and store it as a new object in quarantine, the holder's segment of that number.

    Returns what the store says of the sealed object (see ``ObjectStore.put``).
    """
    cipher = _cipher(parts, holder)
    if cipher is not None:
        source = cipher.seal(number, source)
        size = None if size is None else parts.cipher.sealed_size(size)
    return store_of(parts, holder.region).put(new_segment_key(holder.id), source, size)


def quarantined(
    parts: Parts, holder: Holder, segment: Segment, offset: int = 0, length: int | None = None
) -> AbstractContextManager[Source]:
    """Open a range of a quarantined segment (see ``ObjectStore.read_quarantined``).

    What is not as it was sealed raises ``ContentLost`` when it is read, before a byte of it is given.
    """
    read = store_of(parts, holder.region).read_quarantined
    return _opened(parts, holder, segment, offset, length, read)


def released(
    parts: Parts, holder: Holder, segment: Segment, offset: int = 0, length: int | None = None
) -> AbstractContextManager[Source]:
    """Open a range of a released segment, as ``quarantined`` does."""
    read = store_of(parts, holder.region).read_released
    return _opened(parts, holder, segment, offset, length, read)


def copy_out(parts: Parts, holder: Holder, segment: Segment) -> None:
    """Copy a segment from quarantine to released, sealed as it is (see ``ObjectStore.release``)."""
    store_of(parts, holder.region).release(as_stored(parts, holder, segment))


def as_stored(parts: Parts, holder: Holder, segment: Segment) -> Stored:
    """Return a segment as the store has it."""
    size = segment.size if holder.content_key is None else parts.cipher.sealed_size(segment.size)
    return Stored(segment.key, size, segment.etag)


def _cipher(parts: Parts, holder: Holder) -> ContentCipher | None:
    if holder.content_key is None:
        return None
    return parts.keyring.of(holder.account_id).content(holder.id, holder.content_key)


@contextmanager
def _opened(
    parts: Parts, holder: Holder, segment: Segment, offset: int, length: int | None, read: _Read
) -> Iterator[Source]:
    cipher = _cipher(parts, holder)
    if cipher is None:
        with read(segment.key, offset, length) as source:
            yield source
        return
    if offset > segment.size or offset == segment.size > 0:
        raise ContentLost(_NO_SUCH_RANGE)
    left = segment.size - offset
    stretch = parts.cipher.stretch(segment.size, offset, left if length is None else min(length, left))
    with read(segment.key, stretch.offset, stretch.length) as sealed:
        yield cipher.open(segment.number, stretch, sealed)


def bring_back(parts: Parts, holder: Holder, segment: Segment) -> Segment:
    """Copy a released segment back to quarantine, sealed as it is (see ``ObjectStore.recall``), and return it
    as it lies there, read once more. Raises ``ContentLost`` if it is not what was scanned.
    """
    back = replace(segment, etag=store_of(parts, holder.region).recall(segment.key).etag)
    digest = hashlib.sha256()
    with quarantined(parts, holder, back) as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != segment.sha256:
        raise ContentLost("the released content is not what was scanned")
    return back
