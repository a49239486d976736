"""Structured text for operators and the security team."""

from collections.abc import Mapping
from typing import Any, Protocol


class EventLog(Protocol):
    """Where log lines also go out as structured text, after they are durable."""

    def emit(self, event: str, fields: Mapping[str, Any]) -> None:
        """Write one line. Never raises."""

    def failure(self, event: str, error: BaseException, fields: Mapping[str, Any]) -> None:
        """Write one line about an error, for the operator. Never raises."""

    def bind(self, **fields: str) -> None:
        """Put ``fields``, and no others, on every further line of this thread."""
