"""``traceparent`` as W3C Trace Context, 3.2 has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.traceparent import LENGTH, TraceParent, read_traceparent

GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_what_was_read_is_written_as_it_was() -> None:
    """With and without the flag that says that it is kept; other flags are not handed on."""
    for text in (GOOD, GOOD[:-2] + "00"):
        read = read_traceparent(text)
        assert read
        assert (str(read), len(str(read)), read.sampled) == (text, LENGTH, text.endswith("1"))
    assert str(read_traceparent(GOOD[:-2] + "03")) == GOOD


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    """And handed on as the version that is spoken here."""
    assert str(read_traceparent("cc" + GOOD[2:])) == GOOD
    assert str(read_traceparent("cc" + GOOD[2:] + "-what-comes")) == GOOD


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "",
        "ff" + GOOD[2:],
        GOOD + "-more",
        GOOD.upper(),
        GOOD + "\n",
        "cc" + GOOD[2:] + "more",
        GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
        GOOD.replace("00f067aa0ba902b7", "0" * 16),
        GOOD.replace("-", "_"),
        GOOD[1:],
        GOOD.replace("4", "\u0664"),
    ],
)
def test_an_odd_one_is_none(odd: str | None) -> None:
    """Whoever sent it gets a new trace."""
    assert read_traceparent(odd) is None


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans())
def test_every_place_has_its_text(trace_id: int, span_id: int, sampled: bool) -> None:  # noqa: FBT001
    """Written and read it is the same."""
    place = TraceParent(trace_id, span_id, sampled)
    assert read_traceparent(str(place)) == place
