"""The people at the console, their sessions and their passwords."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.core.journal import Entry
from service.core.reviewer import Reviewer, Session


class Reviewers(Protocol):
    """Who may sign in. Safe for many threads and processes at once.

    ``line`` is written to the log in the transaction that makes it true. All raise ``LedgerUnavailable``.
    """

    def add(self, reviewer: Reviewer, line: Entry) -> None:
        """Add a reviewer. Raises ``Conflict`` if the id, the name or the subject is taken."""

    def get(self, reviewer_id: str) -> Reviewer | None:
        """Return a reviewer by id."""

    def named(self, name: str) -> Reviewer | None:
        """Return a reviewer by name."""

    def vouched_for(self, subject: str) -> Reviewer | None:
        """Return a reviewer by the subject at a provider."""

    def all(self) -> Sequence[Reviewer]:
        """Return everybody, the disabled too, by name."""

    def change(self, former: Reviewer, changed: Reviewer, line: Entry, by: str | None = None) -> None:
        """Put ``changed`` in the place of ``former``, who has the same id, and end all sessions of theirs.

        With ``by``, the id of who does it, only if that is somebody else, and an enabled administrator at
        that very moment whatever others do at once: so there is one afterwards too. Raises ``Forbidden`` if
        not so, ``NotFound`` if there is nobody with that id, and ``Conflict`` if they are not as ``former``
        any more: what was changed meanwhile is not undone."""


class Sessions(Protocol):
    """Who is signed in. Safe for many threads and processes at once. All raise ``LedgerUnavailable``."""

    def begin(self, session: Session, reviewer: Reviewer, began_before: datetime, line: Entry) -> None:
        """Keep a session of ``reviewer``, and forget those that began before ``began_before``.

        Raises ``Conflict`` if they are not as ``reviewer`` any more: a change ends the sessions that are
        about to begin too."""

    def last_begun(self) -> Mapping[str, datetime]:
        """Return when each reviewer's newest session began, by id, for those who ever had one."""

    def find(self, token_sha256: str) -> Session | None:
        """Return the session of a token, whether or not its time is over."""

    def seen(self, token_sha256: str, at: datetime) -> None:
        """Note that a session was used; nothing if it is not there or was used later."""

    def end(self, token_sha256: str, line: Entry) -> bool:
        """Forget a session. Return false, and write no line, if there is none."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One try to sign in, and how many there were for each name in the time that counts, this one too."""

    id: str
    counts: Mapping[str, int]


class Attempts(Protocol):
    """Tries to sign in, counted before their outcome is known, so that many at once are counted too.

    Safe for many threads and processes at once. All raise ``LedgerUnavailable``.
    """

    def note(self, names: Sequence[str], at: datetime, since: datetime) -> Tried:
        """Count a try for each of ``names``, and forget all that were before ``since``."""

    def forgive(self, tried: Tried) -> None:
        """Count a try no longer, because it succeeded."""


class Passwords(Protocol):
    """Hashes that cost time, memory and nothing else."""

    def hash(self, password: str) -> str:
        """Return a salted hash of ``password``."""

    def matches(self, password_hash: str | None, untrusted_password: str) -> bool:
        """Tell whether the hash is of this password. For ``None`` never, after just as much work."""
