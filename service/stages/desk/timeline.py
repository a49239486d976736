"""Timeline: everything that the log says of an upload, each line with what is proved of it.

A line is proved once the way from its text to the root of the newest signed checkpoint was gone. What is told
of a line in its place is told by that text: the row beside it can be changed by whoever writes to the
database, and is only asked whether it says the same.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from service.core.journal import Entry, Placed, SignedCheckpoint, Waiting
from service.core.line import canonical
from service.core.siem.told import Told, read_line
from service.core.tree import Tiles
from service.core.upload import State, Upload
from service.stages.log.keys import pseudonym_key
from service.stages.log.proof import Proof, prove
from service.stages.parts import Parts
from service.verify.checkpoint import Checkpoint
from service.verify.invalid import Invalid
from service.verify.note import PublicKey

#: Downloads, views and the like that are shown of an upload, the newest of them.
MOST_ACTS: Final = 200
#: What only the account's key can make: nothing is left to compare once the key was destroyed.
_PSEUDONYMS: Final = frozenset({"account", "meeting", "actor"})

#: Returns what a note commits to once its signature by the key was checked, or raises ``Invalid``.
Check = Callable[[str, PublicKey], Checkpoint]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline.

    ``told`` is what it says (``None`` if it cannot be read) and ``text`` the text that was hashed, if it was.
    ``entry`` is the row; ``actor`` is who did it, in the row's words where the line vouches for these.
    ``trouble`` says what is wrong with the proof and ``contradicted`` what the row says otherwise.
    """

    proof: Proof
    position: int | None
    told: Told | None
    text: str | None
    entry: Entry
    actor: str | None
    trouble: str | None
    contradicted: Sequence[str]


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the log says of an upload, oldest first, and what of the log itself is wrong, in sentences.

    ``cut`` tells that older downloads and views are left out.
    """

    lines: Sequence[Line]
    checkpoint: SignedCheckpoint | None
    troubles: Sequence[str]
    cut: bool

    @property
    def bad(self) -> Sequence[Line]:
        """The lines that are not what was signed, or not what their rows say."""
        return [line for line in self.lines if line.proof is Proof.FAILED or line.contradicted]


def timeline(parts: Parts, upload: Upload, check: Check) -> Timeline:
    """Return what the log says of ``upload``, with ``check`` for the checkpoint's signature.

    Raises ``LedgerUnavailable``, and ``SecretsUnreadable`` if the account's key cannot be opened.
    """
    # The checkpoint first: no line that is read later can be missing from the tree under it.
    newest, signed, troubles = _signed(parts, check)
    found = parts.journal.of_upload(upload.id, MOST_ACTS)
    key = pseudonym_key(parts, upload.account_id) if found else None
    tiles = cache(parts.journal.tile)
    key = None if upload.state is State.ERASED else key
    lines = [_placed(one, signed, tiles, key) if isinstance(one, Placed) else _waiting(one) for one in found]
    troubles += _chain(parts, upload, lines)
    acts = sum(one.entry.after is None for one in found)
    return Timeline(lines, newest, troubles, cut=acts == MOST_ACTS)


def _signed(parts: Parts, check: Check) -> tuple[SignedCheckpoint | None, Checkpoint | None, list[str]]:
    newest = parts.checkpoints.newest()
    if newest is None:
        return None, None, []
    why = "there is no key"
    for known in parts.checkpoints.log_keys():
        try:
            signed = check(newest.note, PublicKey(known.name, known.public_key))
        except Invalid as error:
            why = str(error)
        else:
            return newest, signed, []
    return newest, None, [f"The newest checkpoint, over {newest.size} lines, cannot be trusted: {why}."]


def _placed(one: Placed, signed: Checkpoint | None, tiles: Tiles, key: bytes | None) -> Line:
    proof, trouble = prove(one, signed, tiles)
    said = read_line(one.text, one.position)
    if said is None:
        why = trouble or "It cannot be read."
        return Line(Proof.FAILED, one.position, None, one.text, one.entry, None, why, ())
    differing = _differing(json.loads(one.text), json.loads(canonical(one.entry, key)), key)
    actor = said.actor if differing or key is None else one.entry.actor
    return Line(proof, one.position, said, one.text, one.entry, actor, trouble, differing)


def _waiting(one: Waiting) -> Line:
    said = read_line(canonical(one.entry, None), -1)
    return Line(Proof.WAITING, None, said, None, one.entry, one.entry.actor, None, ())


def _differing(said: dict[str, Any], row: dict[str, Any], key: bytes | None) -> Sequence[str]:
    """Return the names of what a line and its row do not agree on."""
    names = {*said, *row} - (_PSEUDONYMS if key is None else frozenset())
    return sorted(name for name in names if said.get(name) != row.get(name))


def _chain(parts: Parts, upload: Upload, lines: Sequence[Line]) -> list[str]:
    """Return what is wrong with the moves as a whole: each goes on from the one before, to where it is."""
    now = parts.ledger.find(upload.id)
    if now is None or now.version != upload.version:
        # It was moved while its lines were read, which does not make them wrong.
        return []
    troubles, state = [], State.RECEIVING.value
    for one in (line.told for line in lines):
        if one is None or one.after is None:
            continue
        if one.before != state:
            troubles.append(
                f"The moves in the log leave a gap: one ends {state}, the next begins {one.before}."
            )
        state = one.after
    if state != upload.state:
        troubles.append(f"The log leaves the upload {state}, and its row says that it is {upload.state}.")
    return troubles
