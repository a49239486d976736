"""``/v1/uploads``: post, ask, list, download, delete."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from flask import Blueprint, Request, Response, g, jsonify, request, url_for

from service.core.errors import BadRequest, Overloaded, TooLarge
from service.core.naming import content_disposition
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

_DEFAULT_WAIT: Final = 30
_PAGE: Final = 50
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


def blueprint(parts: Parts, upload_slots: int) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("uploads", __name__, url_prefix="/v1/uploads")
    pace = Pace(parts.policy.minimum_rate, parts.policy.rate_window)
    slots = threading.BoundedSemaphore(upload_slots)

    @routes.post("")
    def post() -> Response:
        key = _key(parts, "upload")
        with _slot(slots), pace.watch(request.environ.get("gunicorn.socket")) as watched:
            upload = _take_in(parts, key, request, RawBody(request.stream, watched))
        return _answer(parts, upload, created=True)

    @routes.get("/<upload_id>")
    def ask(upload_id: str) -> Response:
        upload = read.own_upload(parts, _key(parts, "read").account_id, upload_id)
        patience = headers.seconds(request.args.get("wait"))
        return _answer(parts, wait_for_rest(parts, upload, patience))

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
        return _download(parts, upload)

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


@contextmanager
def _slot(slots: threading.BoundedSemaphore) -> Iterator[None]:
    if not slots.acquire(blocking=False):
        raise Overloaded("Too many uploads are under way. Try again in a few seconds.")
    try:
        yield
    finally:
        slots.release()


def _take_in(parts: Parts, key: ApiKey, posted: Request, body: RawBody) -> Upload:
    name = posted.args.get("name")
    source: RawBody | MultipartBody = body
    announced = posted.content_length
    media_type = posted.headers.get("Content-Type", "")
    if posted.mimetype == "multipart/form-data":
        _check_form_length(announced, parts.policy.max_file_size)
        source = form = MultipartBody(body, media_type)
        form.open()
        name, media_type, announced = name or form.filename, form.media_type, None
    if not name:
        raise BadRequest("name is missing: give the file's name as ?name=deck.pptx")
    arrival = Arrival(
        account_id=key.account_id,
        untrusted_meeting=posted.args.get("meeting", ""),
        untrusted_name=name,
        untrusted_type=media_type,
        announced=announced,
        expected_sha256=headers.announced_sha256(posted.headers.get("Repr-Digest", "")),
        patience=headers.preferred_wait(posted.headers.get("Prefer", ""), _DEFAULT_WAIT),
        request_id=g.request_id,
    )
    return take_in(parts, arrival, source)


def _check_form_length(length: int | None, limit: int) -> None:
    if length is not None and length > limit + _FORM_OVERHEAD:
        raise TooLarge(f"The form has {length} bytes; a file may have at most {limit}.")


def _page_size() -> int:
    text = request.args.get("limit", str(_PAGE))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= read.MOST_PER_PAGE:
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


def _download(parts: Parts, upload: Upload) -> Response:
    kind = parts.policy.types.get(upload.name.rpartition(".")[2].lower())
    chunks = read.released_content(parts, upload) if request.method == "GET" else iter(())
    answer = Response(chunks, content_type=kind.media_type if kind else "application/octet-stream")
    answer.headers.update(_DOWNLOAD_HEADERS)
    answer.headers["Content-Disposition"] = content_disposition(upload.name)
    answer.headers["Content-Length"] = str(upload.size)
    answer.headers["Repr-Digest"] = headers.repr_digest(upload.sha256 or "")
    return answer
