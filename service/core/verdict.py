"""The verdict on one content: what was decided, by which engine, under which signatures and policy."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from service.core.outcome import (
    Answer,
    Clean,
    Engine,
    Infected,
    Malformed,
    Suspicious,
    Unscannable,
)


class Kind(StrEnum):
    """The kinds of verdict, as the API and the log name them."""

    CLEAN = "clean"
    INFECTED = "infected"
    UNSCANNABLE = "unscannable"
    MALFORMED = "malformed"
    SUSPICIOUS = "suspicious"
    ERROR = "error"


class Protection(StrEnum):
    """What the signatures in use are worth."""

    OFFICIAL = "official"
    DEMO = "demo"

    @property
    def notice(self) -> str | None:
        """What must be said wherever a verdict is shown, if anything."""
        return "demo signatures: not protection" if self is Protection.DEMO else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One verdict. It names the exact bytes it is about by ``sha256`` (hex) and ``size`` (bytes)."""

    kind: Kind
    code: str
    signature: str | None
    sha256: str
    size: int
    engine: Engine | None
    protection: Protection
    policy: str
    duration: float
    at: datetime


def classify(answer: Answer) -> tuple[Kind, str, str | None]:
    """Return the verdict's kind, stable reason code and signature name for a scanner's ``answer``."""
    match answer:
        case Clean():
            return Kind.CLEAN, "clean", None
        case Infected(signature):
            return Kind.INFECTED, "infected", signature
        case Unscannable(obstacle, signature):
            return Kind.UNSCANNABLE, obstacle.value, signature
        case Malformed(signature):
            return Kind.MALFORMED, "malformed", signature
        case Suspicious(signature):
            return Kind.SUSPICIOUS, "suspicious", signature
        case _:
            assert_never(answer)
