"""Receipts: one line of the log, the proof that it is in the tree, and the checkpoint over the tree.

A receipt is a JSON object (RFC 8259) of exactly these members: ``format`` (``FORMAT``), ``line`` (the line's
text, exactly as it was hashed), ``index`` (its place, from 0), ``proof`` (hashes in base64 from the leaf up,
RFC 6962, 2.1.1), ``checkpoint`` (a signed note, c2sp.org/tlog-checkpoint) and ``key`` (the key that it says
it was signed with, which proves nothing: compare it with the one that was given to you).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.verify.invalid import Invalid
from service.verify.merkle import HASH_SIZE
from service.verify.note import PublicKey, decode, encode, read_key

FORMAT: Final = "greenroom-receipt/1"
#: A receipt for the line that says that something was erased for good.
CERTIFICATE: Final = "greenroom-erasure-certificate/1"
_MEMBERS: Final = frozenset({"format", "line", "index", "proof", "checkpoint", "key"})
#: A proof of 64 hashes is enough for any size that can be written; a line is at most some thousand bytes.
_LONGEST: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as read, nothing of it proved yet."""

    line: str
    index: int
    proof: tuple[bytes, ...]
    checkpoint: str
    key: PublicKey
    format: str = FORMAT

    def document(self) -> dict[str, Any]:
        """Return the receipt's members."""
        return {
            "format": self.format,
            "line": self.line,
            "index": self.index,
            "proof": [encode(step) for step in self.proof],
            "checkpoint": self.checkpoint,
            "key": str(self.key),
        }


def read_receipt(untrusted: str, kind: str = FORMAT) -> Receipt:
    """Return the receipt in ``untrusted``. Raises ``Invalid`` if it is not exactly one in the format
    ``kind``.
    """
    if len(untrusted) > _LONGEST:
        raise Invalid("the receipt is too long")
    members = read_object(untrusted, "the receipt")
    if set(members) != _MEMBERS or members["format"] != kind:
        raise Invalid(f"this is not in the format {kind}")
    index, proof = members["index"], members["proof"]
    if type(index) is not int or index < 0:
        raise Invalid("the receipt's index is not a number")
    if not isinstance(proof, list):
        raise Invalid("the receipt's proof is not a list")
    line, checkpoint, key = (_text(members, name) for name in ("line", "checkpoint", "key"))
    return Receipt(line, index, _hashes(proof), checkpoint, read_key(key), kind)


def read_object(untrusted: str, what: str) -> dict[str, Any]:
    """Return a JSON object. Raises ``Invalid``, naming ``what``, if two readers could read it differently."""
    try:
        untrusted.encode()
        found = json.loads(untrusted, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Invalid(f"{what} is not JSON") from None
    if not isinstance(found, dict):
        raise Invalid(f"{what} is not a JSON object")
    return found


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that has a member twice: two readers could read it differently."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _no_number(name: str) -> Any:  # noqa: ANN401 - JSON
    """Refuse ``NaN`` and the infinities, which are no JSON (RFC 8259, 6)."""
    raise ValueError(name)


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members[name]
    if not isinstance(value, str):
        raise Invalid(f"the receipt's {name} is not text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Invalid(f"the receipt's {name} is not Unicode text") from None
    return value


def _hashes(proof: Sequence[Any]) -> tuple[bytes, ...]:
    steps = [decode(step, "a hash of the proof") if isinstance(step, str) else b"" for step in proof]
    if any(len(step) != HASH_SIZE for step in steps):
        raise Invalid("a hash of the proof is not a SHA-256")
    return tuple(steps)
