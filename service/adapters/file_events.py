"""``ports.EventSink`` on a file, and on nothing."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from service.core.errors import SinkUnavailable
from service.core.siem import Telling

_READABLE_BY_GROUP: Final = 0o640


class FileEvents:
    """Appends lines to a file. It is opened for each batch, so it may be moved away whenever one likes."""

    def __init__(self, path: Path) -> None:
        """Write to ``path``, which is made if it is not there; its folder must be."""
        self._path = path

    def write(self, tellings: Sequence[Telling]) -> None:
        """Append a line for each, on the disk when it returns."""
        text = "".join(f"{one.text}\n" for one in tellings)
        try:
            opened = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _READABLE_BY_GROUP)
            with os.fdopen(opened, "a+b") as file:
                # What was cut off by a full disk or a kill stays a line of its own; it comes once more.
                file.write(b"\n" * _cut_off(file) + text.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise SinkUnavailable(f"{self._path} takes no lines: {error.strerror}.") from error


class NoEvents:
    """Takes everything and tells nobody, so that nothing is made up for when somebody is to be told."""

    def write(self, tellings: Sequence[Telling]) -> None:
        """Let it be."""


def _cut_off(file: IO[bytes]) -> bool:
    if file.seek(0, os.SEEK_END) == 0:
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"
