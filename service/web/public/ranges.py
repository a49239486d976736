"""Parts of what is downloaded (RFC 9110, 14): how they are asked for, and what an answer says of them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from flask import Response, request

from service.core.byterange import ByteRange, asked_range
from service.web.public.headers import SENT_DIGEST, repr_digest
from service.web.public.operation import Answer, Header, Sent

#: How a client asks for a part of a content, as to go on with a download that broke off.
RANGE: Final = (
    Header(
        "Range",
        "`bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-COUNT` (RFC 9110, 14). Several ranges, and what is no "
        "range of bytes, mean the whole.",
        {"type": "string"},
    ),
    Header(
        "If-Range",
        "The `ETag` that the part before came with. If it is another by now, the whole is answered.",
        {"type": "string"},
    ),
)
_PART: Final = Sent(
    "`bytes FIRST-LAST/SIZE`: which part of the whole it is.",
    {"type": "string", "pattern": "^bytes [0-9]+-[0-9]+/[0-9]+$"},
    always=True,
)


def answers(
    whole: str, media_type: str, sent: Mapping[str, Sent], accepted: Mapping[str, object]
) -> dict[int, Answer]:
    """Return the answers to a download: the whole, and a part of it. ``accepted`` is the schema of the
    whole's ``Accept-Ranges``.
    """
    etag = {"type": "string", "pattern": '^"[0-9a-f]{64}"$'}
    said = {
        **sent,
        **SENT_DIGEST,
        "ETag": Sent("The SHA-256 of the whole, quoted, for `If-Range`.", etag, always=True),
    }
    of_whole = said | {"Accept-Ranges": Sent("Whether parts are given.", accepted, always=True)}
    of_part = said | {"Accept-Ranges": Sent("", {"const": "bytes"}, always=True), "Content-Range": _PART}
    return {
        200: Answer(whole, media_type=media_type, headers=of_whole),
        206: Answer(
            "A part of it. Each stretch of it was proved for itself.", media_type=media_type, headers=of_part
        ),
    }


def asked_part(sha256: str, size: int) -> ByteRange | None:
    """Return the part that the request asks for of a content, ``None`` for the whole.

    Of HTTP's methods GET alone knows ranges (RFC 9110, 14.2), and nothing but the strong ``ETag`` says that
    two parts are of one content (13.1.5). Raises ``RangeNotSatisfiable``.
    """
    untrusted = request.headers.get("Range")
    etag = _etag(sha256)
    if request.method != "GET" or untrusted is None or request.headers.get("If-Range", etag).strip() != etag:
        return None
    return asked_range(untrusted, size)


def say(answer: Response, sha256: str, size: int, part: ByteRange | None) -> None:
    """Set what an answer says of the content that it brings: all of it, or a ``part``."""
    answer.headers["Accept-Ranges"] = "bytes"
    answer.headers["Content-Length"] = str(part.length if part else size)
    answer.headers["ETag"] = _etag(sha256)
    answer.headers["Repr-Digest"] = repr_digest(sha256)
    if part is not None:
        answer.status_code = HTTPStatus.PARTIAL_CONTENT
        answer.headers["Content-Range"] = part.header()


def _etag(sha256: str) -> str:
    return f'"{sha256}"'
