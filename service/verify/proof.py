"""What a receipt proves, to those who know the log's key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.verify.checkpoint import Checkpoint
from service.verify.invalid import Invalid
from service.verify.merkle import check_inclusion, leaf_hash
from service.verify.note import PublicKey
from service.verify.receipt import Receipt, read_object
from service.verify.signature import check_checkpoint

_LINE_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Proved:
    """What a receipt proves: that ``line`` stands at ``index`` under ``checkpoint``."""

    line: Mapping[str, Any]
    index: int
    checkpoint: Checkpoint


def check_receipt(receipt: Receipt, key: PublicKey) -> Proved:
    """Return what ``receipt`` proves to those who know that ``key`` is the log's. Raises ``Invalid``."""
    checkpoint = check_checkpoint(receipt.checkpoint, key)
    leaf = leaf_hash(receipt.line.encode())
    check_inclusion(receipt.index, checkpoint.size, leaf, receipt.proof, checkpoint.root)
    line = read_object(receipt.line, "the line")
    version = line.get("v")
    if type(version) is not int or version != _LINE_VERSION:
        raise Invalid("the line is in a version that this program does not know")
    return Proved(line, receipt.index, checkpoint)
