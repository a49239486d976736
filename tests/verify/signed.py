"""Small logs that are signed, for the tests of this folder."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.core import tree
from service.core.tree import TileId
from service.verify.checkpoint import Checkpoint
from service.verify.merkle import Frontier, leaf_hash
from service.verify.note import PublicKey, write_note
from service.verify.receipt import Receipt

PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY: Final = PublicKey("greenroom/log/test", PRIVATE.public_key().public_bytes_raw())


def sign(checkpoint: Checkpoint) -> str:
    """Return the log's note of a checkpoint."""
    return write_note(checkpoint.text(), KEY, PRIVATE.sign(checkpoint.text().encode()))


def checkpoint(lines: list[bytes]) -> Checkpoint:
    """Return the checkpoint over lines, each of which ends with a newline."""
    frontier = Frontier()
    for line in lines:
        frontier.append(leaf_hash(line.removesuffix(b"\n")))
    return Checkpoint(KEY.name, frontier.size, frontier.root())


def a_receipt(index: int, lines: list[str]) -> Receipt:
    """Return a good receipt for a line of a log."""
    tiles: dict[TileId, bytes] = tree.grow(0, [leaf_hash(line.encode()) for line in lines], lambda *_: b"")

    def tile(level: int, number: int) -> bytes:
        return tiles.get((level, number), b"")

    note = sign(Checkpoint(KEY.name, len(lines), tree.root(len(lines), tile)))
    return Receipt(lines[index], index, tuple(tree.inclusion(index, len(lines), tile)), note, KEY)
