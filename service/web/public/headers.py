"""Reading the request headers that matter to uploads."""

import base64
import binascii
import re
from typing import Final

from service.core.errors import BadRequest
from service.web.public.operation import Header, Sent

LONGEST_WAIT: Final = 60
#: Seconds that a sender waits for the verdict where it does not say.
DEFAULT_WAIT: Final = 30
#: How a sender says how long it waits for the verdict.
PREFER: Final = Header(
    "Prefer",
    f"`wait=N`: seconds to wait for the verdict (RFC 7240), at most {LONGEST_WAIT}.",
    {"type": "string"},
)
#: How a sender has its content checked.
REPR_DIGEST: Final = Header(
    "Repr-Digest",
    "`sha-256=:BASE64:`; a content with another digest is refused (RFC 9530).",
    {"type": "string"},
)
#: What an upload's document comes with while it is not at rest.
LATER: Final = {
    "Retry-After": Sent(
        "Seconds after which to ask again, where the verdict is not there yet.", {"type": "integer"}
    )
}
#: Where to ask for what was made.
LOCATION: Final = {
    "Location": Sent("Where to ask for it.", {"type": "string", "format": "uri-reference"}, always=True)
}
#: What a content comes with.
SENT_DIGEST: Final = {
    "Repr-Digest": Sent(
        "The content's SHA-256 (RFC 9530).",
        {"type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$"},
        always=True,
    )
}
_SHA256_BYTES: Final = 32
_PREFER_WAIT: Final = re.compile(r'(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?=$|[,;])', re.IGNORECASE)
#: Old habits write the algorithm in capitals; a sender who means a digest must not go unchecked.
_SHA256: Final = re.compile(r"(?:^|,)\s*sha-256(?![\w.*-])\s*=?\s*([^,]*)", re.IGNORECASE)
_BYTES: Final = re.compile(r":([A-Za-z0-9+/]*={0,2}):\s*")


def preferred_wait(prefer: str, otherwise: int) -> int:
    """Return the seconds that ``Prefer: wait=N`` asks for (RFC 7240, 4.3), at most 60."""
    match = _PREFER_WAIT.search(prefer)
    return min(int(match[1]), LONGEST_WAIT) if match else otherwise


def announced_sha256(repr_digest: str) -> str | None:
    """Return the SHA-256 (hex) that ``Repr-Digest`` announces (RFC 9530), or ``None`` if it names none.

    Other algorithms are passed over; of two SHA-256 the last counts, as in any structured dictionary
    (RFC 8941, 4.2.2). Raises ``BadRequest`` if it is malformed.
    """
    found: list[str] = _SHA256.findall(repr_digest)
    if not found:
        return None
    value = _BYTES.fullmatch(found[-1])
    try:
        digest = base64.b64decode(value[1], validate=True) if value else b""
    except binascii.Error:
        digest = b""
    if len(digest) != _SHA256_BYTES:
        raise BadRequest("Repr-Digest must be like sha-256=:BASE64: with 32 bytes.")
    return digest.hex()


def repr_digest(sha256: str) -> str:
    """Return the ``Repr-Digest`` value for a SHA-256 in hex."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"
