import io
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import ContentLost
from service.ports import ObjectStore
from service.stages.sniff import OverBudget, StoredContent
from tests.core.tiny_store import ShortStore, TinyStore, ranges, stored

MIB = 1024 * 1024


def viewed(
    data: bytes, cuts: Sequence[int] = (), head: int = 0, tail: int = 0
) -> tuple[StoredContent, TinyStore]:
    """Return a view of ``data`` that knows its first ``head`` and last ``tail`` bytes, and its store."""
    store, segments = stored(data, cuts)
    ends = (data[:head], data[len(data) - min(tail, len(data)) :])
    return StoredContent(ranges(cast("ObjectStore", store)), segments, *ends), store


contents = st.integers(0, 3000).map(lambda size: bytes(n * 7 % 251 for n in range(size)))


places = st.tuples(st.sampled_from([io.SEEK_SET, io.SEEK_CUR, io.SEEK_END]), st.integers(-4000, 4000))


moves = st.lists(st.tuples(places, st.integers(0, 1500)), max_size=12)


@given(
    contents, st.lists(st.integers(0, 3000), max_size=5), st.integers(0, 3100), st.integers(0, 3100), moves
)
def test_a_view_reads_as_the_bytes_do(
    data: bytes, cuts: list[int], head: int, tail: int, steps: list[tuple[tuple[int, int], int]]
) -> None:
    """However the content is cut into segments and whatever of its ends is at hand, every seek and read
    answers as for the bytes in one piece."""
    content, _ = viewed(data, [cut for cut in cuts if cut < len(data)], head, tail)
    plain = io.BytesIO(data)
    for (whence, offset), length in steps:
        if {0: 0, 1: plain.tell(), 2: len(data)}[whence] + offset < 0:
            with pytest.raises(ValueError, match="negative"):
                content.seek(offset, whence)
        else:
            assert content.seek(offset, whence) == plain.seek(offset, whence)
        assert content.read(length) == plain.read(length)
        assert content.tell() == plain.tell()


@given(contents, st.lists(st.integers(0, 3000), max_size=5), st.integers(1, 100), moves)
def test_a_buffered_view_too(
    data: bytes, cuts: list[int], buffer: int, steps: list[tuple[tuple[int, int], int]]
) -> None:
    """The same through a buffer, as the package reader has it."""
    raw, _ = viewed(data, [cut for cut in cuts if cut < len(data)], 100, 100)
    content, plain = io.BufferedReader(raw, buffer), io.BytesIO(data)
    for (whence, offset), length in steps:
        if {0: 0, 1: plain.tell(), 2: len(data)}[whence] + offset >= 0:
            assert content.seek(offset, whence) == plain.seek(offset, whence)
            assert content.read(length) == plain.read(length)


def test_the_ends_cost_no_read_from_the_store() -> None:
    """What lies in the two ends at hand is not fetched, and what was fetched is not fetched again."""
    data = bytes(range(250)) * 4
    content, store = viewed(data, [300, 600], head=100, tail=100)
    content.seek(40)
    assert content.read(60) == data[40:100]
    content.seek(-100, io.SEEK_END)
    assert content.read() == data[-100:]
    assert store.ranges == []
    content.seek(99)
    assert content.read(2) == data[99:101]
    assert store.ranges == [("k0", 100, 200)]
    content.seek(250)
    assert content.read(400) == data[250:650]
    assert store.ranges[1:] == [("k1", 0, 300), ("k2", 0, 400)]


def test_reading_on_fetches_much_and_jumping_little() -> None:
    """From front to back, small gaps left out, 2 MiB at a time; after a jump no more than 64 KiB."""
    data = bytes(7 * MIB)
    content, store = viewed(data, [5 * MIB])
    while content.read(1000):
        content.seek(5000, io.SEEK_CUR)
    assert [round(length / MIB, 1) for _, _, length in store.ranges] == [2, 2, 1, 2]
    store.ranges.clear()
    for place in (MIB, 6 * MIB, 0):
        content.seek(place)
        assert content.read(10) == bytes(10)
    assert [length for _, _, length in store.ranges] == [64 * 1024] * 3


def test_a_view_can_be_read_and_sought() -> None:
    """A view says what it can do, and an empty content has nothing in it."""
    content, _ = viewed(b"")
    assert content.readable()
    assert content.seekable()
    assert not content.writable()
    assert content.read() == b""


def test_reading_has_a_budget() -> None:
    """The whole may be read twice and 128 jumps made; a content that leads to and fro without end is not
    followed."""
    content, store = viewed(bytes(8 * MIB))
    for _ in range(2):
        content.seek(0)
        assert len(content.read()) == 8 * MIB
    places = itertools.cycle([7 * MIB, 0])
    read_everywhere(content, itertools.islice(places, 120))
    with pytest.raises(OverBudget):
        read_everywhere(content, itertools.islice(places, 10))
    assert sum(length for _, _, length in store.ranges) < 30 * MIB


def read_everywhere(content: StoredContent, places: Iterable[int]) -> None:
    """Read a byte at each place."""
    for place in places:
        content.seek(place)
        assert content.read(1) == b"\0"


@pytest.mark.parametrize("missing", [1, 500])
def test_a_store_that_gives_fewer_bytes_has_lost_the_content(missing: int) -> None:
    """A segment that is shorter in the store than in the ledger is an error of the store."""
    data = bytes(1000)
    store, segments = stored(data)
    longer = [replace(segments[0], size=1000 + missing)]
    content = StoredContent(ranges(cast("ObjectStore", ShortStore(store))), longer)
    with pytest.raises(ContentLost):
        content.read()
