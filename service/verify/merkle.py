"""The Merkle tree of RFC 6962: its hashes, a running root, and proofs checked (RFC 9162, 2.1).

Hashes are the 32 bytes of SHA-256. A proof is a sequence of them, from the leaf's side up.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from service.verify.invalid import Invalid

HASH_SIZE: Final = 32
#: The root of a tree without leaves (RFC 6962, 2.1).
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(line: bytes) -> bytes:
    """Return the hash of a leaf (RFC 6962, 2.1): a leaf can never pass for a node."""
    return hashlib.sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The root of a log that is read once, from its first line on, in constant memory.

    It keeps one hash for each complete subtree at the right edge: as many as the size has binary ones.
    """

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Take in the hash of the next leaf."""
        done = self.size
        while done & 1:
            leaf = node_hash(self._edge.pop(), leaf)
            done >>= 1
        self._edge.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        if not self._edge:
            return EMPTY_ROOT
        root = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            root = node_hash(left, root)
        return root


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raise ``Invalid`` unless ``proof`` shows that the leaf with that hash is at ``index``, counted from 0,
    in the tree of ``size`` leaves with that root (RFC 9162, 2.1.3.2).
    """
    if not 0 <= index < size:
        raise Invalid(f"a tree of {size} lines has none at {index}")
    here, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise Invalid("the inclusion proof is too long")
        if here & 1 or here == last:
            found = node_hash(step, found)
            here, last = _up_to_odd(here, last)
        else:
            found = node_hash(found, step)
        here, last = here >> 1, last >> 1
    if last != 0:
        raise Invalid("the inclusion proof is too short")
    if found != root:
        raise Invalid("the inclusion proof does not lead from the line to the checkpoint's root")


def check_consistency(
    first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Raise ``Invalid`` unless ``proof`` shows that the tree of ``second`` leaves begins with the whole tree
    of ``first`` leaves (RFC 9162, 2.1.4.2).
    """
    if not 0 <= first <= second:
        raise Invalid(f"a tree of {second} lines cannot go on from one of {first}")
    if first in {0, second}:
        _check_trivial(first, first_root, second_root, proof)
        return
    steps = list(proof) if first & (first - 1) else [first_root, *proof]
    if not steps:
        raise Invalid("the consistency proof is too short")
    here, last = _past_ones(first - 1, second - 1)
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise Invalid("the consistency proof is too long")
        if here & 1 or here == last:
            old, new = node_hash(step, old), node_hash(step, new)
            here, last = _up_to_odd(here, last)
        else:
            new = node_hash(new, step)
        here, last = here >> 1, last >> 1
    if last != 0:
        raise Invalid("the consistency proof is too short")
    if (old, new) != (first_root, second_root):
        raise Invalid("the two trees are not one log: what was signed first was changed since")


def _check_trivial(first: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> None:
    """Check what needs no proof: every tree goes on from the empty one, and from itself."""
    if proof:
        raise Invalid("the consistency proof is too long")
    if first_root != (second_root if first else EMPTY_ROOT):
        raise Invalid("two roots for one size: the log was forked")


def _up_to_odd(here: int, last: int) -> tuple[int, int]:
    while here and not here & 1:
        here, last = here >> 1, last >> 1
    return here, last


def _past_ones(here: int, last: int) -> tuple[int, int]:
    while here & 1:
        here, last = here >> 1, last >> 1
    return here, last
