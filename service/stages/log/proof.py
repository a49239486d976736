"""Proof: what is proved of a line in its place, here and now."""

from enum import StrEnum

from service.core import tree
from service.core.errors import LogDamaged
from service.core.journal import Placed
from service.core.tree import Tiles
from service.verify.checkpoint import Checkpoint
from service.verify.invalid import Invalid
from service.verify.merkle import check_inclusion, leaf_hash


class Proof(StrEnum):
    """What is proved of a line."""

    #: It stands in the tree whose root was signed.
    PROVED = "proved"
    #: It has its place, and the next checkpoint will be over it.
    UNSIGNED = "unsigned"
    #: It has no place yet.
    WAITING = "waiting"
    #: It should stand in the tree, and does not.
    FAILED = "failed"


def prove(line: Placed, signed: Checkpoint | None, tiles: Tiles) -> tuple[Proof, str | None]:
    """Return what is proved of the text of ``line`` under a checkpoint whose signature was checked, and what
    is wrong with it, in a sentence, if it failed.
    """
    if signed is None or line.position >= signed.size:
        return Proof.UNSIGNED, None
    try:
        steps = tree.inclusion(line.position, signed.size, tiles)
        check_inclusion(line.position, signed.size, leaf_hash(line.text.encode()), steps, signed.root)
    except (Invalid, LogDamaged) as error:
        return Proof.FAILED, f"It is not what was signed: {str(error).rstrip('.')}."
    return Proof.PROVED, None
