"""Grants: what a presenter or a participant of one meeting may do, for some minutes.

A grant travels as a JSON Web Token (RFC 7519) whose claims are written and read here. Signatures are
checked elsewhere; nothing in a token counts before that.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from service.core.errors import GrantExpired, Unauthenticated
from service.core.naming import EXTENSION, IDENTIFIER, PERSON, UPLOAD_ID

#: No token lives longer; a meeting that takes longer refreshes its grants.
LONGEST_LIFE: Final = timedelta(minutes=15)
#: No grant is refreshed for longer than this after it was made.
LONGEST_REFRESHED: Final = timedelta(hours=24)
#: How far the clocks of those who issue tokens may be ahead of ours (RFC 7519, 4.1.5).
CLOCK_SKEW: Final = timedelta(seconds=30)
#: The explicit type of our tokens (RFC 8725, 3.11), so that no other token of the same key is taken for one.
TOKEN_TYPE: Final = "greenroom-grant+jwt"  # noqa: S105 - no secret
#: The issuer of the grants that this service mints. An account that mints its own is their issuer.
ISSUER: Final = "greenroom"
MOST_FILES: Final = 1000
MOST_BYTES: Final = 1 << 50
MOST_TYPES: Final = 64
#: What a grant's id (``jti``) is made of.
GRANT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LATEST: Final = 253402300799  # the last second of the year 9999
_REQUIRED: Final = frozenset({"iss", "aud", "jti", "iat", "exp", "kind", "meeting"})
#: A token with other claims than these is refused: what is not known cannot be enforced.
_CLAIMS: Final = _REQUIRED | {"sub", "nbf", "file", "max_files", "max_bytes", "types", "person"}


class GrantKind(StrEnum):
    """Whom a grant is for."""

    UPLOAD = "upload"
    DOWNLOAD = "download"


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant.

    An upload grant allows at most ``max_files`` files of ``max_bytes`` bytes together into a meeting, and
    only the extensions in ``types`` where any are named. A download grant allows the released files of a
    meeting, or only the one that ``upload_id`` names. A token of it lives from ``issued_at`` to
    ``expires_at``. ``person`` is whom it was made for, in the account's own words, where the account says so.
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
    person: str | None = None

    def same_rights(self, other: "Grant") -> bool:
        """Tell whether ``other`` allows the same, whenever it was issued."""
        return replace(self, issued_at=other.issued_at, expires_at=other.expires_at) == other


def to_claims(grant: Grant, audience: str) -> dict[str, Any]:
    """Return the claims of the token that this service mints for ``grant``."""
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "sub": grant.account_id,
        "aud": audience,
        "jti": grant.id,
        "iat": int(grant.issued_at.timestamp()),
        "nbf": int(grant.issued_at.timestamp()),
        "exp": int(grant.expires_at.timestamp()),
        "kind": grant.kind.value,
        "meeting": grant.meeting_id,
        "file": grant.upload_id,
        "max_files": grant.max_files,
        "max_bytes": grant.max_bytes,
        "types": sorted(grant.types) or None,
        "person": grant.person,
    }
    return {name: value for name, value in claims.items() if value is not None}


def from_claims(
    claims: Mapping[str, Any], owner: str | None, audience: str, now: datetime, *, expired_too: bool = False
) -> Grant:
    """Return the grant that a token with ``claims`` carries, now that its signature is known to be right.

    ``owner`` is the account whose own key signed it, ``None`` for a key of this service. Raises
    ``GrantExpired`` after its time, unless ``expired_too``, and ``Unauthenticated`` for anything else that
    is wrong with it.
    """
    _need(claims.keys() >= _REQUIRED, f"it must have the claims {', '.join(sorted(_REQUIRED))}")
    _need(claims.keys() <= _CLAIMS, "it has a claim that no grant has")
    account = claims.get("sub", owner)
    _need(isinstance(account, str) and IDENTIFIER.fullmatch(account), "its subject is not an account")
    _need(owner is None or account == owner, "its subject is not the account of its key")
    _need(claims["iss"] == (owner or ISSUER), "its issuer does not fit its key")
    _need(claims["aud"] == audience, "it is for another audience")
    _need(_matches(GRANT_ID, claims["jti"]), "jti must be 1 to 64 of A-Z a-z 0-9 _ -")
    _need(_matches(IDENTIFIER, claims["meeting"]), "meeting is not a meeting's id")
    person = claims.get("person")
    _need(person is None or _matches(PERSON, person), "person is not what a person can be called")
    issued_at, expires_at = _lifetime(claims, now)
    if expires_at <= now and not expired_too:
        raise GrantExpired("The grant has expired. Ask for a new one.")
    return Grant(
        id=claims["jti"],
        account_id=str(account),
        meeting_id=claims["meeting"],
        issued_at=issued_at,
        expires_at=expires_at,
        person=person,
        **_rights(claims),
    )


def _lifetime(claims: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
    issued_at, expires_at = _time(claims["iat"], "iat"), _time(claims["exp"], "exp")
    not_before = _time(claims.get("nbf", claims["iat"]), "nbf")
    _need(max(issued_at, not_before) <= now + CLOCK_SKEW, "its time has not come yet")
    longest = int(LONGEST_LIFE.total_seconds())
    _need(expires_at - issued_at <= LONGEST_LIFE, f"it lives longer than {longest} s")
    return issued_at, expires_at


def _rights(claims: Mapping[str, Any]) -> dict[str, Any]:
    _need(claims["kind"] in [*GrantKind], "kind must be upload or download")
    kind = GrantKind(claims["kind"])
    file, types = claims.get("file"), claims.get("types", [])
    files, size = claims.get("max_files"), claims.get("max_bytes")
    if kind is GrantKind.DOWNLOAD:
        _need(file is None or _matches(UPLOAD_ID, file), "file is not an upload's id")
        _need(files is None and size is None and not types, "a download grant has no limits of uploads")
        return {"kind": kind, "upload_id": file}
    _need(file is None, "an upload grant names no file")
    _need(_counts(files, MOST_FILES), f"max_files must be from 1 to {MOST_FILES}")
    _need(_counts(size, MOST_BYTES), f"max_bytes must be from 1 to {MOST_BYTES}")
    _need(isinstance(types, list) and len(types) <= MOST_TYPES, "types must be a list of extensions")
    _need(all(_matches(EXTENSION, one) for one in types), "types must be a list of extensions")
    return {"kind": kind, "max_files": files, "max_bytes": size, "types": frozenset(types)}


def _time(value: object, name: str) -> datetime:
    _need(_counts(value, _LATEST), f"{name} must be whole seconds since 1970")
    return datetime.fromtimestamp(int(str(value)), UTC)


def _counts(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _need(condition: object, otherwise: str) -> None:
    if not condition:
        raise Unauthenticated(f"The grant cannot be used: {otherwise}.")
