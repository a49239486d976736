"""A store that can do what looking into a package needs, and no more."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from service.core.upload import Segment
from service.ports import ObjectStore, Source
from service.stages.sniff import OpenRange


class TinyStore:
    """The one call of a store that looking into a package needs. Gives ranges in odd pieces; counts them."""

    def __init__(self, objects: dict[str, bytes], error: Exception | None = None) -> None:
        """Hold ``objects``; raise ``error``, if any, instead of opening a range."""
        self._objects = objects
        self._error = error
        self.ranges: list[tuple[str, int, int]] = []

    @contextmanager
    def read_quarantined(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[Source]:
        """Open a range."""
        if self._error is not None:
            raise self._error
        assert length is not None
        assert 0 < length <= len(self._objects[key]) - offset
        self.ranges.append((key, offset, length))
        yield OddPieces(self._objects[key][offset : offset + length])


class ShortStore(TinyStore):
    """The same, where the objects are shorter than the ledger says."""

    def __init__(self, store: TinyStore) -> None:
        """Hold the objects of ``store``."""
        super().__init__(store._objects)

    @contextmanager
    def read_quarantined(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[Source]:
        """Open a range as far as it is there."""
        assert length is not None
        yield OddPieces(self._objects[key][offset : offset + length])


def ranges(store: ObjectStore) -> OpenRange:
    """Return what opens ranges of a store's quarantined segments as they are."""
    return lambda segment, offset, length: store.read_quarantined(segment.key, offset, length)


class OddPieces:
    """Bytes that come in pieces of at most 1000."""

    def __init__(self, data: bytes) -> None:
        """Give ``data``."""
        self._data = io.BytesIO(data)

    def read(self, size: int, /) -> bytes:
        """Return the next piece."""
        return self._data.read(min(size, 1000))


def stored(
    data: bytes, cuts: Sequence[int] = (), error: Exception | None = None
) -> tuple[TinyStore, list[Segment]]:
    """Return a store with ``data`` in segments that end at ``cuts``, and those segments."""
    ends = [*sorted(cuts), len(data)]
    pieces = [data[start:end] for start, end in zip([0, *ends], ends, strict=False) if end > start]
    segments = [Segment(n, f"k{n}", len(piece), "", "") for n, piece in enumerate(pieces)]
    return TinyStore({f"k{n}": piece for n, piece in enumerate(pieces)}, error), segments
