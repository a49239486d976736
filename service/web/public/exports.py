"""Exports: ``/v1/accounts/{account}/export``, ``.../persons/{person}/export`` and ``/v1/exports``."""

from contextlib import ExitStack
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request, url_for
from pydantic import Field

from service.core import errors
from service.core.caller import Caller, Scope
from service.core.export import EXPORT_ID, Export, Phase
from service.core.naming import IDENTIFIER, PERSON
from service.core.representation import rfc3339
from service.stages.exporting import hand_out
from service.stages.exporting.ask import ask, known_export
from service.stages.parts import Parts
from service.web.public import headers
from service.web.public.documents import Document
from service.web.public.door import Door
from service.web.public.download import HEADERS, bound_stalls
from service.web.public.operation import Answer, Operation, PathPart, Sent
from service.web.public.ranges import RANGE, answers, asked_part, say
from service.web.public.slots import Slots

_ZIP: Final = "application/zip"
#: Seconds after which to ask again for one that is being built.
_AGAIN: Final = "5"
_ACCOUNT_PATH: Final = {"account": PathPart("The account's id.", f"^{IDENTIFIER.pattern}$", "acme")}
_PERSON_PATH: Final = _ACCOUNT_PATH | {
    "person": PathPart("What the account calls the person.", f"^{PERSON.pattern}$", "jo@example.com")
}
_EXPORT_PATH: Final = {
    "export_id": PathPart("The export's id.", f"^{EXPORT_ID.pattern}$", "ex_0199f3a1c2d45e6f708192a3b4c5d6e7")
}
_ANSWERS: Final = answers(
    "The zip.",
    _ZIP,
    {
        "Content-Disposition": Sent("An attachment with a name (RFC 6266).", always=True),
        **{name: Sent("", {"const": value}, always=True) for name, value in HEADERS.items()},
    },
    {"const": "bytes"},
)


class ExportDocument(Document):
    """An export: all that is kept of an account or of one of its people."""

    id: str
    account: str
    person: str | None = Field(description="Of whom alone it is; `null`: of the whole account.")
    state: Phase
    progress: float = Field(description="How much of it is there, from 0 to 1.", ge=0, le=1)
    asked_at: datetime
    due_at: datetime = Field(description="Until when whoever asked must have an answer: a month later.")
    ready_at: datetime | None
    expires_at: datetime | None = Field(description="Until when it can be downloaded.")
    taken_at: datetime | None = Field(description="When it was first downloaded.")
    size: int | None
    sha256: str | None
    content: str | None = Field(description="Where to download it, once it is `ready`.")


def _asking(summary: str, path: dict[str, PathPart], description: str) -> Operation:
    return Operation(
        summary,
        "exports",
        {
            202: Answer(
                "It will be put together. Ask at `Location` how far it is.",
                ExportDocument,
                headers={**headers.LOCATION, **headers.LATER},
            )
        },
        scope=Scope.EXPORT,
        administrators=True,
        path=path,
        problems=(errors.NotFound,),
        description=f"{description} While one of the same is on its way, that one is answered.",
    )


OF_ACCOUNT: Final = _asking(
    "Export an account",
    dict(_ACCOUNT_PATH),
    "A zip of the released files and of all records (JSON): uploads, verdicts, downloads, decisions, grants,"
    " meetings. Files that are held or infected are told of and not contained. Administrators may ask for any"
    " account that was not erased: one that was removed can be handed its data.",
)
OF_PERSON: Final = _asking(
    "Export one person's data",
    dict(_PERSON_PATH),
    "A zip of what was uploaded by one person, and of what is known of it. Nothing of anybody else is in it.",
)
ASK: Final = Operation(
    "Ask for an export",
    "exports",
    {200: Answer("How far it is.", ExportDocument, headers=headers.LATER)},
    scope=Scope.EXPORT,
    administrators=True,
    path=_EXPORT_PATH,
    problems=(errors.NotFound,),
)
CONTENT: Final = Operation(
    "Download an export",
    "exports",
    _ANSWERS,
    scope=Scope.EXPORT,
    administrators=True,
    path=_EXPORT_PATH,
    headers=RANGE,
    problems=(
        *(errors.NotFound, errors.ExportNotReady, errors.Gone, errors.RangeNotSatisfiable),
        *(errors.Overloaded, errors.StoreUnavailable),
    ),
)


def blueprint(parts: Parts, slots: Slots, door: Door) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("exports", __name__, url_prefix="/v1")

    @routes.post("/accounts/<account>/export")
    @door.operation(OF_ACCOUNT)
    def of_account(caller: Caller, account: str) -> Response:
        return _accepted(ask(parts, caller, account, None))

    @routes.post("/accounts/<account>/persons/<person>/export")
    @door.operation(OF_PERSON)
    def of_person(caller: Caller, account: str, person: str) -> Response:
        return _accepted(ask(parts, caller, account, person))

    @routes.get("/exports/<export_id>")
    @door.operation(ASK)
    def one(caller: Caller, export_id: str) -> Response:
        return _told(known_export(parts, caller, export_id))

    @routes.get("/exports/<export_id>/content")
    @door.operation(CONTENT)
    def content(caller: Caller, export_id: str) -> Response:
        export = known_export(parts, caller, export_id)
        hand_out.check_ready(parts, export)
        return _download(parts, slots, export, caller.actor)

    return routes


def _accepted(export: Export) -> Response:
    answer = _told(export)
    answer.status_code = 202
    answer.headers["Location"] = url_for("exports.one", export_id=export.id)
    return answer


def _told(export: Export) -> Response:
    answer = jsonify(_document(export))
    if export.phase in {Phase.QUEUED, Phase.BUILDING}:
        answer.headers["Retry-After"] = _AGAIN
    return answer


def _document(export: Export) -> dict[str, Any]:
    ready = export.phase is Phase.READY
    return {
        "id": export.id,
        "account": export.account_id,
        "person": export.person,
        "state": export.phase.value,
        "progress": round(export.progress, 3),
        "asked_at": rfc3339(export.asked_at),
        "due_at": rfc3339(export.due_at),
        "ready_at": export.ready_at and rfc3339(export.ready_at),
        "expires_at": export.expires_at and rfc3339(export.expires_at),
        "taken_at": export.taken_at and rfc3339(export.taken_at),
        "size": export.size,
        "sha256": export.sha256,
        "content": url_for("exports.content", export_id=export.id) if ready else None,
    }


def _download(parts: Parts, slots: Slots, export: Export, actor: str) -> Response:
    sha256, size = export.sha256 or "", export.size or 0
    part = asked_part(sha256, size)
    answer = Response(content_type=_ZIP)
    if request.method == "GET":
        with ExitStack() as held:
            held.enter_context(slots.download(export.account_id))
            bound_stalls(request.environ.get("gunicorn.socket"))
            answer.response = hand_out.content(parts, export, part, actor)
            answer.call_on_close(held.pop_all().close)
    answer.headers.update(HEADERS)
    answer.headers["Content-Disposition"] = f'attachment; filename="{export.id}.zip"'
    say(answer, sha256, size, part)
    return answer
