"""Grants: minted for a backend, refreshed, revoked, and taken from those who hold one.

A backend may also register a public key of its own and mint grants without asking; such a grant is stored
when it is first used, so that its quota and its revocation count like any other's.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from service.core.caller import Caller, Scope
from service.core.errors import BadRequest, GrantEnded, GrantExpired, NotFound, Unauthenticated
from service.core.grant import LONGEST_REFRESHED, Grant, GrantKind, from_claims, to_claims
from service.core.naming import identifier, person
from service.ports import GrantKey, Jwk, KnownGrant
from service.stages import read, signing
from service.stages.parts import Parts

MOST_LIVE_KEYS: Final = 5
#: What the holder of each kind of grant may do, within its meeting.
SCOPES: Final = {
    GrantKind.UPLOAD: frozenset({Scope.UPLOAD, Scope.READ}),
    GrantKind.DOWNLOAD: frozenset({Scope.READ, Scope.DOWNLOAD}),
}
_DEFAULT_FILES: Final = 20
#: How long a grant that expired can still be asked about.
KEPT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A grant as a backend asks for it. ``lifetime`` is checked by whoever read it."""

    kind: GrantKind
    untrusted_meeting: str
    lifetime: timedelta
    upload_id: str | None
    max_files: int | None
    max_bytes: int | None
    types: frozenset[str]
    untrusted_person: str | None


@dataclass(frozen=True, slots=True)
class Minted:
    """A grant and its newest token."""

    grant: Grant
    token: str


def mint(parts: Parts, caller: Caller, wanted: Wanted) -> Minted:
    """Make a grant for somebody in one of the caller's meetings.

    An upload grant without limits gets 20 files of the largest size that the policy accepts. Raises
    ``BadRequest`` for what cannot be granted, ``NotFound`` for a file that is not in the meeting.
    """
    now = parts.clock.now().replace(microsecond=0)
    grant = Grant(
        id=f"gt_{secrets.token_hex(16)}",
        account_id=caller.account_id,
        kind=wanted.kind,
        meeting_id=identifier(wanted.untrusted_meeting, "meeting"),
        issued_at=now,
        expires_at=now + wanted.lifetime,
        upload_id=wanted.upload_id,
        max_files=wanted.max_files,
        max_bytes=wanted.max_bytes,
        types=wanted.types,
        person=None if wanted.untrusted_person is None else person(wanted.untrusted_person),
    )
    if grant.kind is GrantKind.UPLOAD:
        grant = _within_policy(parts, grant)
    else:
        _check_download(parts, caller, grant)
    return _signed(parts, parts.credentials.keep_grant(grant, now).grant)


def _within_policy(parts: Parts, grant: Grant) -> Grant:
    if grant.upload_id is not None:
        raise BadRequest("file: an upload grant names no file.")
    unknown = grant.types - set(parts.policy.types)
    if unknown:
        raise BadRequest(f"types: {min(unknown)!r} is not accepted by the policy.")
    files = grant.max_files or _DEFAULT_FILES
    size = grant.max_bytes or files * parts.policy.max_file_size
    return replace(grant, max_files=files, max_bytes=size)


def _check_download(parts: Parts, caller: Caller, grant: Grant) -> None:
    if grant.max_files or grant.max_bytes or grant.types:
        raise BadRequest("max_files, max_bytes and types are limits of an upload grant.")
    if grant.upload_id is not None:
        upload = read.own_upload(parts, caller, grant.upload_id)
        if upload.meeting_id != grant.meeting_id:
            raise NotFound("There is no such upload in this meeting.")


def refresh(parts: Parts, caller: Caller, grant_id: str, lifetime: timedelta) -> Minted:
    """Return a new token for a grant, whose quota goes on where it was.

    Raises ``GrantEnded`` for a grant that was revoked or made more than a day ago, ``NotFound``.
    """
    known = own_grant(parts, caller, grant_id)
    now = parts.clock.now().replace(microsecond=0)
    if known.revoked_at is not None:
        raise GrantEnded("The grant was revoked. Make a new one.")
    if now - known.created_at > LONGEST_REFRESHED:
        raise GrantEnded("The grant was made more than a day ago. Make a new one.")
    grant = replace(known.grant, issued_at=now, expires_at=now + lifetime)
    parts.credentials.prolong_grant(grant)
    return _signed(parts, grant)


def own_grant(parts: Parts, caller: Caller, grant_id: str) -> KnownGrant:
    """Return a grant of the caller's account. Raises ``NotFound``."""
    known = parts.credentials.grant(caller.account_id, grant_id)
    if known is None:
        raise NotFound("There is no such grant.")
    return known


def revoke(parts: Parts, caller: Caller, grant_id: str) -> None:
    """End a grant now, whatever tokens of it there are. Raises ``NotFound``."""
    own_grant(parts, caller, grant_id)
    parts.credentials.revoke_grant(caller.account_id, grant_id, parts.clock.now())


def _signed(parts: Parts, grant: Grant) -> Minted:
    key_id, private_key = signing.newest_key(parts)
    return Minted(grant, parts.tokens.sign(to_claims(grant, parts.audience), key_id, private_key))


def holder(parts: Parts, untrusted_token: str, *, expired_too: bool = False) -> Caller:
    """Return who holds a token, and what it permits. Raises ``Unauthenticated`` (``GrantExpired``).

    With ``expired_too`` a token that was good in its time counts still, unless its grant was revoked.
    """
    key_id = parts.tokens.key_id(untrusted_token)
    owner, public_key = _key(parts, key_id)
    claims = parts.tokens.claims(untrusted_token, public_key)
    now = parts.clock.now()
    grant = from_claims(claims, owner, parts.audience, now, expired_too=expired_too)
    known = _known(parts, grant, now)
    if known.revoked_at is not None:
        raise Unauthenticated("The grant was revoked.")
    if not known.grant.same_rights(grant):
        raise Unauthenticated("The grant cannot be used: its id is that of another grant.")
    return Caller(grant.account_id, grant.id, SCOPES[grant.kind], grant)


def _known(parts: Parts, grant: Grant, now: datetime) -> KnownGrant:
    """Return a grant as stored; it is stored when it is first used, in its time."""
    if grant.expires_at > now:
        return parts.credentials.keep_grant(grant, now)
    known = parts.credentials.grant(grant.account_id, grant.id)
    if known is None:
        raise GrantExpired("The grant has expired. Ask for a new one.")
    return known


def _key(parts: Parts, key_id: str) -> tuple[str | None, Jwk]:
    """Return the account that owns a key, ``None`` for this service, and the public key."""
    ours = signing.trusted_key(parts, key_id)
    if ours is not None:
        return None, ours.public_key
    theirs = parts.credentials.grant_key(key_id)
    if theirs is None or theirs.revoked_at is not None:
        raise Unauthenticated("The token was signed with a key that is not known here, or not any more.")
    return theirs.account_id, theirs.public_key


def register_key(parts: Parts, caller: Caller, name: str, untrusted_jwk: Jwk) -> GrantKey:
    """Store a public key with which the caller's backend signs grants. Raises ``BadRequest``."""
    key = GrantKey(
        id=f"gk_{secrets.token_hex(6)}",
        account_id=caller.account_id,
        name=name,
        public_key=parts.tokens.public_key(untrusted_jwk),
        created_at=parts.clock.now(),
        revoked_at=None,
    )
    parts.credentials.add_grant_key(key, MOST_LIVE_KEYS)
    return key


def keys(parts: Parts, caller: Caller) -> Sequence[GrantKey]:
    """Return the keys of the caller's account, oldest first."""
    return parts.credentials.grant_keys(caller.account_id)


def revoke_key(parts: Parts, caller: Caller, key_id: str) -> None:
    """Trust no token of this key from now on. Raises ``NotFound``."""
    known = {key.id for key in keys(parts, caller)}
    if key_id not in known:
        raise NotFound("There is no such key.")
    parts.credentials.revoke_grant_key(caller.account_id, key_id, parts.clock.now())


def forget_old(parts: Parts, now: datetime) -> None:
    """Forget grants that expired long ago."""
    parts.credentials.forget_grants(now - KEPT)
