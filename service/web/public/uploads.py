"""``/v1/uploads``: post, ask, list, download, delete."""

import re
import socket
from contextlib import ExitStack
from typing import Final

from flask import Blueprint, Response, g, jsonify, request, url_for

from service.core.errors import BadRequest, TooLarge
from service.core.naming import content_disposition, extension
from service.core.upload import RESTING, State, Upload
from service.ports import ApiKey
from service.stages import access, read
from service.stages.parts import UPLOAD_ID, Parts
from service.stages.sweep import erase
from service.stages.take_in import Arrival, take_in, wait_for_rest
from service.web.public import headers
from service.web.public.body import MultipartBody, RawBody
from service.web.public.pace import Pace
from service.web.public.representation import upload_document
from service.web.public.slots import Slots

_DEFAULT_WAIT: Final = 30
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


def blueprint(parts: Parts, slots: Slots) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("uploads", __name__, url_prefix="/v1/uploads")
    pace = Pace(parts.policy.minimum_rate, parts.policy.rate_window)

    @routes.post("")
    def post() -> Response:
        key = _key(parts, "upload")
        patience = headers.preferred_wait(request.headers.get("Prefer", ""), _DEFAULT_WAIT)
        with slots.upload(), ExitStack() as watching:
            watched = watching.enter_context(pace.watch(request.environ.get("gunicorn.socket")))
            body = RawBody(request.stream, request.content_length, watched, watching.close)
            upload = _take_in(parts, key, patience, body)
        return _answer(parts, _waited(parts, slots, upload, patience), created=True)

    @routes.get("/<upload_id>")
    def ask(upload_id: str) -> Response:
        upload = read.own_upload(parts, _key(parts, "read").account_id, upload_id)
        patience = headers.seconds(request.args.get("wait"))
        return _answer(parts, _waited(parts, slots, upload, patience))

    @routes.get("")
    def page() -> Response:
        key = _key(parts, "read")
        cursor = request.args.get("cursor")
        if cursor is not None and not UPLOAD_ID.fullmatch(cursor):
            raise BadRequest("cursor must be one that an earlier page gave.")
        found, more = read.page(parts, key.account_id, request.args.get("meeting", ""), cursor, _page_size())
        return jsonify({"uploads": [upload_document(upload) for upload in found], "next": more})

    @routes.get("/<upload_id>/content")
    def content(upload_id: str) -> Response:
        upload = read.own_upload(parts, _key(parts, "download").account_id, upload_id)
        read.check_released(upload)
        return _download(parts, slots, upload)

    @routes.delete("/<upload_id>")
    def delete(upload_id: str) -> Response:
        upload = read.own_upload(parts, _key(parts, "delete").account_id, upload_id)
        if upload.state is not State.ERASED:
            erase(parts, upload)
        return Response(status=204)

    return routes


def _key(parts: Parts, scope: str) -> ApiKey:
    scheme, _, untrusted_key = request.headers.get("Authorization", "").partition(" ")
    key = access.authenticate(parts, untrusted_key.strip() if scheme.lower() == "bearer" else "")
    access.require(key, scope)
    return key


def _waited(parts: Parts, slots: Slots, upload: Upload, patience: float) -> Upload:
    with slots.wait() as free:
        return wait_for_rest(parts, upload, patience) if free else upload


def _take_in(parts: Parts, key: ApiKey, patience: float, body: RawBody) -> Upload:
    name = request.args.get("name")
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
        account_id=key.account_id,
        untrusted_meeting=request.args.get("meeting", ""),
        untrusted_name=name,
        untrusted_type=media_type,
        announced=announced,
        expected_sha256=headers.announced_sha256(request.headers.get("Repr-Digest", "")),
        patience=patience,
        request_id=g.request_id,
    )
    return take_in(parts, arrival, source)


def _page_size() -> int:
    text = request.args.get("limit", str(_PAGE))
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= read.MOST_PER_PAGE:
        raise BadRequest(f"limit must be a whole number from 1 to {read.MOST_PER_PAGE}.")
    return int(text)


def _answer(parts: Parts, upload: Upload, *, created: bool = False) -> Response:
    answer = jsonify(upload_document(upload, parts.ledger.history(upload.id)))
    resting = upload.state in RESTING
    if created:
        answer.status_code = 201 if resting else 202
        answer.headers["Location"] = url_for("uploads.ask", upload_id=upload.id)
    if not resting:
        answer.headers["Retry-After"] = "2"
    return answer


def _download(parts: Parts, slots: Slots, upload: Upload) -> Response:
    kind = parts.policy.types.get(extension(upload.name))
    answer = Response(content_type=kind.media_type if kind else "application/octet-stream")
    if request.method == "GET":
        with ExitStack() as held:
            held.enter_context(slots.download())
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
