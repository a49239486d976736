"""A log that keeps its lines."""

from collections.abc import Mapping
from typing import Any


class FakeLog:
    """``ports.EventLog`` in a list of (event, fields); ``failures`` are those about errors."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []
        self.failures: list[tuple[str, BaseException]] = []
        self._bound: dict[str, str] = {}

    def emit(self, event: str, fields: Mapping[str, Any]) -> None:
        """Keep one line."""
        self.lines.append((event, {**self._bound, **fields}))

    def failure(self, event: str, error: BaseException, fields: Mapping[str, Any]) -> None:
        """Keep one line about an error."""
        self.failures.append((event, error))

    def bind(self, **fields: str) -> None:
        """Put ``fields`` on every further line."""
        self._bound = fields
