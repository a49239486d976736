"""``/uploads``: the search, its exports, and what is known of one upload. Never a content."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from service.core.errors import BadRequest, NotFound
from service.core.journal import Act
from service.core.naming import UPLOAD_ID
from service.core.reviewer import Role
from service.core.search import Filters, read_cursor, read_filters
from service.core.siem.meaning import meaning
from service.core.upload import State, Upload
from service.core.verdict import Kind
from service.ports import Archive
from service.stages.desk import Desk, look
from service.stages.desk.export import csv_export, json_export
from service.stages.desk.timeline import MOST_ACTS, Timeline, timeline
from service.stages.log.receipt import make_receipt
from service.verify.signature import check_checkpoint
from service.web.console.entrance import Entrance

_PAGE: Final = 50
_MOST_SAME: Final = 20
_REVIEWER: Final = "reviewer:"
#: What a form sends for filters; everything else in an address is passed over.
_FILTERS: Final = (
    *("name", "account", "meeting", "id", "sha256", "signature", "verdict", "state", "since", "until"),
)


def blueprint(desk: Desk, entrance: Entrance) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("uploads", __name__)

    @routes.get("/uploads")
    @entrance.requires(Role.READER)
    def page() -> ResponseReturnValue:
        try:
            filters, cursor = read_filters(request.args), read_cursor(request.args)
        except BadRequest as error:
            return render_template("uploads.html", error=error, **_form()), 400
        entrance.log(Act.SEARCHED, **look.logged(desk.parts, filters), page=cursor and cursor.upload_id)
        found = look.search(desk.archive, filters, cursor, _PAGE)
        return render_template("uploads.html", found=found, filters=filters.parameters(), **_form())

    @routes.get("/uploads.csv")
    @entrance.requires(Role.READER)
    def csv() -> ResponseReturnValue:
        return _export(desk, entrance, csv_export, "csv", "text/csv; charset=utf-8; header=present")

    @routes.get("/uploads.jsonl")
    @entrance.requires(Role.READER)
    def jsonl() -> ResponseReturnValue:
        return _export(desk, entrance, json_export, "jsonl", "application/x-ndjson")

    @routes.get("/uploads/<upload_id>")
    @entrance.requires(Role.READER)
    def one(upload_id: str) -> ResponseReturnValue:
        upload = _upload(desk, upload_id)
        lines = timeline(desk.parts, upload, check_checkpoint)
        same = look.same_content(desk.archive, upload.id, upload.sha256, _MOST_SAME) if upload.sha256 else ()
        entrance.log(Act.UPLOAD_VIEWED, upload)
        return render_template(
            "upload.html",
            upload=upload,
            timeline=lines,
            same=same,
            must_stay=bool(desk.parts.holds.covering(upload.account_id, upload.meeting_id, upload.id)),
            downloads=_downloads(lines),
            people=_people(desk, lines),
            meaning=meaning,
            most_acts=MOST_ACTS,
            most_same=_MOST_SAME,
        )

    @routes.get("/uploads/<upload_id>/receipt")
    @entrance.requires(Role.READER)
    def receipt(upload_id: str) -> ResponseReturnValue:
        upload = _upload(desk, upload_id)
        document = make_receipt(desk.parts, upload).document()
        entrance.log(Act.RECEIPT_TAKEN, upload)
        answer = jsonify(document)
        answer.headers["Content-Disposition"] = f'attachment; filename="receipt-{upload.id}.json"'
        return answer

    return routes


def _upload(desk: Desk, untrusted_id: str) -> Upload:
    upload = desk.parts.ledger.find(untrusted_id) if UPLOAD_ID.fullmatch(untrusted_id) else None
    if upload is None:
        raise NotFound("There is no such upload.")
    return upload


def _form() -> dict[str, object]:
    """Return what the form shows: what was asked for, as it was written, and what can be chosen."""
    asked = {name: value for name in _FILTERS if (value := request.args.get(name, "").strip())}
    return {"asked": asked, "kinds": Kind, "states": State}


def _export(
    desk: Desk,
    entrance: Entrance,
    export: Callable[[Archive, Filters], Iterator[bytes]],
    form: str,
    content_type: str,
) -> Response:
    """Answer with everything that the filters in the address let through, once that is logged."""
    filters = read_filters(request.args)
    entrance.log(Act.EXPORTED, form=form, **look.logged(desk.parts, filters))
    answer = Response(export(desk.archive, filters), content_type=content_type)
    at = desk.parts.clock.now().strftime("%Y%m%dT%H%M%SZ")
    answer.headers["Content-Disposition"] = f'attachment; filename="uploads-{at}.{form}"'
    return answer


def _downloads(lines: Timeline) -> list[tuple[str, int, datetime]]:
    """Return who downloaded it, how often and when last, the latest first."""
    told = [
        (line.actor or "", line.told.at)
        for line in lines.lines
        if line.told and line.told.event == Act.DOWNLOADED
    ]
    times, last = Counter(actor for actor, _ in told), dict(sorted(told, key=lambda one: one[1]))
    return sorted(((actor, times[actor], at) for actor, at in last.items()), key=lambda one: one[2])[::-1]


def _people(desk: Desk, lines: Timeline) -> dict[str, str]:
    """Return the names of the reviewers among the actors, as they are called now."""
    actors = {line.actor for line in lines.lines if line.actor and line.actor.startswith(_REVIEWER)}
    known = {actor: desk.reviewers.get(actor.removeprefix(_REVIEWER)) for actor in actors}
    return {actor: reviewer.name for actor, reviewer in known.items() if reviewer}
