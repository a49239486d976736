"""Record: one transaction makes a move true, with the lines that tell of it and what webhooks are told."""

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
    return parts.ledger.save(upload, wake=wake, claim=claim, notices=told, warrant=warrant)
