"""``/v1/uploads``: post, ask, list, download, delete."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, g, jsonify, request, url_for
from pydantic import Field

from service.core import errors
from service.core.caller import Caller, Scope
from service.core.errors import BadRequest
from service.core.naming import IDENTIFIER, PERSON, UPLOAD_ID
from service.core.representation import upload_document
from service.core.upload import RESTING, LogLine, State, Upload
from service.ports import Claim, Reply, Source
from service.stages import once, read, retention
from service.stages.parts import Parts
from service.stages.sweep import erase
from service.stages.take_in import Arrival, wait_for_rest
from service.web.public import documents, headers, retries
from service.web.public.body import MultipartBody, RawBody, open_form
from service.web.public.conventions import UPLOAD_PATH
from service.web.public.door import Door
from service.web.public.download import ANSWERS, download
from service.web.public.headers import LATER, LOCATION, PREFER, REPR_DIGEST
from service.web.public.operation import Answer, Content, Operation, Query, Whole
from service.web.public.pace import Pace
from service.web.public.ranges import RANGE
from service.web.public.slots import Slots

_PAGE: Final = 50


class _Post(Query):
    """What is said of a file that is sent."""

    meeting: str = Field(
        description="The meeting's id, which you choose.",
        pattern=f"^{IDENTIFIER.pattern}$",
        examples=["townhall-2026"],
    )
    name: str = Field(
        "",
        description="The file's name. Its extension must be one that `/v1/policy` lists. May be left out"
        " where a form names the file.",
        examples=["agenda.txt"],
        json_schema_extra={"format": "file-name"},
    )
    person: str | None = Field(
        None,
        pattern=f"^{PERSON.pattern}$",
        description="Who sends it, in your own words, for when a person's data are asked for. A grant says it"
        " itself.",
    )


class _Ask(Query):
    """How to ask for one upload."""

    wait: Whole = Field(
        0,
        le=999_999,
        description=f"Seconds to wait for a verdict; more than {headers.LONGEST_WAIT} count as that many.",
    )


class _Page(Query):
    """Which page of a meeting's uploads."""

    meeting: str = Field(
        description="The meeting's id.", pattern=f"^{IDENTIFIER.pattern}$", examples=["townhall-2026"]
    )
    limit: Whole = Field(_PAGE, ge=1, le=read.MOST_PER_PAGE, description="Uploads on a page.")
    cursor: str | None = Field(
        None, pattern=f"^{UPLOAD_ID.pattern}$", description="`next` of the page before."
    )


POST: Final = Operation(
    "Send a file",
    "uploads",
    {
        201: Answer(
            "The file came to rest: `released`, `held` or `blocked`.", documents.Upload, headers=LOCATION
        ),
        202: Answer(
            "The file is stored safely; its verdict is not there yet. Ask for it at `Location`.",
            documents.Upload,
            headers={**LOCATION, **LATER},
        ),
    },
    scope=Scope.UPLOAD,
    query=_Post,
    body=Content(
        "The file, as it is or as the one part of a form. Its own media"
        " type is as good as `application/octet-stream`; no body is an empty file.",
        ("application/octet-stream", "multipart/form-data"),
    ),
    headers=(PREFER, REPR_DIGEST),
    problems=(
        *(errors.TooLarge, errors.TypeNotAllowed, errors.Truncated, errors.DigestMismatch, errors.TooSlow),
        *(errors.Overloaded, errors.Conflict, errors.QuotaExceeded, errors.StoreUnavailable),
    ),
    description="The file is scanned while it arrives. Unless `Prefer` says otherwise the answer waits up to"
    f" {headers.DEFAULT_WAIT} seconds after the last byte for the verdict.",
)
ASK: Final = Operation(
    "Ask for an upload",
    "uploads",
    {200: Answer("The upload and the times of its steps.", documents.Upload, headers=LATER)},
    scope=Scope.READ,
    query=_Ask,
    path=UPLOAD_PATH,
    problems=(errors.NotFound,),
    description="An upload whose content was deleted is still there, with the state `erased`.",
)
PAGE: Final = Operation(
    "List a meeting's uploads",
    "uploads",
    {200: Answer("A page of uploads, newest first, and the cursor of the next page.", documents.UploadPage)},
    scope=Scope.READ,
    query=_Page,
)
CONTENT: Final = Operation(
    "Download a released file",
    "uploads",
    ANSWERS,
    scope=Scope.DOWNLOAD,
    headers=RANGE,
    path=UPLOAD_PATH,
    problems=(
        *(errors.NotFound, errors.NotReleased, errors.Gone, errors.Overloaded, errors.StoreUnavailable),
        errors.RangeNotSatisfiable,
    ),
    description="A browser that is led here saves the file and does nothing else with it.",
)
DELETE: Final = Operation(
    "Delete an upload",
    "uploads",
    {204: Answer("The content is gone; what stays is the record that it was.")},
    scope=Scope.DELETE,
    path=UPLOAD_PATH,
    problems=(errors.NotFound, errors.Busy, errors.UnderHold, errors.Conflict, errors.StoreUnavailable),
    description="May be called again: an upload that is deleted already stays so. The certificate that"
    " nothing of it is left is at `/v1/uploads/{upload_id}/certificate` a little later. What is under legal"
    " hold stays as it is, and can be downloaded where it is released.",
)


def blueprint(parts: Parts, slots: Slots, door: Door) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("uploads", __name__, url_prefix="/v1/uploads")
    pace = Pace(parts.policy.minimum_rate, parts.policy.rate_window)

    @routes.post("")
    @door.operation(POST)
    def post(caller: Caller, query: _Post, begun: Claim | once.Earlier | None) -> Response:
        patience = headers.preferred_wait(request.headers.get("Prefer", ""), headers.DEFAULT_WAIT)
        ended: list[float] = []
        with slots.upload(caller.account_id), ExitStack() as watching:
            watched = watching.enter_context(pace.watch(request.environ.get("gunicorn.socket")))
            watching.callback(lambda: ended.append(parts.clock.monotonic()))
            body = RawBody(request.stream, request.content_length, watched, watching.close)
            arrival, source = _arrival(parts, caller, query, patience, body)
            made = once.take_in_once(parts, arrival, source, begun)
        if isinstance(made, Reply):
            return retries.again(parts, made)
        # The sender's patience began with its last byte and was partly used up by the pass.
        return _created(parts, slots, made, patience - (parts.clock.monotonic() - ended[0]))

    @routes.get("/<upload_id>")
    @door.operation(ASK)
    def ask(caller: Caller, query: _Ask, upload_id: str) -> Response:
        upload = read.own_upload(parts, caller, upload_id)
        upload = _waited(parts, slots, upload, min(query.wait, headers.LONGEST_WAIT))
        return _answer(upload, parts.ledger.history(upload.id), retention.retained_until(parts, upload))

    @routes.get("")
    @door.operation(PAGE)
    def page(caller: Caller, query: _Page) -> Response:
        found, more = read.page(parts, caller, query.meeting, query.cursor, query.limit)
        return jsonify({"uploads": list(_documents(parts, found)), "next": more})

    @routes.get("/<upload_id>/content")
    @door.operation(CONTENT)
    def content(caller: Caller, upload_id: str) -> Response:
        upload = read.own_upload(parts, caller, upload_id)
        read.check_released(upload)
        return download(parts, slots, upload, caller.actor)

    @routes.delete("/<upload_id>")
    @door.operation(DELETE)
    def delete(caller: Caller, upload_id: str) -> Response:
        upload = read.own_upload(parts, caller, upload_id)
        if upload.state is not State.ERASED:
            erase(parts, upload, actor=caller.actor)
        return Response(status=204)

    return routes


def _waited(parts: Parts, slots: Slots, upload: Upload, patience: float) -> Upload:
    with slots.wait() as free:
        return wait_for_rest(parts, upload, patience) if free else upload


def _arrival(
    parts: Parts, caller: Caller, query: _Post, patience: float, body: RawBody
) -> tuple[Arrival, Source]:
    """Return what is said of the file, and where its bytes come from."""
    name = query.name
    source: RawBody | MultipartBody = body
    announced = request.content_length
    media_type = request.headers.get("Content-Type", "")
    if request.mimetype == "multipart/form-data":
        source = form = open_form(body, media_type, announced, parts.policy.max_file_size)
        name, media_type, announced = name or form.filename, form.media_type, None
    if not name:
        raise BadRequest("name is missing: give the file's name as ?name=deck.pptx")
    arrival = Arrival(
        caller=caller,
        untrusted_meeting=query.meeting,
        untrusted_name=name,
        untrusted_type=media_type,
        announced=announced,
        at_most=request.content_length,
        expected_sha256=headers.announced_sha256(request.headers.get("Repr-Digest", "")),
        patience=patience,
        request_id=g.request_id,
        untrusted_person=query.person,
    )
    return arrival, source


def _created(parts: Parts, slots: Slots, upload: Upload, patience: float) -> Response:
    """Answer for an upload that is durable: a ledger that is away by now costs it no more than its newest
    state and its history, because a sender that is told to try again would send the file twice.
    """
    history = until = None
    try:
        upload = _waited(parts, slots, upload, patience)
        until = retention.retained_until(parts, upload)
        history = parts.ledger.history(upload.id)
    except errors.LedgerUnavailable as error:
        parts.log.failure("answered_without_ledger", error, {"upload": upload.id})
    answer = _answer(upload, history, until)
    answer.status_code = 201 if upload.state in RESTING else 202
    answer.headers["Location"] = url_for("uploads.ask", upload_id=upload.id)
    return answer


def _documents(parts: Parts, uploads: Sequence[Upload]) -> Iterator[dict[str, Any]]:
    """Yield the documents of uploads of one meeting."""
    terms = retention.terms(parts, uploads[0].account_id, uploads[0].meeting_id) if uploads else None
    for upload in uploads:
        term = terms.of(upload) if terms else None
        yield upload_document(upload, retained_until=term.until if term else None)


def _answer(upload: Upload, history: Sequence[LogLine] | None, until: datetime | None) -> Response:
    answer = jsonify(upload_document(upload, history, until))
    if upload.state not in RESTING:
        answer.headers["Retry-After"] = "2"
    return answer
