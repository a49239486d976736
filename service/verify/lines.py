"""A log's export, one line a leaf, checked against checkpoints of it in one pass and constant memory."""

from collections.abc import Iterable, Iterator, Sequence

from service.verify.checkpoint import Checkpoint
from service.verify.invalid import Invalid
from service.verify.merkle import Frontier, leaf_hash


class Walk:
    """A way through a log from its first line on, past checkpoints of it: smallest first, as they come."""

    def __init__(self, checkpoints: Iterator[Checkpoint]) -> None:
        """Pass those over nothing. Raises ``Invalid`` as ``take`` does."""
        self._frontier = Frontier()
        self._ahead = checkpoints
        self._due = next(checkpoints, None)
        self._pass()

    @property
    def size(self) -> int:
        """How many lines were taken."""
        return self._frontier.size

    def take(self, line: bytes) -> None:
        """Take the next line, without its newline. Raises ``Invalid`` for a checkpoint that does not fit."""
        self._frontier.append(leaf_hash(line))
        if self._due and self._due.size <= self._frontier.size:
            self._pass()

    def finish(self) -> None:
        """Raise ``Invalid`` if a checkpoint was not passed."""
        if self._due:
            raise Invalid(f"the log ends after {self.size} lines; a checkpoint is over {self._due.size}")

    def _pass(self) -> None:
        root = self._frontier.root() if self._due else b""
        while self._due and self._due.size <= self.size:
            if self._due.size < self.size:
                raise Invalid("the checkpoints are not in the order of their sizes")
            if self._due.root != root:
                raise Invalid(f"the first {self.size} lines are not those that were signed")
            self._due = next(self._ahead, None)


def check_lines(untrusted_lines: Iterable[bytes], checkpoints: Sequence[Checkpoint]) -> int:
    """Return how many lines were read, once each checkpoint is proved to be over the first of them.

    Lines end with a newline, which is no part of the leaf; the last one's too, so that half a line is seen.
    Raises ``Invalid`` naming the first checkpoint that does not fit, and when the lines end before it.
    """
    walk = Walk(iter(sorted(checkpoints, key=lambda one: one.size)))
    for line in untrusted_lines:
        walk.take(whole(line, walk.size))
    walk.finish()
    return walk.size


def whole(line: bytes, position: int) -> bytes:
    """Return a line without its newline. Raises ``Invalid`` if it has none."""
    if not line.endswith(b"\n"):
        raise Invalid(f"line {position} is cut off")
    return line[:-1]
