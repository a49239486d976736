"""``ports.Traces`` on OpenTelemetry, sent by OTLP over HTTP. Imported only where something is traced."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from service.core.traceparent import TraceParent, read_traceparent
from service.ports import Notes, Side

_KINDS: Final = {Side.SERVER: SpanKind.SERVER, Side.CLIENT: SpanKind.CLIENT}
_NANOSECONDS: Final = 1_000_000_000
#: Seconds that the collector gets for a batch.
_PATIENCE: Final = 5


class OtelTraces:
    """Gathers spans and hands them to an exporter in a thread of its own; what does not fit is let go."""

    def __init__(self, exporter: SpanExporter) -> None:
        """Send by ``exporter``."""
        self._provider = TracerProvider(resource=Resource.create({"service.name": "greenroom"}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("greenroom")

    def current(self) -> str | None:
        """Return where this thread is."""
        here = trace.get_current_span().get_span_context()
        return _traceparent(here) if here.is_valid else None

    @contextmanager
    def span(self, name: str, parent: str | None, side: Side, notes: Notes) -> Iterator["_Span"]:
        """Take the time of what is done within."""
        with self._tracer.start_as_current_span(
            name,
            _context(parent),
            kind=_KINDS[side],
            attributes=notes,
            # What an error says may name a file.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield _Span(span)
            except BaseException:
                span.set_status(Status(StatusCode.ERROR))
                raise

    def past(
        self, name: str, parent: str, begun: datetime, ended: datetime, notes: Notes, *, failed: bool = False
    ) -> None:
        """Take something that was done."""
        span = self._tracer.start_span(
            name, _context(parent), attributes=notes, start_time=_nanoseconds(begun)
        )
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(_nanoseconds(ended))


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        return _traceparent(self._span.get_span_context())

    def note(self, name: str, value: str | float) -> None:
        self._span.set_attribute(name, value)


def otlp(collector: str) -> OtelTraces:
    """Return traces that go to a collector, by the URL that its OTLP over HTTP begins with."""
    return OtelTraces(OTLPSpanExporter(f"{collector}/v1/traces", timeout=_PATIENCE))


def _context(parent: str | None) -> Context:
    read = read_traceparent(parent)
    if read is None:
        return Context()
    flags = TraceFlags(TraceFlags.SAMPLED if read.sampled else TraceFlags.DEFAULT)
    there = SpanContext(read.trace_id, read.span_id, is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(NonRecordingSpan(there), Context())


def _traceparent(context: SpanContext) -> str:
    return str(TraceParent(context.trace_id, context.span_id, context.trace_flags.sampled))


def _nanoseconds(at: datetime) -> int:
    return round(at.timestamp() * _NANOSECONDS)
