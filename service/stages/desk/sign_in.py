"""Signing in with a name and a password, being recognised afterwards, and signing out.

The browser holds a random token, new with every sign-in, the database only its SHA-256. A wrong name, a
wrong password and a disabled reviewer look the same to whoever tries, and cost the same work.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from service.core.errors import BadRequest, Conflict, RateLimited, Unauthenticated
from service.core.journal import Act, Entry
from service.core.reviewer import LONGEST_PASSWORD, LONGEST_SESSION, Reviewer, Session, SignedIn, sign_in_name
from service.ports import Tried
from service.stages.desk import Desk

#: The time in which failed sign-ins are counted.
WINDOW: Final = timedelta(minutes=15)
#: Failures within it for one name from one address.
MOST_FOR_BOTH: Final = 10
#: Failures within it for one name, or from one address. Higher, so that a single stranger cannot keep a
#: reviewer out, nor one who mistypes everybody behind the same proxy.
MOST_FOR_EITHER: Final = 100
#: A session's last use is noted no more often than this.
_NOTED_EVERY: Final = timedelta(minutes=1)
_CHANGED: Final = "Your account was changed just now. Sign in again."
_WRONG: Final = "The name or the password is not right."


def sign_in(desk: Desk, untrusted_name: str, untrusted_password: str, address: str) -> tuple[str, SignedIn]:
    """Begin a session and return its token, this once, and whose it is.

    ``address`` is the client's. Raises ``Unauthenticated`` for anything that is not right, the same for
    all, and ``RateLimited`` after too many of these.
    """
    tried = count(desk, address, untrusted_name)
    reviewer = _named(desk, untrusted_name)
    known = reviewer.password_hash if reviewer is not None else None
    right = desk.passwords.matches(known, untrusted_password[:LONGEST_PASSWORD])
    if reviewer is None or not right or reviewer.disabled_at is not None:
        failed(desk, reviewer, "password")
        raise Unauthenticated(_WRONG)
    desk.attempts.forgive(tried)
    return begin(desk, reviewer, "password")


def failed(desk: Desk, reviewer: Reviewer | None, by: str) -> None:
    """Log that somebody, or somebody unknown, was not let in ``by`` some means."""
    now, actor = desk.parts.clock.now(), reviewer.actor if reviewer is not None else None
    desk.parts.journal.append([Entry(now, Act.SIGN_IN_FAILED.value, {"by": by}, actor)])


def begin(desk: Desk, reviewer: Reviewer, by: str) -> tuple[str, SignedIn]:
    """Begin a session of somebody who was recognised ``by`` some means, and return its token.

    Raises ``Unauthenticated`` if they were changed since then: by an old password nobody stays.
    """
    now, token = desk.parts.clock.now(), secrets.token_urlsafe(32)
    session = Session(_digest(token), reviewer.id, now, now)
    line = Entry(now, Act.SIGNED_IN.value, {"by": by, "role": reviewer.role.value}, reviewer.actor)
    try:
        desk.sessions.begin(session, reviewer, now - LONGEST_SESSION, line)
    except Conflict:
        failed(desk, reviewer, by)
        raise Unauthenticated(_CHANGED) from None
    return token, SignedIn(reviewer, session)


def recognise(desk: Desk, untrusted_token: str) -> SignedIn | None:
    """Return who holds ``untrusted_token``, and note that the session is in use; ``None`` for nobody."""
    now = desk.parts.clock.now()
    session = desk.sessions.find(_digest(untrusted_token))
    if session is None or not session.is_live(now):
        return None
    reviewer = desk.reviewers.get(session.reviewer_id)
    if reviewer is None or reviewer.disabled_at is not None:
        return None
    if now >= session.seen_at + _NOTED_EVERY:
        desk.sessions.seen(session.token_sha256, now)
    return SignedIn(reviewer, session)


def sign_out(desk: Desk, who: SignedIn) -> None:
    """End the session."""
    line = Entry(desk.parts.clock.now(), Act.SIGNED_OUT.value, {}, who.reviewer.actor)
    desk.sessions.end(who.session.token_sha256, line)


def count(desk: Desk, address: str, untrusted_name: str | None = None) -> Tried:
    """Count a try from ``address`` before anything is known of it.

    Raises ``RateLimited`` after too many that failed.
    """
    now = desk.parts.clock.now()
    most = {_digest(f"from {address}"): MOST_FOR_EITHER}
    if untrusted_name is not None:
        # Digests, because people type passwords where the name belongs; of the name as it is looked up, so
        # that nobody has more tries for writing it in many ways.
        name = untrusted_name.strip().lower()
        most |= {_digest(f"both {address} {name}"): MOST_FOR_BOTH, _digest(f"name {name}"): MOST_FOR_EITHER}
    tried = desk.attempts.note([*most], now, now - WINDOW)
    if any(tried.counts[key] > limit for key, limit in most.items()):
        # What was not even looked at is no failure: else whoever goes on trying keeps the name closed.
        desk.attempts.forgive(tried)
        raise RateLimited(
            "There were too many failed sign-ins. Try again later.", int(WINDOW.total_seconds())
        )
    return tried


def _named(desk: Desk, untrusted_name: str) -> Reviewer | None:
    try:
        return desk.reviewers.named(sign_in_name(untrusted_name))
    except BadRequest:
        return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
