"""An upload: its states, the one table of legal moves, and the record that moves through them.

All legality stands in ``TRANSITIONS``. The diagram in ARCHITECTURE.md is drawn from it and the tests walk
it both ways: each listed move happens, every other raises ``IllegalMove`` and changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from service.core.account import HOME
from service.core.errors import IllegalMove
from service.core.verdict import Verdict


class State(StrEnum):
    """Where an upload is."""

    RECEIVING = "receiving"
    QUARANTINED = "quarantined"
    SCANNING = "scanning"
    HELD = "held"
    CLEARED = "cleared"
    RELEASED = "released"
    BLOCKED = "blocked"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    ERASED = "erased"


class Event(StrEnum):
    """What can happen to an upload."""

    STORED = "stored"
    REFUSED = "refused"
    GAVE_UP = "gave_up"
    SCAN_BEGUN = "scan_begun"
    FOUND_CLEAN = "found_clean"
    FOUND_INFECTED = "found_infected"
    SCAN_FAILED = "scan_failed"
    NOT_SCANNABLE = "not_scannable"
    SCAN_EXHAUSTED = "scan_exhausted"
    REVIEWER_CLEARED = "reviewer_cleared"
    REVIEWER_BLOCKED = "reviewer_blocked"
    RESCAN_ASKED = "rescan_asked"
    COPIED_OUT = "copied_out"
    COPY_FAILED = "copy_failed"
    RECALLED = "recalled"
    DOUBTED = "doubted"
    DELETED = "deleted"
    RETENTION_ENDED = "retention_ended"


_S, _E = State, Event
TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = MappingProxyType(
    {
        (_S.RECEIVING, _E.STORED): _S.QUARANTINED,
        (_S.RECEIVING, _E.REFUSED): _S.REFUSED,
        (_S.RECEIVING, _E.GAVE_UP): _S.ABANDONED,
        (_S.QUARANTINED, _E.SCAN_BEGUN): _S.SCANNING,
        (_S.QUARANTINED, _E.SCAN_EXHAUSTED): _S.HELD,
        (_S.QUARANTINED, _E.DELETED): _S.ERASED,
        (_S.SCANNING, _E.FOUND_CLEAN): _S.CLEARED,
        (_S.SCANNING, _E.FOUND_INFECTED): _S.BLOCKED,
        (_S.SCANNING, _E.SCAN_FAILED): _S.QUARANTINED,
        (_S.SCANNING, _E.NOT_SCANNABLE): _S.HELD,
        (_S.SCANNING, _E.SCAN_EXHAUSTED): _S.HELD,
        (_S.HELD, _E.REVIEWER_CLEARED): _S.CLEARED,
        (_S.HELD, _E.REVIEWER_BLOCKED): _S.BLOCKED,
        (_S.HELD, _E.RESCAN_ASKED): _S.QUARANTINED,
        (_S.HELD, _E.DELETED): _S.ERASED,
        (_S.HELD, _E.RETENTION_ENDED): _S.ERASED,
        (_S.CLEARED, _E.COPIED_OUT): _S.RELEASED,
        (_S.CLEARED, _E.COPY_FAILED): _S.HELD,
        (_S.RELEASED, _E.RECALLED): _S.BLOCKED,
        (_S.RELEASED, _E.DOUBTED): _S.HELD,
        (_S.RELEASED, _E.DELETED): _S.ERASED,
        (_S.RELEASED, _E.RETENTION_ENDED): _S.ERASED,
        (_S.BLOCKED, _E.RESCAN_ASKED): _S.QUARANTINED,
        (_S.BLOCKED, _E.DELETED): _S.ERASED,
        (_S.BLOCKED, _E.RETENTION_ENDED): _S.ERASED,
        (_S.REFUSED, _E.DELETED): _S.ERASED,
        (_S.REFUSED, _E.RETENTION_ENDED): _S.ERASED,
        (_S.ABANDONED, _E.DELETED): _S.ERASED,
        (_S.ABANDONED, _E.RETENTION_ENDED): _S.ERASED,
    }
)

#: States in which an upload stays until somebody asks for something. The others are on their way.
RESTING: Final = frozenset({_S.HELD, _S.RELEASED, _S.BLOCKED, _S.REFUSED, _S.ABANDONED, _S.ERASED})


def after(state: State, event: Event) -> State:
    """Return the state that ``event`` leads to from ``state``. Raises ``IllegalMove`` if none is listed."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalMove(f"{event} is not possible for an upload that is {state}") from None


class Leftover(StrEnum):
    """What an upload still has in the store that must go. Kept in the ledger, so a crash forgets nothing.

    ``RETURN``: its released copies must go, once its content is in quarantine again.
    """

    NOTHING = "nothing"
    QUARANTINE = "quarantine"
    COPIES = "copies"
    RETURN = "return"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Segment:
    """One immutable object of a content, at most 64 MiB. ``key`` is the same in both buckets."""

    number: int
    key: str
    size: int
    sha256: str
    etag: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """One move, as the log keeps it. ``detail`` holds JSON scalars only and no personal data; ``actor`` is
    who did it (see ``service.core.journal.Entry``), ``None`` the service itself.
    """

    at: datetime
    event: Event
    before: State
    after: State
    detail: Mapping[str, Any]
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload as the ledger knows it. Immutable: a move gives a new value.

    ``size`` is in bytes, ``sha256`` in hex; both are ``None`` until all bytes are in. ``lease_until`` says
    until when a process is at work on it; ``due_at`` when a waiting upload is next worth trying;
    ``waiting_since`` since when it waits to be scanned or released (``None`` in rows of earlier versions);
    ``grant_id`` is the grant it came under, if any, and ``reserved`` the bytes set aside for it until its
    size is known; ``version`` counts saves (compare-and-swap); ``unsaved`` are the log lines of moves not
    yet saved.

    Of a resumable upload ``reserved`` is the length that was announced, ``segments`` hold what has come so
    far, and ``expires_at`` is until when it can be gone on with (``None`` for any other upload). Its
    ``sha256`` may come only with its scan.

    ``traceparent`` is the trace of the request that began it (see ``service.core.traceparent``), ``None``
    where nothing is traced. ``region`` says in which store its contents lie, ``content_key`` is the key that
    they are under, sealed by its account's (``None`` in rows of earlier versions, whose contents are not
    encrypted). ``person`` is who uploaded it, in the account's own words, where the account says so.
    """

    id: str
    account_id: str
    meeting_id: str
    name: str
    declared_type: str
    detected_type: str
    state: State
    created_at: datetime
    updated_at: datetime
    size: int | None = None
    sha256: str | None = None
    segments: tuple[Segment, ...] = ()
    verdict: Verdict | None = None
    reason: str | None = None
    attempts: int = 0
    due_at: datetime | None = None
    lease_until: datetime | None = None
    leftover: Leftover = Leftover.NOTHING
    grant_id: str | None = None
    reserved: int | None = None
    expires_at: datetime | None = None
    waiting_since: datetime | None = None
    traceparent: str | None = None
    region: str = HOME
    content_key: bytes | None = None
    person: str | None = None
    version: int = 0
    unsaved: tuple[LogLine, ...] = field(default=(), compare=False)

    @property
    def offset(self) -> int:
        """How many bytes are stored."""
        return sum(segment.size for segment in self.segments)

    def moved(
        self,
        event: Event,
        at: datetime,
        detail: Mapping[str, Any] | None = None,
        *,
        actor: str | None = None,
        **changes: Any,  # noqa: ANN401 - dataclasses.replace() checks the names
    ) -> "Upload":
        """Return the upload after ``event`` by ``actor`` at time ``at`` with ``changes`` to its fields.

        The move's log line is among its ``unsaved``. Raises ``IllegalMove`` if the table does not list it.
        """
        state = after(self.state, event)
        line = LogLine(at, event, self.state, state, dict(detail or {}), actor)
        return replace(self, state=state, updated_at=at, unsaved=(*self.unsaved, line), **changes)
