"""``Range`` (RFC 9110, 14): one stretch of bytes, clear in every case, or all of them."""

import pytest

from service.core.errors import RangeNotSatisfiable
from service.core.span import Span, asked_span


@pytest.mark.parametrize(
    ("asked", "size", "span"),
    [
        ("bytes=0-0", 10, Span(0, 0)),
        ("bytes=0-9", 10, Span(0, 9)),
        ("bytes=3-5", 10, Span(3, 5)),
        ("bytes=3-", 10, Span(3, 9)),
        ("bytes=9-", 10, Span(9, 9)),
        ("bytes=0-", 1, Span(0, 0)),
        ("bytes=3-99", 10, Span(3, 9)),
        ("bytes=3-" + "9" * 99, 10, Span(3, 9)),
        ("bytes=-1", 10, Span(9, 9)),
        ("bytes=-10", 10, Span(0, 9)),
        ("bytes=-99", 10, Span(0, 9)),
        ("Bytes=003-0005", 10, Span(3, 5)),
        ("bytes= 3-5\t", 10, Span(3, 5)),
        ("bytes=5-3", 10, None),
        ("bytes=20-15", 10, None),
        ("bytes=0-1,3-4", 10, None),
        ("bytes=3", 10, None),
        ("bytes=-", 10, None),
        ("bytes=", 10, None),
        ("bytes", 10, None),
        ("", 10, None),
        ("3-5", 10, None),
        ("rows=3-5", 10, None),
        ("bytes=3 - 5", 10, None),
        ("bytes=+3-5", 10, None),
        ("bytes=0x3-5", 10, None),
        ("bytes=\u0663-5", 10, None),
        ("bytes=3-5\n", 10, None),
        ("bytes=" + "9" * 4000 + "-", 10, None),
        ("bytes=-5", 0, None),
    ],
)
def test_a_range_is_clear_or_it_is_everything(asked: str, size: int, span: Span | None) -> None:
    """Never more than there is, never something in between."""
    assert asked_span(asked, size) == span


@pytest.mark.parametrize(
    ("asked", "size"),
    [("bytes=10-", 10), ("bytes=10-20", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=0-0", 0)],
)
def test_what_is_not_there_is_said_to_be_not_there(asked: str, size: int) -> None:
    """With the size, so that whoever asks knows better the next time."""
    with pytest.raises(RangeNotSatisfiable) as raised:
        asked_span(asked, size)
    assert raised.value.size == size


@pytest.mark.parametrize(
    ("span", "parts"),
    [
        (Span(0, 29), [(0, 10), (0, 10), (0, 10)]),
        (Span(5, 5), [(5, 1), (0, 0), (0, 0)]),
        (Span(9, 10), [(9, 1), (0, 1), (0, 0)]),
        (Span(12, 25), [(0, 0), (2, 8), (0, 6)]),
        (Span(20, 29), [(0, 0), (0, 0), (0, 10)]),
    ],
)
def test_the_parts_of_a_stretch_are_the_stretch(span: Span, parts: list[tuple[int, int]]) -> None:
    """Over segments of ten bytes."""
    found = [span.within(start, 10) for start in (0, 10, 20)]
    assert [(offset if length else 0, length) for offset, length in found] == parts
    assert sum(length for _, length in found) == span.size
