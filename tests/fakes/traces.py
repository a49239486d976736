"""Traces in a list."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from service.core.traceparent import TraceParent, read_traceparent
from service.ports import Notes, Side


@dataclass
class FakeSpan:
    """A span: what it says of itself and where it belongs."""

    name: str
    place: TraceParent
    parent: str | None
    side: Side | None
    notes: dict[str, str | int | float]
    begun: datetime | None = None
    ended: datetime | None = None
    failed: bool = False

    @property
    def traceparent(self) -> str:
        """Return where it is."""
        return str(self.place)

    def note(self, name: str, value: str | float) -> None:
        """Say something more."""
        self.notes[name] = value


@dataclass
class FakeTraces:
    """``ports.Traces`` that keeps what is sampled."""

    spans: list[FakeSpan] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._here = threading.local()
        self._ids = itertools.count(1)

    def current(self) -> str | None:
        """Return where this thread is."""
        within: list[FakeSpan] = getattr(self._here, "within", [])
        return within[-1].traceparent if within else None

    @contextmanager
    def span(self, name: str, parent: str | None, side: Side, notes: Notes) -> Iterator[FakeSpan]:
        """Be in a span."""
        span = self._begin(name, parent, side, notes)
        within = self._here.__dict__.setdefault("within", [])
        within.append(span)
        try:
            yield span
        except BaseException:
            span.failed = True
            raise
        finally:
            within.remove(span)
            self._end(span)

    def past(
        self, name: str, parent: str, begun: datetime, ended: datetime, notes: Notes, *, failed: bool = False
    ) -> None:
        """Keep a span that is over."""
        span = self._begin(name, parent, None, notes)
        span.begun, span.ended, span.failed = begun, ended, failed
        self._end(span)

    def _begin(self, name: str, parent: str | None, side: Side | None, notes: Notes) -> FakeSpan:
        read = read_traceparent(parent)
        number = next(self._ids)
        place = TraceParent(read.trace_id if read else number, number, read.sampled if read else True)
        return FakeSpan(name, place, str(read) if read else None, side, dict(notes))

    def _end(self, span: FakeSpan) -> None:
        if span.place.sampled:
            self.spans.append(span)
