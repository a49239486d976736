"""A released content as an HTTP answer."""

import socket
from contextlib import ExitStack
from http import HTTPStatus
from typing import Final

from flask import Response, request

from service.core.journal import Act, of_upload
from service.core.naming import content_disposition, extension
from service.core.span import Span, asked_span
from service.core.upload import Upload
from service.stages import read
from service.stages.parts import Parts
from service.web.public import headers
from service.web.public.operation import Answer, Header, Sent
from service.web.public.slots import Slots

#: Seconds in which a download must take a chunk of 256 KiB.
_STALL: Final = 30.0
#: What a browser may do with a download: nothing but save it.
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-site",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
#: How a client asks for a part of a content, as to go on with a download that broke off.
RANGE: Final = (
    Header(
        "Range",
        "`bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-COUNT` (RFC 9110, 14). Several ranges, and what is no "
        "range of bytes, mean the whole file.",
        {"type": "string"},
    ),
    Header(
        "If-Range",
        "The `ETag` that the part before came with. If it is not the file's, the whole file is answered.",
        {"type": "string"},
    ),
)
#: What a content comes with, whole or in part.
SENT: Final = {
    "Content-Disposition": Sent("An attachment with the file's name (RFC 6266).", always=True),
    **headers.SENT_DIGEST,
    "ETag": Sent(
        "The SHA-256 of the whole file, quoted, for `If-Range`.",
        {"type": "string", "pattern": '^"[0-9a-f]{64}"$'},
        always=True,
    ),
    **{name: Sent("", {"const": value}, always=True) for name, value in HEADERS.items()},
}
ANSWERS: Final = {
    200: Answer(
        "The file.",
        media_type="*/*",
        headers={
            **SENT,
            "Accept-Ranges": Sent(
                "`none` for files that came before contents were sealed: they are given whole.",
                {"enum": ["bytes", "none"]},
                always=True,
            ),
        },
    ),
    206: Answer(
        "A part of the file. Each stretch of it was proved for itself to be what was scanned.",
        media_type="*/*",
        headers={
            **SENT,
            "Accept-Ranges": Sent("", {"const": "bytes"}, always=True),
            "Content-Range": Sent(
                "`bytes FIRST-LAST/SIZE`: which part of the whole file it is.",
                {"type": "string", "pattern": "^bytes [0-9]+-[0-9]+/[0-9]+$"},
                always=True,
            ),
        },
    ),
}


def download(parts: Parts, slots: Slots, upload: Upload, actor: str) -> Response:
    """Return a released content, or the part that is asked for, as an attachment, once it is logged that
    ``actor`` gets it.

    Raises ``Overloaded``, ``StoreUnavailable`` and ``LedgerUnavailable``: what cannot be logged is not given;
    ``NotReleased`` for an upload that was withdrawn since it was looked up; ``RangeNotSatisfiable``.
    """
    kind = parts.policy.types.get(extension(upload.name))
    answer = Response(content_type=kind.media_type if kind else "application/octet-stream")
    span = _span(upload)
    if request.method == "GET":
        with ExitStack() as held:
            held.enter_context(slots.download(upload.account_id))
            _bound_stalls(request.environ.get("gunicorn.socket"))
            answer.response = read.released_content(parts, upload, span)
            parts.ledger.downloaded(of_upload(upload, Act.DOWNLOADED, parts.clock.now(), actor))
            answer.call_on_close(held.pop_all().close)
    answer.headers.update(HEADERS)
    answer.headers["Content-Disposition"] = content_disposition(upload.name)
    answer.headers["Accept-Ranges"] = "none" if upload.content_key is None else "bytes"
    answer.headers["Content-Length"] = str(span.size if span else upload.size)
    answer.headers["ETag"] = _etag(upload)
    answer.headers["Repr-Digest"] = headers.repr_digest(upload.sha256 or "")
    if span is not None:
        answer.status_code = HTTPStatus.PARTIAL_CONTENT
        answer.headers["Content-Range"] = f"bytes {span.first}-{span.last}/{upload.size}"
    return answer


def _span(upload: Upload) -> Span | None:
    """Return the part that the request asks for, ``None`` for the whole content.

    A part is proved by the frames that it lies in; of a content that is not sealed only the whole can be
    (its SHA-256). ``Range`` is for GET alone (RFC 9110, 14.2).
    """
    untrusted = request.headers.get("Range")
    if untrusted is None or request.method != "GET" or upload.content_key is None:
        return None
    # Nothing else is a strong validator of ours (RFC 9110, 13.1.5).
    if request.headers.get("If-Range", _etag(upload)).strip() != _etag(upload):
        return None
    return asked_span(untrusted, upload.size or 0)


def _etag(upload: Upload) -> str:
    return f'"{upload.sha256}"'


def _bound_stalls(connection: socket.socket | None) -> None:
    """Let a client that takes less than one chunk in this time lose its download, not a thread."""
    if connection is not None:
        connection.settimeout(_STALL)
