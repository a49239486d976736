"""The tree in tiles against the definition in RFC 6962, and its proofs against the checks of an auditor."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import tree
from service.core.errors import LogDamaged
from service.core.tree import WIDTH, TileId
from service.verify.invalid import Invalid
from service.verify.merkle import EMPTY_ROOT, check_consistency, check_inclusion, leaf_hash, node_hash

LARGEST: Final = WIDTH * WIDTH + 2 * WIDTH + 3
LEAVES: Final = [leaf_hash(str(number).encode()) for number in range(LARGEST)]
#: Sizes at which tiles and levels begin and end.
EDGES: Final = (1, 2, 255, 256, 257, 511, 512, 513, 1000, WIDTH * WIDTH, WIDTH * WIDTH + 1, LARGEST)


@cache
def root_by_definition(first: int, last: int) -> bytes:
    """Return MTH(D[first:last]) as RFC 6962, 2.1, defines it."""
    if last - first < 2:
        return LEAVES[first] if last > first else EMPTY_ROOT
    half = 1
    while half * 2 < last - first:
        half *= 2
    return node_hash(root_by_definition(first, first + half), root_by_definition(first + half, last))


class Tiles:
    """Tiles in memory; ``asked`` are those that were read."""

    def __init__(self) -> None:
        self.kept: dict[TileId, bytes] = {}
        self.asked: set[TileId] = set()
        self.size = 0

    def __call__(self, level: int, number: int) -> bytes:
        """Return a tile."""
        self.asked.add((level, number))
        return self.kept.get((level, number), b"")

    def grow(self, leaves: Sequence[bytes]) -> None:
        """Let the tree grow."""
        self.kept |= tree.grow(self.size, leaves, self)
        self.size += len(leaves)


def grown(*steps: int) -> Tiles:
    """Return the tiles of a tree that grew to each of these sizes in turn."""
    tiles = Tiles()
    for size in steps:
        tiles.grow(LEAVES[tiles.size : size])
    return tiles


FULL: Final = grown(LARGEST)


@pytest.mark.parametrize("size", [0, *EDGES])
def test_the_root_in_tiles_is_that_of_the_definition(size: int) -> None:
    """For the tree as it was at any size, read from the tiles of a larger one."""
    assert tree.root(size, FULL) == root_by_definition(0, size)


@given(st.lists(st.integers(0, 1500), max_size=6))
@settings(max_examples=25, deadline=None)
def test_the_tiles_do_not_tell_in_which_steps_the_tree_grew(steps: list[int]) -> None:
    """One line at a time or thousands: the same tiles."""
    assert grown(*sorted(steps), 1500).kept == grown(1500).kept


@pytest.mark.parametrize("size", EDGES)
def test_a_line_is_proved_at_its_place_and_at_no_other(size: int) -> None:
    """The proof for a leaf is good for it alone, there alone, and with every hash of it as it is."""
    for index in {0, 1, 254, 255, 256, 257, size // 2, size - 2, size - 1}:
        if not 0 <= index < size:
            continue
        proof, root = tree.inclusion(index, size, FULL), tree.root(size, FULL)
        check_inclusion(index, size, LEAVES[index], proof, root)
        for wrong in spoiled(proof):
            with pytest.raises(Invalid):
                check_inclusion(index, size, LEAVES[index], wrong, root)
        for elsewhere in {index - 1, index + 1, 0, size - 1} - {index}:
            with pytest.raises(Invalid):
                check_inclusion(elsewhere, size, LEAVES[index], proof, root)
        with pytest.raises(Invalid):
            check_inclusion(index, size, leaf_hash(b"another"), proof, root)


@pytest.mark.parametrize("size", EDGES)
def test_a_tree_is_proved_to_go_on_from_those_before_and_from_no_other(size: int) -> None:
    """The proof holds for the two roots it was made for, with every hash of it as it is."""
    root, other = tree.root(size, FULL), leaf_hash(b"another")
    for old in {1, 2, 3, 255, 256, 257, size // 2, size - 1, size}:
        if not 0 < old <= size:
            continue
        proof, old_root = tree.consistency(old, size, FULL), tree.root(old, FULL)
        check_consistency(old, old_root, size, root, proof)
        for wrong in spoiled(proof):
            with pytest.raises(Invalid):
                check_consistency(old, old_root, size, root, wrong)
        for roots in ((other, root), (old_root, other)):
            with pytest.raises(Invalid):
                check_consistency(old, roots[0], size, roots[1], proof)


def test_all_proofs_of_a_small_tree_hold() -> None:
    """Every leaf and every earlier size of every tree of up to 40."""
    for size in range(1, 41):
        root = tree.root(size, FULL)
        for index in range(size):
            check_inclusion(index, size, LEAVES[index], tree.inclusion(index, size, FULL), root)
            old = tree.root(index, FULL)
            check_consistency(index, old, size, root, tree.consistency(index, size, FULL))


def spoiled(proof: list[bytes]) -> list[list[bytes]]:
    """Return proofs that are like ``proof`` but for one hash."""
    other = leaf_hash(b"spoiled")
    changed = [[*proof[:at], other, *proof[at + 1 :]] for at in range(len(proof))]
    return [*changed, proof[:-1] if proof else [other], [*proof, other], [other, *proof]]


def test_a_proof_reads_few_tiles() -> None:
    """A proof in a large tree costs a handful of reads, not the log."""
    FULL.asked.clear()
    tree.inclusion(777, LARGEST, FULL)
    assert len(FULL.asked) <= 6


def test_a_tile_that_is_too_short_is_never_guessed_at() -> None:
    """Growth, roots and proofs stop with ``LogDamaged`` where hashes are missing."""
    tiles = grown(300)
    tiles.kept[0, 1] = tiles.kept[0, 1][:-32]
    with pytest.raises(LogDamaged):
        tiles.grow(LEAVES[300:301])
    with pytest.raises(LogDamaged):
        tree.root(300, tiles)
    with pytest.raises(LogDamaged):
        tree.inclusion(3, 300, tiles)
