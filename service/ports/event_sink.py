"""Where the log is told to: the security team's systems."""

from collections.abc import Sequence
from typing import Protocol

from service.core.siem import Telling


class EventSink(Protocol):
    """Takes the log's lines, in the form that was chosen. Used by one thread at a time."""

    def write(self, tellings: Sequence[Telling]) -> None:
        """Hand lines over in their order, each whole; they are there when the call returned.

        Raises ``SinkUnavailable`` if that is not certain. Some of the lines may be there then, and are given
        once more. Returns within seconds, whatever becomes of the other side.
        """
