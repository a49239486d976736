import io
from collections.abc import Sequence
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.container import PackageTooComplex
from service.ports import ObjectStore
from service.stages.sniff import StoredContent
from tests.core.tiny_store import TinyStore, stored

BUDGET = 16 * 1024 * 1024


def viewed(
    data: bytes, cuts: Sequence[int] = (), head: int = 0, tail: int = 0
) -> tuple[StoredContent, TinyStore]:
    """Return a view of ``data`` that knows its first ``head`` and last ``tail`` bytes, and its store."""
    store, segments = stored(data, cuts)
    ends = (data[:head], data[len(data) - min(tail, len(data)) :])
    return StoredContent(cast("ObjectStore", store), segments, *ends), store


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
    """What lies in the two ends at hand is not fetched; what does not is fetched exactly."""
    data = bytes(range(250)) * 4
    content, store = viewed(data, [300, 600], head=100, tail=100)
    content.seek(40)
    assert content.read(60) == data[40:100]
    content.seek(-100, io.SEEK_END)
    assert content.read() == data[-100:]
    assert store.ranges == []
    content.seek(99)
    assert content.read(2) == data[99:101]
    content.seek(250)
    assert content.read(400) == data[250:650]
    assert store.ranges == [("k0", 99, 2), ("k0", 250, 50), ("k1", 0, 300), ("k2", 0, 50)]


def test_a_view_can_be_read_and_sought() -> None:
    """A view says what it can do, and an empty content has nothing in it."""
    content, _ = viewed(b"")
    assert content.readable()
    assert content.seekable()
    assert not content.writable()
    assert content.read() == b""


def test_reading_has_a_budget() -> None:
    """16 MiB may be asked for in all, from the store or not; a byte more is too much, forward or again."""
    data = bytes(BUDGET // 4 + 1)
    content, _ = viewed(data, head=len(data))
    for _ in range(4):
        content.seek(0)
        assert len(content.read(BUDGET // 4)) == BUDGET // 4
    with pytest.raises(PackageTooComplex):
        content.read(1)
