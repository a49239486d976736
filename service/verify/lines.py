"""A log's export, one line a leaf, checked against checkpoints of it in one pass and constant memory."""

from collections.abc import Iterable, Sequence

from service.verify.checkpoint import Checkpoint
from service.verify.invalid import Invalid
from service.verify.merkle import Frontier, leaf_hash


def check_lines(untrusted_lines: Iterable[bytes], checkpoints: Sequence[Checkpoint]) -> int:
    """Return how many lines were read, once each checkpoint is proved to be over the first of them.

    Lines end with a newline, which is no part of the leaf; the last one's too, so that half a line is seen.
    Raises ``Invalid`` naming the first checkpoint that does not fit, and when the lines end before it.
    """
    frontier = Frontier()
    due = sorted(checkpoints, key=lambda one: one.size)
    due = _pass(frontier, due)
    for line in untrusted_lines:
        if not line.endswith(b"\n"):
            raise Invalid(f"line {frontier.size} is cut off")
        frontier.append(leaf_hash(line[:-1]))
        if due and due[0].size == frontier.size:
            due = _pass(frontier, due)
    if due:
        raise Invalid(f"the log ends after {frontier.size} lines; a checkpoint is over {due[0].size}")
    return frontier.size


def _pass(frontier: Frontier, due: list[Checkpoint]) -> list[Checkpoint]:
    """Check the checkpoints over what was read so far, and return the others."""
    here = [one for one in due if one.size == frontier.size]
    if here:
        root = frontier.root()
        if any(one.root != root for one in here):
            raise Invalid(f"the first {frontier.size} lines are not those that were signed")
    return due[len(here) :]
