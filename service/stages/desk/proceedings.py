"""Proceedings: what was, is and can be decided about one upload, for the page that shows it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.core.decision import Allowance, Choice, Decision, Standing, signature_of
from service.core.errors import Busy, NotDecidable
from service.core.upload import State, Upload
from service.stages.desk import Desk
from service.stages.desk.decidable import (
    check_decidable,
    check_scannable_again,
    check_swept,
    check_there,
)


@dataclass(frozen=True, slots=True)
class Proceedings:
    """How an upload stood ``at`` that time.

    ``waiting`` is the proposal that waits for a second person, ``settled`` what became of the others, newest
    first. ``choices`` can be proposed now, ``rescannable`` says whether it can be scanned again, and
    ``hindrances`` why not more of it can be done. ``excused`` is the entry of the allow-list that is good for
    its finding. ``names`` are the reviewers' by their ids.
    """

    at: datetime
    waiting: Decision | None
    settled: Sequence[tuple[Decision, Standing]]
    choices: Sequence[Choice]
    rescannable: bool
    hindrances: Sequence[str]
    excused: Allowance | None
    names: Mapping[str, str]


def proceedings(desk: Desk, upload: Upload) -> Proceedings:
    """Return what there is to say about deciding over ``upload``. Raises ``LedgerUnavailable``."""
    at = desk.parts.clock.now()
    standings = [(each, each.standing_on(upload, at)) for each in desk.parts.decisions.of_upload(upload.id)]
    waiting = next((each for each, standing in standings if standing is Standing.OPEN), None)
    excused = _excused(desk, upload, at)
    shut = _hindrance(check_there, desk.parts, upload)
    possible = {
        choice: shut or _hindrance(check_decidable, upload, choice) for choice in _open_to(upload, excused)
    }
    rescan = shut or _hindrance(_check_rescan, upload)
    undecided = upload.state in {State.HELD, State.BLOCKED}
    hindrances = [*possible.values(), rescan] if undecided else []
    return Proceedings(
        at=at,
        waiting=waiting,
        settled=[(each, standing) for each, standing in standings if standing is not Standing.OPEN],
        choices=[choice for choice, why_not in possible.items() if why_not is None],
        rescannable=rescan is None,
        hindrances=list(dict.fromkeys(why_not for why_not in hindrances if why_not is not None)),
        excused=excused,
        names=names(desk),
    )


def names(desk: Desk) -> Mapping[str, str]:
    """Return the names of all who are or were reviewers, by their ids. Raises ``LedgerUnavailable``."""
    return {reviewer.id: reviewer.name for reviewer in desk.reviewers.all()}


def _open_to(upload: Upload, excused: Allowance | None) -> Sequence[Choice]:
    """Return the choices that there are in the state of ``upload``, the one first that is made most."""
    match upload.state:
        case State.HELD:
            choices = [Choice.RELEASE, Choice.BLOCK, Choice.ALLOW]
        case State.BLOCKED:
            choices = [Choice.ALLOW]
        case _:
            choices = []
    return [choice for choice in choices if choice is not Choice.ALLOW or excused is None]


def _excused(desk: Desk, upload: Upload, at: datetime) -> Allowance | None:
    signature = signature_of(upload)
    if upload.sha256 is None or signature is None:
        return None
    return desk.parts.allowances.excusing(upload.sha256, signature, at)


def _check_rescan(upload: Upload) -> None:
    check_scannable_again(upload)
    check_swept(upload)


def _hindrance(check: Callable[..., None], *arguments: object) -> str | None:
    """Return why ``check`` fails, ``None`` if it passes."""
    try:
        check(*arguments)
    except (NotDecidable, Busy) as error:
        return str(error)
    return None
