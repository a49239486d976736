"""Grants: what a presenter or a participant of one meeting may do, for some minutes.

A grant travels as a JSON Web Token (RFC 7519) whose claims are written and read here. Signatures are
checked elsewhere; nothing in a token counts before that.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

#: No grant lives longer; a meeting that takes longer refreshes it.
LONGEST_LIFE: Final = timedelta(minutes=15)
#: How far the clocks of those who issue tokens may be ahead of ours (RFC 7519, 4.1.5).
CLOCK_SKEW: Final = timedelta(seconds=30)
#: The explicit type of our tokens (RFC 8725, 3.11), so that no other token of the same key is taken for one.
TOKEN_TYPE: Final = "greenroom-grant+jwt"  # noqa: S105 - no secret
#: The claims of a grant. A token with others than these is refused: what we do not know we cannot enforce.
CLAIMS: Final = frozenset(
    {"iss", "aud", "jti", "iat", "nbf", "exp", "kind", "meeting", "file", "max_files", "max_bytes", "types"}
)
MOST_FILES: Final = 1000
MOST_BYTES: Final = 1 << 50
_MOST_TYPES: Final = 64


class GrantKind(StrEnum):
    """Whom a grant is for."""

    UPLOAD = "upload"
    DOWNLOAD = "download"


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant.

    An upload grant allows at most ``max_files`` files of ``max_bytes`` bytes together into a meeting, and
    only the extensions in ``types`` where any are named. A download grant allows the released files of a
    meeting, or only the one that ``upload_id`` names. Lives from ``issued_at`` to ``expires_at``.
    """

    id: str
    account_id: str
    kind: GrantKind
    meeting_id: str
    issued_at: datetime
    expires_at: datetime
    upload_id: str | None = None
    max_files: int | None = None
    max_bytes: int | None = None
    types: frozenset[str] = frozenset()

    def same_rights(self, other: "Grant") -> bool:
        """Tell whether ``other`` allows the same, whenever it was issued."""
        return replace(self, issued_at=other.issued_at, expires_at=other.expires_at) == other
