"""The security team's side: what happens at the console, as plain functions over a ``Desk``."""

from dataclasses import dataclass

from service.ports import Archive, Attempts, Passwords, Reviewers, Sessions
from service.stages.parts import Parts


@dataclass(frozen=True, slots=True)
class Desk:
    """What the console works with."""

    parts: Parts
    archive: Archive
    reviewers: Reviewers
    sessions: Sessions
    attempts: Attempts
    passwords: Passwords
