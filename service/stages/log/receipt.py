"""Receipt: prove to whoever may know of an upload what was found in it, without their trusting anybody.

What a receipt proves is the text that was hashed into the tree. Nothing here believes the row beside it,
which whoever can write to the database could have changed since.
"""

import json
from datetime import datetime
from typing import Any, Final

from service.core import tree
from service.core.errors import LogDamaged, NotSignedYet, NoVerdict
from service.core.journal import Placed, Waiting
from service.core.upload import RESTING, Event, Upload
from service.stages.log.checkpoint import EVERY
from service.stages.log.keys import public_key
from service.stages.parts import Parts
from service.verify.checkpoint import read_checkpoint
from service.verify.invalid import Invalid
from service.verify.merkle import check_inclusion, leaf_hash
from service.verify.note import read_note
from service.verify.receipt import FORMAT, Receipt

#: The moves that say what an upload's content is taken for, by a scanner or by people.
VERDICTS: Final = frozenset(
    {
        *(Event.FOUND_CLEAN, Event.FOUND_INFECTED, Event.NOT_SCANNABLE, Event.SCAN_EXHAUSTED),
        *(Event.REVIEWER_CLEARED, Event.REVIEWER_BLOCKED, Event.RECALLED, Event.DOUBTED),
    }
)
#: Seconds in which a content that is being scanned may have its verdict.
_SOON: Final = 2


def make_receipt(parts: Parts, upload: Upload) -> Receipt:
    """Return the receipt for the newest verdict on ``upload``, under the first checkpoint that covers it.

    Asked for again it is the same. Raises ``NotSignedYet`` while there is none, ``NoVerdict`` if there will
    be none, and ``LogDamaged`` if the log is not what was signed.
    """
    return prove_line(parts, _verdict(parts, upload), FORMAT)


def prove_line(parts: Parts, line: Placed | Waiting, kind: str) -> Receipt:
    """Return the receipt for a line, in the format ``kind``, under the first checkpoint that covers it.

    Raises ``NotSignedYet``, and ``LogDamaged`` if the log is not what was signed.
    """
    covering = parts.checkpoints.after(line.position, 1) if isinstance(line, Placed) else ()
    if not isinstance(line, Placed) or not covering:
        raise NotSignedYet("The line is there and not signed yet.", _until_signed(parts))
    signed = covering[0]
    proof = tree.inclusion(line.position, signed.size, parts.journal.tile)
    try:
        checkpoint = read_checkpoint(read_note(signed.note))
        check_inclusion(line.position, checkpoint.size, leaf_hash(line.text.encode()), proof, checkpoint.root)
    except Invalid as error:
        raise LogDamaged(f"Line {line.position} of the log cannot be proved: {error}.") from error
    return Receipt(line.text, line.position, tuple(proof), signed.note, public_key(parts), kind)


def _verdict(parts: Parts, upload: Upload) -> Placed | Waiting:
    """Return the line of the newest verdict that still holds."""
    # Its moves alone: it may have been downloaded a million times.
    for line in reversed(parts.journal.of_upload(upload.id, 0)):
        event = _event(line, upload)
        if event == Event.RESCAN_ASKED:
            break
        if event in VERDICTS:
            return line
    if upload.state in RESTING:
        raise NoVerdict(f"The upload is {upload.state}: no verdict was reached on it.")
    raise NotSignedYet("There is no verdict yet.", _SOON)


def _event(line: Placed | Waiting, upload: Upload) -> str:
    if isinstance(line, Waiting):
        return line.entry.event
    try:
        published: dict[str, Any] = json.loads(line.text)
        about = published.get("upload")
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        raise LogDamaged(f"Line {line.position} of the log cannot be read.") from error
    if about != upload.id:
        raise LogDamaged(f"Line {line.position} of the log is about another upload than its row says.")
    return str(published.get("event"))


def _until_signed(parts: Parts) -> int:
    """Return the seconds until the next checkpoint is due."""
    newest = parts.checkpoints.newest()
    now: datetime = parts.clock.now()
    left = (newest.at + EVERY - now).total_seconds() if newest else 0
    return int(min(max(left, 0), EVERY.total_seconds())) + 1
