"""Work: bring erasures further. Two workers at one do no harm: each step asks what is still there."""

from collections.abc import Iterator
from typing import Final

from service.core.erasure import Erasure, Reach
from service.core.errors import Conflict, IllegalMove, PartUnavailable, UnderHold
from service.core.export import Export
from service.core.journal import Act, Entry
from service.core.upload import Event, Leftover, State, Upload
from service.stages.erasing.ask import ask_for_erased
from service.stages.exporting.keep import drop, is_dropped, withdraw
from service.stages.parts import Parts
from service.stages.sweep import delete_leftovers, end

_AT_ONCE: Final = 20
_BATCH: Final = 100
#: How an upload in the middle of a step leaves it, and the name that the move's line has for the reason. Who
#: is at work on it finds that it was changed, and ends.
_WAY_OUT: Final = {
    State.RECEIVING: (Event.GAVE_UP, "code"),
    State.SCANNING: (Event.SCAN_FAILED, "failure"),
    State.CLEARED: (Event.COPY_FAILED, "code"),
}
#: Why, in the upload's row and in the log.
ERASURE: Final = "erasure"


def work(parts: Parts) -> int:
    """Bring every erasure that is under way as far as it goes now; return how many are not let go yet.

    One that is held up does not keep the others: ``PartUnavailable`` is raised after all were tried.
    """
    trouble: PartUnavailable | None = None
    left = ask_for_erased(parts, _AT_ONCE)
    for erasure in _undone(parts):
        try:
            left += not further(parts, erasure)
        except PartUnavailable as error:
            trouble = error
        except (Conflict, UnderHold):
            # Another process was first, or it goes on when the hold is lifted.
            left += 1
    if trouble is not None:
        raise trouble
    return left


def _undone(parts: Parts) -> Iterator[Erasure]:
    """Yield all: however many wait for a hold to be lifted, they keep none that came later."""
    after = ""
    while batch := parts.erasures.undone(_AT_ONCE, let_go=False, after=after):
        yield from batch
        after = batch[-1].id


def further(parts: Parts, erasure: Erasure) -> bool:
    """Bring one further; return whether it is let go.

    Raises ``PartUnavailable``, ``UnderHold`` while something of it must stay, and ``Conflict`` if something
    was changed meanwhile.

    A round that found something to forget is not the last one: what was written meanwhile is looked for.
    """
    parts.erasures.shut(erasure)
    if _uploads(parts, erasure) + _exports(parts, erasure) + parts.erasures.forget_others(erasure):
        return False
    parts.erasures.let_go(erasure)
    return True


def finish(parts: Parts) -> int:
    """Let the database give up what was forgotten, and write the lines that say so; return how many.

    It is done for all at once, because it costs as much for one. Raises ``LedgerUnavailable``.
    """
    ready = parts.erasures.undone(_BATCH, let_go=True)
    if ready:
        parts.erasures.compact()
    for erasure in ready:
        parts.erasures.finish(erasure, _done(parts, erasure))
    return len(ready)


def _done(parts: Parts, erasure: Erasure) -> Entry:
    """Return the line that is the erasure's certificate. Of an account it names the pseudonym alone."""
    account_id = None if erasure.reach is Reach.ACCOUNT else erasure.account_id
    upload_id = erasure.mark if erasure.reach is Reach.UPLOAD else None
    detail, now = erasure.detail(), parts.clock.now()
    return Entry(now, Act.ERASURE_DONE.value, detail, erasure.asked_by, upload_id, account_id)


def _uploads(parts: Parts, erasure: Erasure) -> int:
    """Erase the uploads that it is about; return how many were found that were not forgotten yet."""
    found, after = 0, ""
    while batch := parts.erasures.uploads(erasure, after, _BATCH):
        erased = [upload_id for upload_id in batch if _erased(parts, erasure, upload_id)]
        if erased:
            parts.erasures.forget_uploads(erasure, erased)
        found, after = found + len(batch), batch[-1]
    return found


def _erased(parts: Parts, erasure: Erasure, upload_id: str) -> bool:
    """Erase an upload in the ledger and then in the store; return whether it is, or was changed meanwhile."""
    upload = parts.ledger.find(upload_id)
    if upload is None:
        return False
    if upload.state is not State.ERASED:
        try:
            upload = end(parts, _out_of_work(parts, upload), actor=erasure.asked_by)
        except (Conflict, IllegalMove, UnderHold):
            return False
    if upload.leftover is not Leftover.NOTHING:
        delete_leftovers(parts, upload)
    return True


def _exports(parts: Parts, erasure: Erasure) -> int:
    """Erase the exports in which something of it is; return how many were found that were not erased yet.

    What was exported of an upload that is erased is withdrawn as of any that is not released any more.
    """
    for spoiled in parts.exports.spoiled(_BATCH):
        withdraw(parts, spoiled)
    if erasure.reach is Reach.UPLOAD:
        return 0
    theirs = [one for one in parts.exports.of(erasure.account_id) if one.asked_at <= erasure.asked_at]
    meant = [one for one in theirs if _is_in(erasure, one) and not (is_dropped(one) and one.person is None)]
    drop(parts, meant)
    return len(meant)


def _is_in(erasure: Erasure, export: Export) -> bool:
    """Tell whether something of what is erased may be in an export."""
    return erasure.reach is not Reach.PERSON or export.person in {None, erasure.subject}


def _out_of_work(parts: Parts, upload: Upload) -> Upload:
    if upload.state not in _WAY_OUT:
        return upload
    event, word = _WAY_OUT[upload.state]
    return upload.moved(event, parts.clock.now(), {word: ERASURE}, reason=ERASURE)
