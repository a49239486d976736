"""Record: one transaction makes a move true, then its lines go out as structured text.

A crash between the two loses only the text; the ledger's lines are the log.
"""

from service.core.decision import Warrant
from service.core.upload import Upload
from service.core.webhook import notices
from service.ports import Claim
from service.stages.parts import Parts, new_event_id


def save(
    parts: Parts,
    upload: Upload,
    *,
    wake: bool = False,
    claim: Claim | None = None,
    warrant: Warrant | None = None,
) -> Upload:
    """Save ``upload`` with its unsaved moves and return it as saved.

    With ``wake`` the background worker is asked, in the same transaction, to take it further; with ``claim``
    an Idempotency-Key is taken for it, or ``IdempotencyInProgress`` is raised. What the account's webhooks
    are to be told is written in it too. ``warrant`` is what lets people's moves happen (see ``Ledger.save``).
    Raises ``Conflict`` if another process was first, ``LedgerUnavailable`` if the database is away.
    """
    told = notices(upload, lambda: new_event_id(parts.clock.now()))
    saved = parts.ledger.save(upload, wake=wake, claim=claim, notices=told, warrant=warrant)
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
