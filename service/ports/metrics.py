"""Counting what happens, for those who run the service."""

from typing import Protocol

from service.core.measures import Measure


class Metrics(Protocol):
    """Keeps the numbers of ``service.core.measures``. Safe for many threads.

    Every call takes microseconds and never raises: what is measured must not fail for its measuring. What
    was counted outlives the process that counted it.
    """

    def count(self, measure: Measure, *labels: str, by: float = 1) -> None:
        """Add ``by`` to a counter."""

    def time(self, measure: Measure, seconds: float, *labels: str) -> None:
        """Note one duration in a histogram."""

    def note(self, measure: Measure, value: float) -> None:
        """Put ``value`` in place of what any process noted before."""
