"""The security team's side: what happens at the console, as plain functions over a ``Desk``."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.core.reviewer import Role
from service.ports import Archive, Attempts, IdentityProvider, Passwords, Reviewers, Sessions
from service.stages.parts import Parts


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where else reviewers sign in, and which of the groups there have which role here."""

    provider: IdentityProvider
    roles: Mapping[str, Role]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the console works with; ``elsewhere`` is ``None`` where all reviewers have passwords here."""

    parts: Parts
    archive: Archive
    reviewers: Reviewers
    sessions: Sessions
    attempts: Attempts
    passwords: Passwords
    elsewhere: Elsewhere | None = None
