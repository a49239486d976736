"""Checkpoints (c2sp.org/tlog-checkpoint): what a log commits to with its signature, read strictly."""

import re
from dataclasses import dataclass
from typing import Final

from service.verify.invalid import Invalid
from service.verify.merkle import HASH_SIZE
from service.verify.note import Note, decode, encode

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's name (``origin``), its number of lines and its root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return what is signed."""
        return f"{self.origin}\n{self.size}\n{encode(self.root)}\n"


def read_checkpoint(note: Note) -> Checkpoint:
    """Return what a note says, whether its signatures were checked or not.

    Raises ``Invalid`` if it is no checkpoint. Extension lines are refused: no log of ours writes them.
    """
    lines = note.text.removesuffix("\n").split("\n")
    if len(lines) != _LINES or not lines[0]:
        raise Invalid("the checkpoint is not a name, a size and a root")
    origin, size, root = lines
    if not _SIZE.fullmatch(size):
        raise Invalid("the checkpoint's size is not a number")
    raw = decode(root, "the checkpoint's root")
    if len(raw) != HASH_SIZE:
        raise Invalid("the checkpoint's root is not a SHA-256")
    return Checkpoint(origin, int(size), raw)
