"""``ports.Witness`` in a file that is only ever appended to.

It is as good as the file's place: on Linux ``chattr +a`` lets nobody but root take anything back, and a file
on another machine, which takes appends alone, not even root of this one.
"""

import hashlib
import os
import re
from pathlib import Path
from typing import Final

from service.core.errors import WitnessUnavailable

#: The newest notes of several logs lie within so many bytes of the end.
_TAIL: Final = 256 * 1024


class FileWitness:
    """Notes one after another, each with a blank line before it."""

    def __init__(self, path: Path) -> None:
        """Append to the file at ``path``, which is made if it is not there."""
        self._path = path
        self.name = f"file {hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}"

    def newest(self, origin: str) -> str | None:
        """Return the note over the most lines. A late one may stand after it."""
        try:
            with self._path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
                tail = file.read().decode(errors="replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WitnessUnavailable(f"the file for checkpoints cannot be read: {error.strerror}") from error
        note = rf"^{re.escape(origin)}\n([0-9]{{1,19}})\n[^\n]*\n\n(?:\u2014 [^\n]*\n)+"
        # Of those over as many lines the last: one before it may have been cut off.
        found = max(
            re.finditer(note, tail, re.MULTILINE), key=lambda one: (int(one[1]), one.start()), default=None
        )
        return found[0] if found else None

    def keep(self, origin: str, size: int, note: str) -> None:  # noqa: ARG002 - both stand in the note
        """Append a note, and wait until it is on the disk."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        # The line before it ends, even where an earlier note was cut off by a full disk.
        record = f"\n{note}".encode()
        try:
            with os.fdopen(os.open(self._path, flags, 0o640), "ab", buffering=0) as file:
                # One write: two processes that append at once do not mix their notes.
                whole = file.write(record) == len(record)
                os.fsync(file)
        except OSError as error:
            raise WitnessUnavailable(
                f"the file for checkpoints cannot be written: {error.strerror}"
            ) from error
        if not whole:
            raise WitnessUnavailable("the file for checkpoints did not take a whole note")
