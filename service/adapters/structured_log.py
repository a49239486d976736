"""``ports.EventLog`` on structlog: one JSON object a line, to standard output; the log's lines too."""

import logging
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TextIO

import structlog

from service.core.errors import GreenroomError, SinkUnavailable
from service.core.siem import Telling


class StructuredLog:
    """JSON lines with a UTC time, a level and whatever the request bound (its id)."""

    def __init__(self, level: str) -> None:
        """Write lines of ``level`` and above."""
        self._log = structlog.wrap_logger(
            structlog.PrintLogger(sys.stdout),
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        )

    def emit(self, event: str, fields: Mapping[str, Any]) -> None:
        """Write one line."""
        # A closed pipe or an odd field must not undo the work that the line tells of.
        with suppress(Exception):
            self._log.info(event, **fields)

    def failure(self, event: str, error: BaseException, fields: Mapping[str, Any]) -> None:
        """Write one line about an error, with a traceback where it is not one of the named ones."""
        unexpected = None if isinstance(error, GreenroomError) else error
        with suppress(Exception):
            self._log.error(event, error=str(error), exc_info=unexpected, **fields)

    def bind(self, **fields: str) -> None:
        """Put ``fields`` on every further line of this thread's request."""
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**fields)


class PrintedEvents:
    """``ports.EventSink`` on standard output. The library keeps its lines and these from mixing."""

    def __init__(self, out: TextIO) -> None:
        """Print to ``out``."""
        self._out = structlog.PrintLogger(out)

    def write(self, tellings: Sequence[Telling]) -> None:
        """Print a line for each."""
        try:
            for one in tellings:
                self._out.msg(one.text)
        except (OSError, ValueError) as error:
            raise SinkUnavailable(f"Standard output takes no lines: {error}.") from error
