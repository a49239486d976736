"""A sink for the log's events that keeps them."""

from collections.abc import Sequence

from service.core.siem import Telling
from tests.fakes.faults import Faults


class FakeEvents:
    """``ports.EventSink`` in a list."""

    def __init__(self, faults: Faults) -> None:
        """Fail as ``faults`` say."""
        self._faults = faults
        self.told: list[Telling] = []

    def write(self, tellings: Sequence[Telling]) -> None:
        """Keep them."""
        with self._faults.at("events.write"):
            self.told += tellings
