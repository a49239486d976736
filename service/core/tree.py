"""The log's tree, kept in tiles of 256 hashes (c2sp.org/tlog-tiles): how it grows, its roots and proofs.

The tile (0, n) holds the hashes of the leaves from 256 * n on; the tile (l, n) those of complete subtrees of
256 ** l leaves. A tile at the right edge is shorter. Whatever a tree of some size says is read from prefixes
of tiles, which never change, so a tree that grows meanwhile changes no answer.
"""

from collections.abc import Callable, Sequence
from typing import Final

from service.core.errors import LogDamaged
from service.verify.merkle import EMPTY_ROOT, HASH_SIZE, node_hash

#: Hashes in a full tile, and the levels of the binary tree that one level of tiles spans.
WIDTH: Final = 256
_SPAN: Final = 8

#: A tile's level and number.
TileId = tuple[int, int]
#: Returns a tile's hashes one after another, as many as there are.
Tiles = Callable[[int, int], bytes]


def grow(size: int, leaves: Sequence[bytes], tiles: Tiles) -> dict[TileId, bytes]:
    """Return the tiles that are new or longer when the tree of ``size`` leaves gets ``leaves`` (hashes).

    Raises ``LogDamaged`` if a tile lacks what it must hold.
    """
    changed: dict[TileId, bytes] = {}
    level, fresh = 0, list(leaves)
    while fresh:
        number, width = divmod(size, WIDTH)
        tile = _slice(tiles, level, number, 0, width)
        full: list[bytes] = []
        for one in fresh:
            tile += one
            changed[level, number] = tile
            if len(tile) == WIDTH * HASH_SIZE:
                full.append(_fold(tile))
                number, tile = number + 1, b""
        size, level, fresh = size // WIDTH, level + 1, full
    return changed


def root(size: int, tiles: Tiles) -> bytes:
    """Return the root over the first ``size`` leaves. Raises ``LogDamaged``."""
    return _subtree(0, size, tiles) if size else EMPTY_ROOT


def inclusion(index: int, size: int, tiles: Tiles) -> list[bytes]:
    """Return the proof that the leaf at ``index`` is in the tree of ``size`` leaves (RFC 6962, 2.1.1)."""
    first, last, proof = 0, size, []
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            proof.append(_subtree(middle, last, tiles))
            last = middle
        else:
            proof.append(_subtree(first, middle, tiles))
            first = middle
    return proof[::-1]


def consistency(old: int, size: int, tiles: Tiles) -> list[bytes]:
    """Return the proof that the tree of ``size`` leaves begins with that of ``old`` (RFC 6962, 2.1.2)."""
    if old in {0, size}:
        return []
    first, last, proof = 0, size, []
    while old != last:
        middle = first + _split(last - first)
        if old <= middle:
            proof.append(_subtree(middle, last, tiles))
            last = middle
        else:
            proof.append(_subtree(first, middle, tiles))
            first = middle
    if first:
        proof.append(_subtree(first, last, tiles))
    return proof[::-1]


def _split(width: int) -> int:
    """Return the largest power of two below ``width``."""
    return 1 << (width - 1).bit_length() - 1


def _subtree(first: int, last: int, tiles: Tiles) -> bytes:
    """Return the root over the leaves from ``first`` to before ``last``, a subtree of the tree."""
    width = last - first
    if width & (width - 1):
        middle = first + _split(width)
        return node_hash(_subtree(first, middle, tiles), _subtree(middle, last, tiles))
    level, rest = divmod(width.bit_length() - 1, _SPAN)
    number, offset = divmod(first >> level * _SPAN, WIDTH)
    return _fold(_slice(tiles, level, number, offset, 1 << rest))


def _slice(tiles: Tiles, level: int, number: int, offset: int, count: int) -> bytes:
    if not count:
        return b""
    found = tiles(level, number)[offset * HASH_SIZE : (offset + count) * HASH_SIZE]
    if len(found) != count * HASH_SIZE:
        raise LogDamaged(f"The log's tile {number} of level {level} is shorter than the log.")
    return found


def _fold(hashes: bytes) -> bytes:
    """Return the root over a power of two of hashes."""
    row = [hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]
    while len(row) > 1:
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]
