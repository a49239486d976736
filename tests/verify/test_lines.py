from collections.abc import Callable
from typing import Final

import pytest

from service.verify.checkpoint import Checkpoint
from service.verify.invalid import Invalid
from service.verify.lines import check_lines
from service.verify.merkle import EMPTY_ROOT, Frontier, leaf_hash

LINES: Final = [b"line %d\n" % number for number in range(9)]


def checkpoint(size: int) -> Checkpoint:
    """Return the checkpoint over the first lines."""
    frontier = Frontier()
    for line in LINES[:size]:
        frontier.append(leaf_hash(line[:-1]))
    return Checkpoint("log", size, frontier.root())


def test_a_log_fits_every_checkpoint_of_it() -> None:
    """In any order, the empty one too; lines after the last are counted."""
    assert check_lines(LINES, [checkpoint(size) for size in (9, 0, 4, 4, 1)]) == 9
    assert check_lines(LINES, [checkpoint(3)]) == 9
    assert check_lines([], [Checkpoint("log", 0, EMPTY_ROOT)]) == 0


DAMAGE: Final[dict[str, Callable[[list[bytes]], list[bytes]]]] = {
    "one bit": lambda lines: [*lines[:2], bytes([lines[2][0] ^ 1]) + lines[2][1:], *lines[3:]],
    "deleted": lambda lines: lines[:2] + lines[3:],
    "reordered": lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
    "duplicated": lambda lines: [*lines[:3], lines[2], *lines[3:]],
    "truncated": lambda lines: lines[:3],
    "cut off": lambda lines: [*lines[:3], lines[3][:-1]],
    "nothing": lambda _: [],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_below_a_checkpoint_is_found(damage: str) -> None:
    """By the earliest checkpoint over it."""
    with pytest.raises(Invalid):
        check_lines(DAMAGE[damage](LINES), [checkpoint(4), checkpoint(9)])
