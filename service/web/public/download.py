"""A released content as an HTTP answer."""

import socket
from contextlib import ExitStack
from typing import Final

from flask import Response, request

from service.core.journal import Act, of_upload
from service.core.naming import content_disposition, extension
from service.core.upload import Upload
from service.stages import read
from service.stages.parts import Parts
from service.web.public.operation import Sent
from service.web.public.ranges import answers, asked_part, say
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
ANSWERS: Final = answers(
    "The file. Those that came before contents were sealed are given whole.",
    "*/*",
    {
        "Content-Disposition": Sent("An attachment with the file's name (RFC 6266).", always=True),
        **{name: Sent("", {"const": value}, always=True) for name, value in HEADERS.items()},
    },
    {"enum": ["bytes", "none"]},
)


def download(parts: Parts, slots: Slots, upload: Upload, actor: str) -> Response:
    """Return a released content, or the part that is asked for, as an attachment, once it is logged that
    ``actor`` gets it.

    Raises ``Overloaded``, ``StoreUnavailable`` and ``LedgerUnavailable``: what cannot be logged is not given;
    ``NotReleased`` for an upload that was withdrawn since it was looked up; ``RangeNotSatisfiable``.
    """
    kind = parts.policy.types.get(extension(upload.name))
    answer = Response(content_type=kind.media_type if kind else "application/octet-stream")
    sha256, size, sealed = upload.sha256 or "", upload.size or 0, upload.content_key is not None
    # A part is proved by the frames that it lies in; of what is not sealed only the whole can be.
    part = asked_part(sha256, size) if sealed else None
    if request.method == "GET":
        with ExitStack() as held:
            held.enter_context(slots.download(upload.account_id))
            bound_stalls(request.environ.get("gunicorn.socket"))
            answer.response = read.released_content(parts, upload, part)
            parts.ledger.downloaded(of_upload(upload, Act.DOWNLOADED, parts.clock.now(), actor))
            answer.call_on_close(held.pop_all().close)
    answer.headers.update(HEADERS)
    answer.headers["Content-Disposition"] = content_disposition(upload.name)
    say(answer, sha256, size, part)
    if not sealed:
        answer.headers["Accept-Ranges"] = "none"
    return answer


def bound_stalls(connection: socket.socket | None) -> None:
    """Let a client that takes less than one chunk in this time lose its download, not a thread."""
    if connection is not None:
        connection.settimeout(_STALL)
