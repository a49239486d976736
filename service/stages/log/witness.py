"""Witness: let checkpoints be known elsewhere, and learn from there what this database has forgotten."""

from typing import Final

from service.core.errors import Conflict
from service.ports import Witness
from service.stages.log.checkpoint import check_goes_on
from service.stages.log.keys import signing_key
from service.stages.parts import Parts

_BATCH: Final = 100


def compare(parts: Parts) -> None:
    """Raise ``LogDamaged`` if a witness knows a checkpoint that this log does not go on from.

    So it is with a database that was restored from an older backup: what its log would sign next would be
    another history than the one that is known. Raises ``WitnessUnavailable`` and ``LedgerUnavailable`` too.
    """
    key = signing_key(parts)
    for witness in parts.witnesses:
        note = witness.newest(key.name)
        if note is not None:
            check_goes_on(parts, key, note)


def reader(witness: Witness) -> str:
    """Return the name under which the log knows how far a witness has come."""
    return f"witness {witness.name}"


def hand_over(parts: Parts, witness: Witness) -> None:
    """Give a witness the checkpoints that were signed since it got one, and the newest to a new one.

    A crash in the middle of it gives one twice. Raises ``WitnessUnavailable`` and ``LedgerUnavailable``.
    """
    origin, known = signing_key(parts).name, parts.journal.cursor(reader(witness))
    newest = parts.checkpoints.newest()
    if newest is None:
        return
    for checkpoint in parts.checkpoints.after(known, _BATCH) if known else [newest]:
        witness.keep(origin, checkpoint.size, checkpoint.note)
        try:
            parts.journal.move_cursor(reader(witness), known, checkpoint.size)
        except Conflict:
            # Another worker did so meanwhile, and goes on.
            return
        known = checkpoint.size
