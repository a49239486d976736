"""The console's people in memory, keeping the promises of ``ports.Reviewers`` and its neighbours."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from service.core.errors import Conflict, Forbidden, NotFound
from service.core.journal import Entry
from service.core.reviewer import Reviewer, Session
from service.ports import Journal, Tried
from tests.fakes.faults import Faults


class FakeReviewers:
    """Reviewers and their sessions: ``ports.Reviewers`` itself, ``ports.Sessions`` in ``sessions``."""

    def __init__(self, faults: Faults, journal: Journal) -> None:
        self._faults = faults
        self._journal = journal
        self._known: dict[str, Reviewer] = {}
        self._lock = threading.RLock()
        self.sessions = FakeSessions(faults, journal, self._lock, self._known)

    def add(self, reviewer: Reviewer, line: Entry) -> None:
        """Add a reviewer."""
        with self._faults.at("reviewers.add"), self._lock:
            if any(_clash(reviewer, one) for one in self._known.values()):
                raise Conflict("taken")
            self._journal.append([line])
            self._known[reviewer.id] = reviewer

    def get(self, reviewer_id: str) -> Reviewer | None:
        """Return a reviewer by id."""
        with self._faults.at("reviewers.get"):
            return self._known.get(reviewer_id)

    def named(self, name: str) -> Reviewer | None:
        """Return a reviewer by name."""
        with self._faults.at("reviewers.named"), self._lock:
            return next((one for one in self._known.values() if one.name == name), None)

    def vouched_for(self, subject: str) -> Reviewer | None:
        """Return a reviewer by subject."""
        with self._faults.at("reviewers.vouched_for"), self._lock:
            return next((one for one in self._known.values() if one.subject == subject), None)

    def all(self) -> Sequence[Reviewer]:
        """Return everybody, by name."""
        with self._faults.at("reviewers.all"), self._lock:
            return sorted(self._known.values(), key=lambda one: one.name)

    def change(self, former: Reviewer, changed: Reviewer, line: Entry, by: str | None = None) -> None:
        """Change a reviewer and sign them out."""
        with self._faults.at("reviewers.change"), self._lock:
            if former.id not in self._known:
                raise NotFound("no such reviewer")
            if self._known[former.id] != former:
                raise Conflict("changed")
            if by is not None:
                self._check_may_change(by, former.id)
            self._journal.append([line])
            self._known[former.id] = changed
            self.sessions.end_all(former.id)

    def _check_may_change(self, by: str, whom: str) -> None:
        if by == whom or by not in self._known or not self._known[by].administers:
            raise Forbidden("no administrator, or of oneself")


def _clash(new: Reviewer, known: Reviewer) -> bool:
    same_subject = new.subject is not None and new.subject == known.subject
    return new.id == known.id or new.name == known.name or same_subject


class FakeSessions:
    """``ports.Sessions``."""

    def __init__(
        self, faults: Faults, journal: Journal, lock: threading.RLock, people: Mapping[str, Reviewer]
    ) -> None:
        self._faults = faults
        self._people = people
        self._journal = journal
        self._lock = lock
        self._known: dict[str, Session] = {}
        self._last: dict[str, datetime] = {}

    def begin(self, session: Session, reviewer: Reviewer, began_before: datetime, line: Entry) -> None:
        """Keep a session, forget the old ones."""
        with self._faults.at("sessions.begin"), self._lock:
            if self._people.get(reviewer.id) != reviewer:
                raise Conflict("changed")
            self._journal.append([line])
            for old in [one for one in self._known.values() if one.began_at < began_before]:
                del self._known[old.token_sha256]
            self._known[session.token_sha256] = session
            self._last[session.reviewer_id] = session.began_at

    def last_begun(self) -> Mapping[str, datetime]:
        """Return when each reviewer signed in last."""
        with self._faults.at("sessions.last_begun"), self._lock:
            return dict(self._last)

    def find(self, token_sha256: str) -> Session | None:
        """Return a session."""
        with self._faults.at("sessions.find"):
            return self._known.get(token_sha256)

    def seen(self, token_sha256: str, at: datetime) -> None:
        """Note a use."""
        with self._faults.at("sessions.seen"), self._lock:
            session = self._known.get(token_sha256)
            if session is not None and session.seen_at < at:
                self._known[token_sha256] = replace(session, seen_at=at)

    def end(self, token_sha256: str, line: Entry) -> bool:
        """Forget a session."""
        with self._faults.at("sessions.end"), self._lock:
            if token_sha256 not in self._known:
                return False
            self._journal.append([line])
            del self._known[token_sha256]
            return True

    def end_all(self, reviewer_id: str) -> None:
        """Forget all sessions of a reviewer."""
        self._known = {key: one for key, one in self._known.items() if one.reviewer_id != reviewer_id}


class FakeAttempts:
    """``ports.Attempts``."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._lock = threading.Lock()
        self._tries: list[tuple[str, str, datetime]] = []
        self._next = 0

    def note(self, names: Sequence[str], at: datetime, since: datetime) -> Tried:
        """Count a try."""
        with self._faults.at("attempts.note"), self._lock:
            self._next += 1
            try_id = f"{self._next:032x}"
            self._tries = [one for one in self._tries if one[2] >= since]
            self._tries += [(try_id, name, at) for name in names]
            counts = Counter(name for _, name, _ in self._tries)
            return Tried(try_id, {name: counts[name] for name in names})

    def forgive(self, tried: Tried) -> None:
        """Count a try no longer."""
        with self._faults.at("attempts.forgive"), self._lock:
            self._tries = [one for one in self._tries if one[0] != tried.id]


class FakePasswords:
    """``ports.Passwords`` that cost nothing."""

    def __init__(self) -> None:
        #: How many checks were made.
        self.checked = 0

    def hash(self, password: str) -> str:
        """Return what stands for a hash."""
        return f"hash of {password}"

    def matches(self, password_hash: str | None, untrusted_password: str) -> bool:
        """Compare."""
        self.checked += 1
        return password_hash == f"hash of {untrusted_password}"
