"""Who works at the console: reviewers, what each may do there, and how long they stay signed in."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from service.core.errors import BadRequest

#: A session that nobody used for so long is over (OWASP ASVS 5.0, 7.3.1).
IDLE: Final = timedelta(minutes=30)
#: No session lasts longer, however much it is used (OWASP ASVS 5.0, 7.3.2).
LONGEST_SESSION: Final = timedelta(hours=12)
#: Characters of a password that is the only factor (NIST SP 800-63B-4, 3.1.1.2).
SHORTEST_PASSWORD: Final = 15
#: More is not hashed, so that nobody keeps us busy with megabytes.
LONGEST_PASSWORD: Final = 1024
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._+@-]{0,127}")


class Role(StrEnum):
    """What a reviewer may do; each may also do what those before it may."""

    READER = "reader"
    REVIEWER = "reviewer"
    ADMINISTRATOR = "administrator"

    def includes(self, other: "Role") -> bool:
        """Tell whether who has this role may do what ``other`` may."""
        ranks = [*Role]
        return ranks.index(self) >= ranks.index(other)


@dataclass(frozen=True, slots=True)
class Reviewer:
    """One person at the console.

    ``id`` tells nothing of the person and is what the log knows; ``name`` is what is typed to sign in.
    ``password_hash`` is ``None`` for somebody who has no password here, ``subject`` (see ``identity``) for
    somebody whom no provider vouches for.
    """

    id: str
    name: str
    role: Role
    created_at: datetime
    password_hash: str | None = None
    subject: str | None = None
    disabled_at: datetime | None = None

    @property
    def administers(self) -> bool:
        """Tell whether this is an administrator who is let in."""
        return self.role is Role.ADMINISTRATOR and self.disabled_at is None

    @property
    def actor(self) -> str:
        """Return how the log names this reviewer."""
        return f"reviewer:{self.id}"


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in. ``token_sha256`` is all that is kept of the token in the browser's cookie."""

    token_sha256: str
    reviewer_id: str
    began_at: datetime
    seen_at: datetime

    def is_live(self, now: datetime) -> bool:
        """Tell whether the session still counts at ``now``. A clock that was set back ends none."""
        return now < self.seen_at + IDLE and now < self.began_at + LONGEST_SESSION


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A reviewer in a live session."""

    reviewer: Reviewer
    session: Session


def sign_in_name(untrusted_name: str) -> str:
    """Return the name in the one form in which names are kept, in small letters. Raises ``BadRequest``."""
    name = untrusted_name.strip().lower()
    if not _NAME.fullmatch(name):
        raise BadRequest(
            "A reviewer's name is 1 to 128 letters, digits and . _ + @ -, the first a letter or digit."
        )
    return name


def acceptable_password(password: str) -> str:
    """Return ``password`` if it may be one here. Raises ``BadRequest``."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise BadRequest(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    return password
