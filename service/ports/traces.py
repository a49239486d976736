"""What happened to an upload, and when, for those who follow a request through many services."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from enum import StrEnum
from typing import Protocol

#: What a span says of itself. No personal data: traces go to others.
Notes = Mapping[str, str | int | float]


class Side(StrEnum):
    """Which end of a call a span is."""

    SERVER = "server"
    CLIENT = "client"


class Span(Protocol):
    """Something that is just being done."""

    @property
    def traceparent(self) -> str:
        """What those who are asked for a part of it are told (see ``service.core.traceparent``)."""

    def note(self, name: str, value: str | float) -> None:
        """Say something more of it."""


class Traces(Protocol):
    """Takes spans. Safe for many threads. What is away loses spans and holds up nobody; nothing is raised.

    ``parent`` is a traceparent. Where it is ``None`` or odd a trace begins; where its sender does not keep
    the trace, nothing is kept here.
    """

    def current(self) -> str | None:
        """Return the traceparent of the span that this thread is in."""

    def span(self, name: str, parent: str | None, side: Side, notes: Notes) -> AbstractContextManager[Span]:
        """Time what is done within; this thread is in it meanwhile. What is raised marks it failed."""

    def past(
        self, name: str, parent: str, begun: datetime, ended: datetime, notes: Notes, *, failed: bool = False
    ) -> None:
        """Take something that was done."""
