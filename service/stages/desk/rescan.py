"""Rescan: what is held or blocked goes back to the scanner, for new signatures or a new allowance."""

from service.core.decision import reviewer, signature_of
from service.core.errors import Conflict, NotFound
from service.core.upload import Event, Upload
from service.stages.desk.decidable import check_scannable_again, check_swept, check_there, not_before
from service.stages.parts import Parts
from service.stages.record import save


def rescan(parts: Parts, reviewer_id: str, upload_id: str, version: int) -> Upload:
    """Have an upload, shown at ``version``, scanned again; return it as saved, with no verdict.

    The old verdict stays in the log, and a proposal about the upload lapses. Raises ``NotFound``,
    ``NotDecidable``, ``Busy``, ``LedgerUnavailable``, and ``Conflict`` if it is not what was shown any more.
    """
    upload = parts.ledger.find(upload_id)
    if upload is None:
        raise NotFound("There is no such upload.")
    if upload.version != version:
        raise Conflict(f"The file changed since you looked at it: it is {upload.state} now.")
    check_scannable_again(upload)
    check_there(parts, upload)
    check_swept(upload)
    at = parts.clock.now()
    pause = not_before(parts, upload, at)
    kind = upload.verdict.kind.value if upload.verdict else None
    asked = upload.moved(
        Event.RESCAN_ASKED,
        at,
        {"sha256": upload.sha256, "kind": kind, "signature": signature_of(upload)},
        actor=reviewer(reviewer_id),
        verdict=None,
        reason=None,
        attempts=0,
        due_at=pause,
        lease_until=pause,
        waiting_since=at,
    )
    return save(parts, asked, wake=True)
