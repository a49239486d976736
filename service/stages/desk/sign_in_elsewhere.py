"""Signing in at an OpenID provider, which says who somebody is and in which groups; the role is ours.

Nothing is kept between the way there and the way back: state, nonce and verifier are all made from the
token in the browser's cookie, which is new for each way and which no page and no other browser can read. So
an answer that was begun in another browser is not taken (RFC 9700, 4.7), and none is taken twice.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from service.core.errors import Conflict, Forbidden, Unauthenticated
from service.core.identity import Identity, name_here, role_of
from service.core.journal import Act, Entry
from service.core.reviewer import Reviewer, Role, SignedIn
from service.ports import Journey
from service.stages.desk import Desk, Elsewhere
from service.stages.desk.sign_in import begin, count, failed

#: Who the log says it was that made or changed a reviewer.
_PROVIDER: Final = "provider:oidc"
_MAC: Final = 64
#: Longer ways within the console are not taken along: some providers refuse a long state.
_LONGEST_WAY: Final = 512


def depart(elsewhere: Elsewhere, token: str, onwards: str, redirect_uri: str) -> str:
    """Return where to send the browser that holds ``token``, to go on to ``onwards`` afterwards.

    Raises ``IdentityProviderUnavailable``.
    """
    onwards = onwards if len(onwards) <= _LONGEST_WAY else ""
    return elsewhere.provider.address(_journey(token, onwards), redirect_uri)


def arrive(
    desk: Desk,
    elsewhere: Elsewhere,
    token: str,
    untrusted: Mapping[str, str],
    address: str,
    redirect_uri: str,
) -> tuple[str, SignedIn, str]:
    """Begin a session for who came back; return its token, whose it is, and the way onwards.

    ``untrusted`` is the query that the browser brought, ``address`` the client's. Raises
    ``Unauthenticated`` if anything in it or in the provider's answer is not as it must be, ``Forbidden``
    for somebody who has no role here, ``RateLimited``, ``IdentityProviderUnavailable``.
    """
    journey = _journey(token, untrusted.get("state", "")[_MAC:])
    if not hmac.compare_digest(journey.state.encode(), untrusted.get("state", "").encode(errors="replace")):
        raise Unauthenticated("This sign-in was not begun in this browser, or is out of date. Try again.")
    # RFC 9207: an answer of another provider, sent to us.
    if untrusted.get("iss", elsewhere.provider.issuer) != elsewhere.provider.issuer or "error" in untrusted:
        raise Unauthenticated("The provider did not let you in. Try again.")
    tried = count(desk, address)
    try:
        identity = elsewhere.provider.identify(journey, untrusted.get("code", ""), redirect_uri)
        reviewer = _reviewer(desk, identity, role_of(identity.groups, elsewhere.roles))
    except (Unauthenticated, Forbidden):
        failed(desk, None, "oidc")
        raise
    if reviewer.disabled_at is not None:
        failed(desk, reviewer, "oidc")
        raise Unauthenticated("You are let in no more. Ask whoever runs the console.")
    desk.attempts.forgive(tried)
    return *begin(desk, reviewer, "oidc"), journey.state[_MAC:]


def _journey(token: str, onwards: str) -> Journey:
    """Return what belongs to one way: each a digest of its own, keyed by the browser's token."""

    def derive(what: str) -> str:
        words = f"greenroom oidc {what}".encode(errors="surrogatepass")
        return hmac.new(token.encode(), words, hashlib.sha256).hexdigest()

    return Journey(derive(f"state {onwards}") + onwards, derive("nonce"), derive("verifier"))


def _reviewer(desk: Desk, identity: Identity, role: Role | None) -> Reviewer:
    """Return who ``identity`` is here, made at the first time, with the role of this time."""
    if role is None:
        raise Forbidden("The provider knows you, but no group of yours has a role at this console.")
    known = desk.reviewers.vouched_for(identity.subject) or _made(desk, identity, role)
    if known.role is role or known.disabled_at is not None:
        return known
    changed = replace(known, role=role)
    detail = {"reviewer": known.id, "change": "role", "role": role.value}
    now = desk.parts.clock.now()
    try:
        desk.reviewers.change(known, changed, Entry(now, Act.REVIEWER_CHANGED.value, detail, _PROVIDER))
    except Conflict:
        raise Unauthenticated("Your account was changed just now. Try again.") from None
    return changed


def _made(desk: Desk, identity: Identity, role: Role) -> Reviewer:
    """Add a reviewer. A name that somebody has already is not theirs too: it gets an end of its own."""
    now, reviewer_id = desk.parts.clock.now(), f"rv_{secrets.token_hex(8)}"
    name = name_here(identity.name, reviewer_id)
    line = Entry(now, Act.REVIEWER_ADDED.value, {"reviewer": reviewer_id, "role": role.value}, _PROVIDER)
    reviewer = Reviewer(reviewer_id, name, role, now, subject=identity.subject)
    try:
        desk.reviewers.add(reviewer, line)
    except Conflict:
        # Of two first times at once one is too late.
        found = desk.reviewers.vouched_for(identity.subject)
        if found is not None:
            return found
        reviewer = replace(reviewer, name=f"{name}-{reviewer_id[-6:]}")
        desk.reviewers.add(reviewer, line)
    return reviewer
