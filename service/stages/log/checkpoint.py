"""Checkpoint: commit the service, with its signature, to every line that has its place."""

from datetime import datetime, timedelta
from typing import Final

from service.core import tree
from service.core.errors import Conflict, LogDamaged
from service.core.journal import SignedCheckpoint
from service.ports import LogKey
from service.stages.log.keys import signing_key
from service.stages.parts import Parts
from service.verify.checkpoint import Checkpoint, read_checkpoint
from service.verify.invalid import Invalid
from service.verify.note import PublicKey, read_note, write_note

#: New lines come under a checkpoint after this time at the latest, or when there are so many of them.
EVERY: Final = timedelta(seconds=60)
_MOST_LINES: Final = 1000


def sign_when_due(parts: Parts, known: SignedCheckpoint | None = None) -> SignedCheckpoint | None:
    """Sign a checkpoint over all placed lines if it is time for one; return it, or ``None``.

    Takes and raises what ``sign`` does.
    """
    last = parts.checkpoints.newest()
    return sign(parts, known) if _due(parts.journal.size(), last, parts.clock.now()) else None


def sign(parts: Parts, known: SignedCheckpoint | None = None) -> SignedCheckpoint | None:
    """Sign a checkpoint over all placed lines; return it, or ``None`` if another worker did so first.

    Nothing is signed that does not go on from the newest checkpoint in the database, and from one that the
    caller may have ``known`` before: a log that was changed or cut off gets no signature. Raises
    ``LogDamaged`` then, ``PartUnavailable`` and ``SecretsUnreadable``.
    """
    key = signing_key(parts)
    for earlier in (parts.checkpoints.newest(), known):
        if earlier is not None:
            check_goes_on(parts, key, earlier.note)
    size = parts.journal.size()
    checkpoint = Checkpoint(key.name, size, tree.root(size, parts.journal.tile))
    signature = parts.signer.sign(parts.sealer.unseal(key.sealed), checkpoint.text().encode())
    note = write_note(checkpoint.text(), PublicKey(key.name, key.public_key), signature)
    signed = SignedCheckpoint(size, parts.clock.now(), note)
    try:
        parts.checkpoints.add(signed)
    except Conflict:
        # Another worker signed as much, or more.
        return None
    return signed


def check_goes_on(parts: Parts, key: LogKey, note: str) -> None:
    """Raise ``LogDamaged`` unless the log goes on from the checkpoint in ``note``."""
    try:
        known = read_checkpoint(read_note(note))
    except Invalid as error:
        raise LogDamaged(f"A checkpoint of the log cannot be read: {error}.") from error
    if known.origin != key.name:
        raise LogDamaged("A checkpoint is not of this log.")
    # Asked for after the note is there: a log that grows meanwhile must not look like one that shrank.
    size = parts.journal.size()
    if size < known.size:
        raise LogDamaged(f"The log has {size} lines, and {known.size} were signed.")
    if tree.root(known.size, parts.journal.tile) != known.root:
        raise LogDamaged(f"The first {known.size} lines are not those that were signed.")


def _due(size: int, last: SignedCheckpoint | None, now: datetime) -> bool:
    if last is None:
        return size > 0
    if size == last.size:
        return False
    # A clock that was set back must not put a checkpoint off; a tree that shrank is looked at, and told of.
    return size - last.size >= _MOST_LINES or size < last.size or abs(now - last.at) >= EVERY
