"""``ports.Traces``: the fake and OpenTelemetry."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.adapters.otel_traces import OtelTraces
from service.core.traceparent import read_traceparent
from service.ports import Side, Traces
from tests.contract.conftest import NOON
from tests.fakes.traces import FakeTraces

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOT_KEPT = PARENT[:-1] + "0"


@dataclass(frozen=True)
class Kept:
    """A span as it was kept; ids in hex."""

    name: str
    trace: str
    parent: str | None
    notes: dict[str, object]
    failed: bool


@dataclass
class Case:
    """Traces and what they kept."""

    traces: Traces
    kept: Callable[[], list[Kept]]


def _fake() -> Case:
    traces = FakeTraces()

    def kept() -> list[Kept]:
        return [
            Kept(
                one.name,
                f"{one.place.trace_id:032x}",
                one.parent.split("-")[2] if one.parent else None,
                dict(one.notes),
                one.failed,
            )
            for one in traces.spans
        ]

    return Case(traces, kept)


def _otel() -> Case:
    exporter = InMemorySpanExporter()
    traces = OtelTraces(exporter)

    def kept() -> list[Kept]:
        traces._provider.force_flush()
        return [
            Kept(
                one.name,
                f"{one.context.trace_id:032x}",
                f"{one.parent.span_id:016x}" if one.parent else None,
                dict(one.attributes or {}),
                not one.status.is_unset,
            )
            for one in exporter.get_finished_spans()
        ]

    return Case(traces, kept)


@pytest.fixture(params=[_fake, _otel], ids=["fake", "opentelemetry"])
def case(request: pytest.FixtureRequest) -> Case:
    """Each in turn."""
    made: Case = request.param()
    return made


def test_a_span_belongs_to_the_trace_that_it_was_asked_for_in(case: Case) -> None:
    """It is a child of who asked, and what is asked for on its behalf is a child of it."""
    with case.traces.span("outer", PARENT, Side.SERVER, {"a": 1}) as outer:
        assert case.traces.current() == outer.traceparent
        with case.traces.span("inner", outer.traceparent, Side.CLIENT, {}) as inner:
            inner.note("b", "two")
            assert case.traces.current() == inner.traceparent
        assert case.traces.current() == outer.traceparent
    assert case.traces.current() is None
    _, trace, span, _ = PARENT.split("-")
    first, second = case.kept()
    assert (second.name, second.trace, second.parent, second.notes) == ("outer", trace, span, {"a": 1})
    assert (first.name, first.trace, first.notes) == ("inner", trace, {"b": "two"})
    assert first.parent == outer.traceparent.split("-")[2]


@pytest.mark.parametrize(
    "parent", [None, "odd", PARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32)]
)
def test_without_a_trace_one_begins(case: Case, parent: str | None) -> None:
    """With a parent of none, and a traceparent that others can read."""
    with case.traces.span("first", parent, Side.SERVER, {}) as span:
        assert read_traceparent(span.traceparent)
    (kept,) = case.kept()
    assert kept.parent is None


def test_what_its_sender_does_not_keep_is_not_kept(case: Case) -> None:
    """The trace is carried on all the same, and nobody behind is told to keep it."""
    with case.traces.span("first", NOT_KEPT, Side.SERVER, {}) as span:
        assert span.traceparent.split("-")[1] == PARENT.split("-")[1]
        assert span.traceparent.endswith("-00")
    case.traces.past("second", NOT_KEPT, NOON, NOON, {})
    assert case.kept() == []


def test_what_is_raised_marks_the_span_and_is_not_told(case: Case) -> None:
    """An error may name what must not go to others."""
    with pytest.raises(OSError, match="secret"), case.traces.span("fails", PARENT, Side.CLIENT, {}):
        raise OSError("secret")
    (kept,) = case.kept()
    assert kept.failed
    assert "secret" not in repr(kept)


def test_what_was_done_is_told_with_its_times(case: Case) -> None:
    """Also what failed."""
    for failed in (False, True):
        case.traces.past("past", PARENT, NOON, NOON + timedelta(seconds=2), {"n": 1}, failed=failed)
    kept = case.kept()
    assert [(one.parent, one.notes, one.failed) for one in kept] == [
        (PARENT.split("-")[2], {"n": 1}, False),
        (PARENT.split("-")[2], {"n": 1}, True),
    ]


def test_times_are_exact() -> None:
    """In nanoseconds since 1970, and never what the clock says later."""
    exporter = InMemorySpanExporter()
    traces = OtelTraces(exporter)
    traces.past("past", PARENT, NOON, NOON + timedelta(seconds=2), {})
    traces._provider.force_flush()
    (span,) = exporter.get_finished_spans()
    assert span.start_time is not None
    assert span.end_time is not None
    assert abs(span.start_time - NOON.timestamp() * 1e9) < 1000
    assert abs(span.end_time - span.start_time - 2e9) < 1000
