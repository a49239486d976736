"""``/v1/uploads``: post, ask, list, download, delete."""

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from flask import Blueprint, Response, g, jsonify, request, url_for
from pydantic import Field

from service.core import errors
from service.core.caller import Caller, Scope
from service.core.errors import BadRequest, TooLarge
from service.core.naming import IDENTIFIER, content_disposition, extension
from service.core.representation import upload_document
from service.core.upload import RESTING, LogLine, State, Upload
from service.stages import read
from service.stages.parts import UPLOAD_ID, Parts
from service.stages.sweep import erase
from service.stages.take_in import Arrival, take_in, wait_for_rest
from service.web.public import headers
from service.web.public.body import MultipartBody, RawBody
from service.web.public.headers import LATER, PREFER, REPR_DIGEST
from service.web.public.operation import Answer, Content, Door, Operation, Query, Whole
from service.web.public.pace import Pace
from service.web.public.slots import Slots

_PAGE: Final = 50
#: Seconds in which a download must take a chunk of 256 KiB.
_STALL: Final = 30.0
#: Room for a form's boundaries and part headers around the largest file.
_FORM_OVERHEAD: Final = 64 * 1024
#: What a browser may do with a download: nothing but save it.
_DOWNLOAD_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-site",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Accept-Ranges": "none",
}


class _Post(Query):
    """What is said of a file that is sent."""

    meeting: str = Field(description="The meeting's id.", pattern=f"^{IDENTIFIER.pattern}$")
    name: str = Field("", description="The file's name. May be left out where a form names it.")


class _Ask(Query):
    """How to ask for one upload."""

    wait: Whole = Field(
        0, lt=10**6, description=f"Seconds to wait for a verdict, at most {headers.LONGEST_WAIT}."
    )


class _Page(Query):
    """Which page of a meeting's uploads."""

    meeting: str = Field(description="The meeting's id.", pattern=f"^{IDENTIFIER.pattern}$")
    limit: Whole = Field(_PAGE, ge=1, le=read.MOST_PER_PAGE, description="Uploads on a page.")
    cursor: str | None = Field(
        None, pattern=f"^{UPLOAD_ID.pattern}$", description="`next` of the page before."
    )


_ID: Final = {"upload_id": "The upload's id."}
POST: Final = Operation(
    "Send a file",
    "uploads",
    {
        201: Answer("The file came to rest: released, held or blocked.", headers={"Location": "The upload."}),
        202: Answer("The file is stored safely; its verdict is not there yet.", headers=LATER),
    },
    scope=Scope.UPLOAD,
    query=_Post,
    body=Content("The file, as it is or as the one part of a form.", ("*/*", "multipart/form-data")),
    headers=(PREFER, REPR_DIGEST),
    problems=(
        *(errors.TooLarge, errors.TypeNotAllowed, errors.Truncated, errors.DigestMismatch, errors.TooSlow),
        *(errors.Overloaded, errors.Conflict, errors.QuotaExceeded),
    ),
)
ASK: Final = Operation(
    "Ask for an upload",
    "uploads",
    {200: Answer("The upload and the times of its steps.", headers=LATER)},
    scope=Scope.READ,
    query=_Ask,
    path=_ID,
    problems=(errors.NotFound,),
)
PAGE: Final = Operation(
    "List a meeting's uploads",
    "uploads",
    {200: Answer("A page of uploads, newest first, and the cursor of the next page.")},
    scope=Scope.READ,
    query=_Page,
)
CONTENT: Final = Operation(
    "Download a released file",
    "uploads",
    {200: Answer("The file.", media_type="*/*", headers={"Repr-Digest": "The file's SHA-256 (RFC 9530)."})},
    scope=Scope.DOWNLOAD,
    path=_ID,
    problems=(errors.NotFound, errors.NotReleased, errors.Gone, errors.Overloaded),
)
DELETE: Final = Operation(
    "Delete an upload",
    "uploads",
    {204: Answer("The content is gone; what stays is the record that it was.")},
    scope=Scope.DELETE,
    path=_ID,
    problems=(errors.NotFound, errors.Busy, errors.Conflict),
)


def blueprint(parts: Parts, slots: Slots, door: Door) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("uploads", __name__, url_prefix="/v1/uploads")
    pace = Pace(parts.policy.minimum_rate, parts.policy.rate_window)

    @routes.post("")
    @door.operation(POST)
    def post(caller: Caller, query: _Post) -> Response:
        patience = headers.preferred_wait(request.headers.get("Prefer", ""), headers.DEFAULT_WAIT)
        with slots.upload(caller.account_id), ExitStack() as watching:
            watched = watching.enter_context(pace.watch(request.environ.get("gunicorn.socket")))
            body = RawBody(request.stream, request.content_length, watched, watching.close)
            upload = _take_in(parts, caller, query, patience, body)
        return _created(parts, slots, upload, patience)

    @routes.get("/<upload_id>")
    @door.operation(ASK)
    def ask(caller: Caller, query: _Ask, upload_id: str) -> Response:
        upload = read.own_upload(parts, caller, upload_id)
        upload = _waited(parts, slots, upload, min(query.wait, headers.LONGEST_WAIT))
        return _answer(upload, parts.ledger.history(upload.id))

    @routes.get("")
    @door.operation(PAGE)
    def page(caller: Caller, query: _Page) -> Response:
        found, more = read.page(parts, caller, query.meeting, query.cursor, query.limit)
        return jsonify({"uploads": [upload_document(upload) for upload in found], "next": more})

    @routes.get("/<upload_id>/content")
    @door.operation(CONTENT)
    def content(caller: Caller, upload_id: str) -> Response:
        upload = read.own_upload(parts, caller, upload_id)
        read.check_released(upload)
        return _download(parts, slots, upload)

    @routes.delete("/<upload_id>")
    @door.operation(DELETE)
    def delete(caller: Caller, upload_id: str) -> Response:
        upload = read.own_upload(parts, caller, upload_id)
        if upload.state is not State.ERASED:
            erase(parts, upload)
        return Response(status=204)

    return routes


def _waited(parts: Parts, slots: Slots, upload: Upload, patience: float) -> Upload:
    with slots.wait() as free:
        return wait_for_rest(parts, upload, patience) if free else upload


def _take_in(parts: Parts, caller: Caller, query: _Post, patience: float, body: RawBody) -> Upload:
    name = query.name
    source: RawBody | MultipartBody = body
    announced = request.content_length
    media_type = request.headers.get("Content-Type", "")
    if request.mimetype == "multipart/form-data":
        limit = parts.policy.max_file_size + _FORM_OVERHEAD
        if announced is not None and announced > limit:
            raise TooLarge(f"The form has {announced} bytes; a file may have {parts.policy.max_file_size}.")
        source = form = MultipartBody(body, media_type, limit)
        form.open()
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
    )
    return take_in(parts, arrival, source)


def _created(parts: Parts, slots: Slots, upload: Upload, patience: float) -> Response:
    """Answer for an upload that is durable: a ledger that is away by now costs it no more than its newest
    state and its history, because a sender that is told to try again would send the file twice.
    """
    history = None
    try:
        upload = _waited(parts, slots, upload, patience)
        history = parts.ledger.history(upload.id)
    except errors.LedgerUnavailable as error:
        parts.log.failure("answered_without_ledger", error, {"upload": upload.id})
    answer = _answer(upload, history)
    answer.status_code = 201 if upload.state in RESTING else 202
    answer.headers["Location"] = url_for("uploads.ask", upload_id=upload.id)
    return answer


def _answer(upload: Upload, history: Sequence[LogLine] | None) -> Response:
    answer = jsonify(upload_document(upload, history))
    if upload.state not in RESTING:
        answer.headers["Retry-After"] = "2"
    return answer


def _download(parts: Parts, slots: Slots, upload: Upload) -> Response:
    kind = parts.policy.types.get(extension(upload.name))
    answer = Response(content_type=kind.media_type if kind else "application/octet-stream")
    if request.method == "GET":
        with ExitStack() as held:
            held.enter_context(slots.download(upload.account_id))
            _bound_stalls(request.environ.get("gunicorn.socket"))
            answer.response = read.released_content(parts, upload)
            answer.call_on_close(held.pop_all().close)
    answer.headers.update(_DOWNLOAD_HEADERS)
    answer.headers["Content-Disposition"] = content_disposition(upload.name)
    answer.headers["Content-Length"] = str(upload.size)
    answer.headers["Repr-Digest"] = headers.repr_digest(upload.sha256 or "")
    return answer


def _bound_stalls(connection: socket.socket | None) -> None:
    """Let a client that takes less than one chunk in this time lose its download, not a thread."""
    if connection is not None:
        connection.settimeout(_STALL)
