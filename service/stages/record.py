"""Record: one transaction makes a move true, then its lines go out as structured text.

A crash between the two loses only the text; the ledger's lines are the log.
"""

from service.core.upload import Upload
from service.ports import Claim
from service.stages.parts import Parts


def save(parts: Parts, upload: Upload, *, wake: bool = False, claim: Claim | None = None) -> Upload:
    """Save ``upload`` with its unsaved moves and return it as saved.

    With ``wake`` the background worker is asked, in the same transaction, to take it further; with ``claim``
    an Idempotency-Key is taken for it, or ``IdempotencyInProgress`` is raised.
    Raises ``Conflict`` if another process was first, ``LedgerUnavailable`` if the database is away.
    """
    saved = parts.ledger.save(upload, wake=wake, claim=claim)
    for line in upload.unsaved:
        parts.log.emit(
            line.event.value,
            {
                "upload": upload.id,
                "account": upload.account_id,
                "meeting": upload.meeting_id,
                "before": line.before.value,
                "after": line.after.value,
                **line.detail,
            },
        )
    return saved
