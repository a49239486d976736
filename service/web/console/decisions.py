"""Deciding about an upload: what its page shows of it, and what the forms there do."""

import re
from collections.abc import Callable
from functools import partial
from typing import Final

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from service.core.decision import LONGEST_ALLOWANCE, LONGEST_REASON, SHORTEST_REASON, Choice
from service.core.errors import BadRequest, Conflict, NotFound, Refused
from service.core.naming import UPLOAD_ID
from service.core.reviewer import Role
from service.core.upload import Upload
from service.stages.desk import Desk, decide
from service.stages.desk.proceedings import proceedings
from service.stages.desk.rescan import rescan
from service.web.console import notices
from service.web.console.conflicts import DEEDS, happened
from service.web.console.entrance import Entrance

#: How long an entry of the allow-list lasts unless somebody says otherwise, in days.
_DAYS: Final = 90
_DECISION_ID: Final = re.compile(r"de_[0-9a-f]{32}")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_CONFIRMED: Final = {
    Choice.RELEASE: "You confirmed it: the file is on its way to the meeting.",
    Choice.BLOCK: "You confirmed it: the file is blocked.",
    Choice.ALLOW: "You confirmed it: the finding is on the allow-list. Scan the file again to release it.",
}


def blueprint(desk: Desk, entrance: Entrance) -> Blueprint:
    """Return the routes, and give ``decisions.html`` what it needs beside the ``upload``."""
    routes = Blueprint("decisions", __name__)
    routes.app_context_processor(partial(_tools, desk))

    @routes.post("/uploads/<upload_id>/decisions")
    @entrance.requires(Role.REVIEWER)
    def propose(upload_id: str) -> ResponseReturnValue:
        upload = _known(desk, upload_id)
        try:
            return _led_on(desk, upload.id, partial(_propose, desk, entrance.reviewer().id, upload.id))
        except BadRequest as error:
            return _again(upload, error)

    @routes.post("/decisions/<decision_id>/confirm")
    @entrance.requires(Role.REVIEWER)
    def confirm(decision_id: str) -> ResponseReturnValue:
        act = partial(_confirm, desk, entrance.reviewer().id, decision_id)
        return _led_on(desk, _upload_of(desk, decision_id), act, decision_id)

    @routes.post("/decisions/<decision_id>/reject")
    @entrance.requires(Role.REVIEWER)
    def reject(decision_id: str) -> ResponseReturnValue:
        act = partial(_reject, desk, entrance.reviewer().id, decision_id)
        return _led_on(desk, _upload_of(desk, decision_id), act, decision_id)

    @routes.post("/uploads/<upload_id>/rescan")
    @entrance.requires(Role.REVIEWER)
    def scan_again(upload_id: str) -> ResponseReturnValue:
        upload = _known(desk, upload_id)
        return _led_on(desk, upload.id, partial(_scan_again, desk, entrance.reviewer().id, upload.id))

    return routes


def _tools(desk: Desk) -> dict[str, object]:
    limits = {"shortest": SHORTEST_REASON, "longest": LONGEST_REASON, "days": LONGEST_ALLOWANCE}
    about = partial(proceedings, desk)
    return {"proceedings": about, "deeds": DEEDS, "limits": limits, "usual_days": _DAYS}


def _propose(desk: Desk, reviewer_id: str, upload_id: str) -> str:
    decide.propose(desk.parts, reviewer_id, _wanted(upload_id))
    return "Your proposal is made. Somebody else has to confirm it within seven days."


def _confirm(desk: Desk, reviewer_id: str, decision_id: str) -> str:
    return _CONFIRMED[decide.confirm(desk.parts, desk.reviewers, reviewer_id, decision_id).choice]


def _reject(desk: Desk, reviewer_id: str, decision_id: str) -> str:
    decide.reject(desk.parts, reviewer_id, decision_id)
    return "You rejected the proposal. The file stays as it is."


def _scan_again(desk: Desk, reviewer_id: str, upload_id: str) -> str:
    rescan(desk.parts, reviewer_id, upload_id, _number("version"))
    return "The file is being scanned again."


def _led_on(
    desk: Desk, upload_id: str, act: Callable[[], str], decision_id: str | None = None
) -> ResponseReturnValue:
    """Do it, and lead to the upload's page, which tells what was done, or what happened instead."""
    path = f"/uploads/{upload_id}"
    try:
        return notices.lead(notices.Notice(path, True, act()))
    except (BadRequest, NotFound):
        raise
    except (Refused, Conflict) as error:
        return notices.lead(notices.Notice(path, False, happened(desk, error, upload_id, decision_id)))


def _known(desk: Desk, untrusted_id: str) -> Upload:
    upload = desk.parts.ledger.find(untrusted_id) if UPLOAD_ID.fullmatch(untrusted_id) else None
    if upload is None:
        raise NotFound("There is no such upload.")
    return upload


def _upload_of(desk: Desk, untrusted_id: str) -> str:
    decision = desk.parts.decisions.find(untrusted_id) if _DECISION_ID.fullmatch(untrusted_id) else None
    if decision is None:
        raise NotFound("There is no such proposal.")
    return decision.upload_id


def _wanted(upload_id: str) -> decide.Wanted:
    """Return the proposal in the form in hand. Raises ``BadRequest``."""
    try:
        choice = Choice(request.form.get("choice", ""))
    except ValueError:
        raise BadRequest("Choose what is to become of the file.") from None
    days = _number("days") if choice is Choice.ALLOW else None
    return decide.Wanted(upload_id, _number("version"), choice, request.form.get("reason", ""), days)


def _number(field: str) -> int:
    untrusted_value = request.form.get(field, "")
    if not _NUMBER.fullmatch(untrusted_value):
        raise BadRequest(f"The field {field} must be a whole number.")
    return int(untrusted_value)


def _again(upload: Upload, error: BadRequest) -> ResponseReturnValue:
    """Return the form with what was written in it: a reason is not to be written twice."""
    told = {"upload": upload, "error": error, "written": request.form}
    return make_response(render_template("propose_again.html", **told), 400)
