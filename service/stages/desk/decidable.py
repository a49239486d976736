"""What can be decided about an upload, and when it may go on after that."""

from datetime import datetime
from typing import Final

from service.core.account import Standing
from service.core.decision import BLOCKED_BY_REVIEWERS, Choice
from service.core.errors import Busy, NotDecidable
from service.core.upload import Event, Leftover, State, Upload
from service.core.verdict import Kind
from service.stages.parts import Parts
from service.stages.sweep import SETTLED_AFTER

_FINDINGS: Final = frozenset({Kind.INFECTED, Kind.UNSCANNABLE, Kind.MALFORMED, Kind.SUSPICIOUS})
_SWEPT: Final = frozenset({Event.COPY_FAILED, Event.RECALLED, Event.DOUBTED})
_STATES: Final = {
    Choice.RELEASE: {State.HELD},
    Choice.BLOCK: {State.HELD},
    Choice.ALLOW: {State.HELD, State.BLOCKED},
}


def check_decidable(upload: Upload, choice: Choice) -> None:
    """Raise ``NotDecidable`` unless ``choice`` can be made about an upload as it stands, and ``Busy`` while
    the content of one that was recalled is still on its way back.
    """
    if upload.state not in _STATES[choice]:
        raise NotDecidable(f"The file is {upload.state}: there is no such decision about it.")
    if upload.leftover is Leftover.RETURN:
        raise Busy("The file was just recalled, and its content is on its way back. Try again in a minute.")
    if choice is Choice.RELEASE:
        _check_known(upload)
    if choice is Choice.ALLOW:
        _check_finding(upload)


def check_there(parts: Parts, upload: Upload) -> None:
    """Raise ``NotDecidable`` if the account of an upload was removed: what is in it is only held."""
    account = parts.accounts.find(upload.account_id)
    if account is not None and account.standing is not Standing.ACTIVE:
        raise NotDecidable("The account was removed: nothing happens to its files unless it is reactivated.")


def check_scannable_again(upload: Upload) -> None:
    """Raise ``NotDecidable`` unless an upload can be scanned again."""
    if upload.state not in {State.HELD, State.BLOCKED}:
        raise NotDecidable(f"The file is {upload.state}: only what is held or blocked is scanned again.")
    _check_not_blocked_by_people(upload)


def check_swept(upload: Upload) -> None:
    """Raise ``Busy`` while something of an upload is still to be deleted: a copy that is made meanwhile could
    go with it.
    """
    if upload.leftover is not Leftover.NOTHING:
        raise Busy("What is left of an earlier release is being deleted. Try again in a few minutes.")


def not_before(parts: Parts, upload: Upload, at: datetime) -> datetime | None:
    """Return until when an upload that goes on at ``at`` is left alone, ``None`` for not at all.

    Where a release failed once or was recalled, its copies were swept and perhaps brought back by several
    workers at once: the slowest may still be at it, as long as the store's client tries.
    """
    swept = any(line.event in _SWEPT for line in parts.ledger.history(upload.id))
    return at + SETTLED_AFTER if swept else None


def _check_known(upload: Upload) -> None:
    if upload.sha256 is None:
        raise NotDecidable(
            "It cannot be released: it was never read as a whole. Have it scanned again first."
        )
    if upload.reason == "content_lost":
        raise NotDecidable("The stored file was changed or lost. It can only be uploaded again.")


def _check_finding(upload: Upload) -> None:
    verdict = upload.verdict
    if verdict is None or verdict.kind not in _FINDINGS or verdict.signature is None:
        raise NotDecidable("Nothing was found in the file that could be allowed.")
    if upload.sha256 is None or upload.sha256 != verdict.sha256:
        raise NotDecidable("It cannot be allowed: it was never read as a whole. Have it scanned again first.")
    _check_not_blocked_by_people(upload)


def _check_not_blocked_by_people(upload: Upload) -> None:
    if upload.reason == BLOCKED_BY_REVIEWERS:
        raise NotDecidable("Two people blocked the file: no scan undoes that. It can be uploaded again.")
