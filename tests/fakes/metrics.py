"""Metrics that are kept to be looked at."""

from collections import defaultdict

from service.core.measures import Measure


class FakeMetrics:
    """``ports.Metrics`` in memory: ``numbers`` by name and labels, of a histogram its count."""

    def __init__(self) -> None:
        self.numbers: defaultdict[tuple[str, ...], float] = defaultdict(float)
        self.seconds: dict[tuple[str, ...], list[float]] = {}

    def count(self, measure: Measure, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        if len(labels) == len(measure.labels):
            self.numbers[measure.name, *labels] += by

    def time(self, measure: Measure, seconds: float, *labels: str) -> None:
        """Keep a duration."""
        if len(labels) == len(measure.labels):
            self.seconds.setdefault((measure.name, *labels), []).append(seconds)
            self.numbers[measure.name, *labels] += 1

    def note(self, measure: Measure, value: float) -> None:
        """Replace a value."""
        self.numbers[measure.name,] = value
