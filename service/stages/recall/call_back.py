"""Call back: withdraw a released upload in which something was found, and bring its content back.

Downloads ask the ledger, so they stop with the move. The content follows (``bring_back``): each segment is
copied to quarantine, then the ledger notes how it lies there, then the released copies go.
"""

from service.core.errors import Conflict, PartUnavailable
from service.core.outcome import Answer, Engine
from service.core.upload import Upload
from service.stages import judge
from service.stages.parts import Parts
from service.stages.record import save
from service.stages.sweep import bring_back


def call_back(parts: Parts, upload: Upload, finding: Answer, engine: Engine, duration: float) -> None:
    """Withdraw an upload that is RELEASED, for what a scan (``duration`` in seconds) found in it.

    One that was deleted or withdrawn meanwhile stays as it is. Raises ``LedgerUnavailable``.
    """
    try:
        recalled = save(parts, judge.recall(parts, upload, finding, engine, duration))
    except Conflict:
        return
    if recalled.due_at is not None and recalled.due_at > parts.clock.now():
        return
    try:
        bring_back(parts, recalled)
    except (Conflict, PartUnavailable) as error:
        # It is withdrawn, and its row says that the content is still to come: the sweep brings it.
        parts.log.failure("return_deferred", error, {"upload": upload.id})
