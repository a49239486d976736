"""A participant of a Jitsi meeting, as the short-lived token of the meeting's own server tells.

The claims are those of Jitsi's Prosody module ``short_lived_token``. The signature is checked elsewhere;
nothing in a token counts before that.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from service.core.caller import Caller, Scope
from service.core.errors import Forbidden, Unauthenticated
from service.core.grant import CLOCK_SKEW
from service.core.naming import IDENTIFIER, PERSON

#: Jitsi's own tokens live for seconds; one that lives longer than this is none of those.
LONGEST_LIFE: Final = timedelta(hours=1)
#: The feature of Jitsi that allows to share files.
FEATURE: Final = "file-upload"
_LONGEST_TEXT: Final = 255
_READ: Final = frozenset({Scope.READ, Scope.DOWNLOAD})
_WRITE: Final = frozenset({Scope.UPLOAD, Scope.DELETE})


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are believed, for which audience, and the account that their meetings belong to."""

    name: str
    audience: str
    account_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant(Caller):
    """A caller that may do something in the one meeting ``session_id``.

    ``user_id`` and ``customer_id`` are what the meeting's server calls the person and the tenant, made fit
    to store; empty where it does not tell.
    """

    session_id: str
    user_id: str
    customer_id: str

    @property
    def person(self) -> str | None:
        """Who this is among the account's people: the user's id, by its digest if it is not fit for one."""
        if not self.user_id or PERSON.fullmatch(self.user_id):
            return self.user_id or None
        return f"sha256:{hashlib.sha256(self.user_id.encode()).hexdigest()}"

    def require(self, scope: Scope) -> None:
        """Raise ``Forbidden`` unless this participant has ``scope``."""
        if scope not in self.scopes:
            raise Forbidden(
                f"Only moderators and those with the feature {FEATURE!r} may share or delete files."
            )


def participant(claims: Mapping[str, Any], issuer: Issuer, now: datetime) -> Participant:
    """Return who holds a token with ``claims``. Raises ``Unauthenticated`` for one that does not count now.

    The issuer and the audience must be exactly the configured ones (RFC 8725, 3.8 and 3.9), the meeting one
    that an upload can belong to.
    """
    context, session = claims.get("context", {}), claims.get("meeting_id")
    if (
        claims.get("iss") != issuer.name
        or claims.get("aud") != issuer.audience
        or not _in_force(claims, now)
        or not isinstance(context, dict)
        or not isinstance(session, str)
        or not IDENTIFIER.fullmatch(session)
    ):
        raise Unauthenticated("Send a valid token of the meeting: Authorization: Bearer token")
    user = context.get("user")
    return Participant(
        account_id=issuer.account_id,
        # A meeting's id may be as long as what a name has room for.
        name=f"jitsi:{hashlib.sha256(session.encode()).hexdigest()[:32]}",
        scopes=_READ | _WRITE if _may_share(context) else _READ,
        session_id=session,
        user_id=told(user.get("id")) if isinstance(user, dict) else "",
        customer_id=told(claims.get("customer_id") or claims.get("sub")),
    )


def _in_force(claims: Mapping[str, Any], now: datetime) -> bool:
    """Tell whether the times in the token (RFC 7519, 4.1) say that it counts at ``now``.

    Jitsi writes ``nbf`` and ``exp``, others ``iat``: one beginning must be there, or nothing would bound
    how long the token was good for.
    """
    begins = [claims[name] for name in ("nbf", "iat") if name in claims]
    ends, at = claims.get("exp"), now.timestamp()
    # Exactly int: a bool is none, and a NaN would be neither too early nor too late.
    if not begins or type(ends) is not int or any(type(begin) is not int for begin in begins):
        return False
    return (
        max(begins) <= at + CLOCK_SKEW.total_seconds()
        and at < ends
        and ends - min(begins) <= LONGEST_LIFE.total_seconds()
    )


def _may_share(context: Mapping[str, Any]) -> bool:
    """Tell whether a token allows to share files, as Jitsi's own check does.

    Where features are named, they alone decide; only without any does being a moderator count.
    """
    if "features" in context:
        features = context["features"]
        return isinstance(features, dict) and _is_true(features.get(FEATURE))
    user = context.get("user")
    return isinstance(user, dict) and (_is_true(user.get("moderator")) or user.get("affiliation") == "owner")


def _is_true(value: object) -> bool:
    return value is True or value == "true"


def told(value: object) -> str:
    """Return what somebody is called as text that every database takes: printable, at most 255 characters."""
    text = str(value) if isinstance(value, str) or type(value) is int else ""
    return "".join(character for character in text if character.isprintable())[:_LONGEST_TEXT]
