"""Ranges of bytes, as RFC 9110 (14) has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.byterange import ByteRange, asked_range
from service.core.errors import RangeNotSatisfiable


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-499", 0, 499),
        ("bytes=500-999", 500, 999),
        ("bytes=-500", 500, 999),
        ("bytes=500-", 500, 999),
        ("bytes=0-0", 0, 0),
        ("bytes=-1", 999, 999),
        ("bytes=0-99999", 0, 999),
        ("bytes=-99999", 0, 999),
        ("BYTES=1-2", 1, 2),
        (" bytes= 1-2 ", 1, 2),
        ("bytes=999-1000", 999, 999),
    ],
)
def test_one_range_is_cut_to_what_there_is(asked: str, first: int, last: int) -> None:
    """The examples of 14.1.2 among others, of a content of 1000 bytes."""
    part = asked_range(asked, 1000)
    assert part == ByteRange(first, last, 1000)
    assert (part.length, part.header()) == (last - first + 1, f"bytes {first}-{last}/1000")


@pytest.mark.parametrize(
    "asked",
    [
        *("", "bytes", "bytes=", "bytes=-", "bytes=2-1", "bytes=0-1,2-3", "items=0-1", "bytes=a-b"),
        *("bytes=+1-2", "bytes=1-2;", "bytes=\u0661-", f"bytes={'9' * 19}-"),
    ],
)
def test_what_is_not_understood_gets_the_whole(asked: str) -> None:
    """14.2: a server ignores a range that it does not understand, and several of them here."""
    assert asked_range(asked, 1000) is None


@pytest.mark.parametrize(("asked", "size"), [("bytes=1000-", 1000), ("bytes=-0", 1000), ("bytes=0-", 0)])
def test_a_range_of_nothing_is_refused(asked: str, size: int) -> None:
    """416, with the size that there is."""
    with pytest.raises(RangeNotSatisfiable) as refused:
        asked_range(asked, size)
    assert refused.value.size == size


@given(st.text("bytes=-0123456789, ", max_size=30), st.integers(0, 2000))
def test_any_range_lies_within(asked: str, size: int) -> None:
    """Whatever is asked, what is given lies within the content."""
    try:
        part = asked_range(asked, size)
    except RangeNotSatisfiable:
        return
    assert part is None or 0 <= part.first <= part.last < size


@given(st.integers(0, 60), st.integers(0, 60), st.lists(st.integers(0, 9), max_size=12))
def test_its_parts_over_segments_are_it(one: int, other: int, sizes: list[int]) -> None:
    """Each byte of it lies in just one of them, in order."""
    part = ByteRange(min(one, other), max(one, other), sum(sizes))
    found: list[int] = []
    start = 0
    for size in sizes:
        first, length = part.within(start, size)
        found += range(start + first, start + first + length)
        start += size
    assert found == list(range(part.first, min(part.last + 1, start)))
