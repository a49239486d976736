"""What the service answers with, as frozen values. Fields that a newer service adds are passed over.

Times are aware ``datetime``, sizes are bytes, durations and ages are seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

#: States in which the service is still at work on an upload. Every other one is a state of rest.
ON_THE_WAY: Final = frozenset({"receiving", "quarantined", "scanning", "cleared"})


@dataclass(frozen=True, slots=True)
class Signatures:
    """The signatures that a verdict rests on. ``protection`` is ``official``, or ``demo``: none at all."""

    protection: str
    version: int | None = None
    made_at: datetime | None = None
    age_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the scanner found. ``signature`` names malware; ``notice`` must be shown with the verdict."""

    kind: str
    code: str
    signatures: Signatures
    duration_seconds: float
    at: datetime
    signature: str | None = None
    engine: str | None = None
    policy: str | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One move of an upload."""

    state: str
    event: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload. Only ``released`` means that it can be downloaded.

    It was found clean, unless ``reason`` says that people let it go."""

    id: str
    meeting: str
    name: str
    state: str
    advice: str
    created_at: datetime
    updated_at: datetime
    account: str | None = None
    size: int | None = None
    sha256: str | None = None
    declared_type: str | None = None
    detected_type: str | None = None
    reason: str | None = None
    verdict: Verdict | None = None
    retained_until: datetime | None = None
    history: tuple[Step, ...] = ()

    @property
    def resting(self) -> bool:
        """Whether the service has done with it, for now."""
        return self.state not in ON_THE_WAY

    @property
    def released(self) -> bool:
        """Whether it can be downloaded."""
        return self.state == "released"


@dataclass(frozen=True, slots=True)
class Used:
    """What was used of a grant's quota."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant. ``token`` is there only when it was just minted; hand it to the one person it is for."""

    id: str
    kind: str
    meeting: str
    issued_at: datetime
    expires_at: datetime
    token: str | None = field(default=None, repr=False)
    file: str | None = None
    max_files: int | None = None
    max_bytes: int | None = None
    types: tuple[str, ...] | None = None
    person: str | None = None
    created_at: datetime | None = None
    used: Used | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GrantKey:
    """A public key that the service takes self-minted grants from; ``id`` is the ``kid`` to put in them."""

    id: str
    name: str
    jwk: Mapping[str, Any]
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where webhooks are sent. ``secret`` is there only when it was just made."""

    id: str
    url: str
    events: tuple[str, ...]
    enabled: bool
    created_at: datetime
    description: str | None = None
    disabled_reason: str | None = None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A rotated secret. The one before it signs too until ``previous_expires_at``."""

    secret: str = field(repr=False)
    previous_expires_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to deliver."""

    at: datetime
    status: int | None = None
    error: str | None = None
    duration_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint: ``pending``, ``delivered``, ``failed`` or ``cancelled``."""

    id: str
    event: str
    type: str
    state: str
    attempts: tuple[Attempt, ...] = ()
    created_at: datetime | None = None
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A webhook that was verified. ``id`` is the same whenever the event is sent again: handle each id once.

    ``upload`` is there for the events that are about one; ``data`` is what was sent, as it was sent.
    """

    id: str
    type: str
    timestamp: datetime
    data: Mapping[str, Any]
    upload: Upload | None = None
