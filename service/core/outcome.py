"""What a scan can end in: a closed union, and the one reading of clamd's replies.

There is no default that means clean: only the exact bytes ``stream: OK`` do. Every consumer uses
``match`` with ``assert_never``; an outcome is never a bool.

Source of the replies: ClamAV's ``clamd(8)`` (INSTREAM) and ``libclamav``'s ``Heuristics.*`` names.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Obstacle(StrEnum):
    """Why the scanner could not look into all of a file."""

    LIMITS = "limits_exceeded"
    ENCRYPTED = "encrypted"


class Failure(StrEnum):
    """Why a scan gave no answer about the file."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    CONNECTION_LOST = "connection_lost"
    SCANNER_ERROR = "scanner_error"
    STREAM_LIMIT = "stream_limit"
    PROTOCOL = "protocol"
    UNTRUSTED = "scanner_untrusted"
    STALE_SIGNATURES = "stale_signatures"
    STORE_UNAVAILABLE = "store_unavailable"
    SCANNER_FULL = "scanner_full"


#: Failures that say nothing about the file: a part is away or may not be believed just now. They are waited
#: out and do not use up a file's attempts.
BLAMELESS: Final = frozenset(
    {
        Failure.UNREACHABLE,
        Failure.UNTRUSTED,
        Failure.STALE_SIGNATURES,
        Failure.STORE_UNAVAILABLE,
        Failure.SCANNER_FULL,
    }
)


@dataclass(frozen=True, slots=True)
class Clean:
    """clamd looked into the whole file and found nothing."""


@dataclass(frozen=True, slots=True)
class Infected:
    """A signature matched."""

    signature: str


@dataclass(frozen=True, slots=True)
class Unscannable:
    """clamd could not look into all of the file."""

    obstacle: Obstacle
    signature: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """The file is broken in a way that hides content."""

    signature: str


@dataclass(frozen=True, slots=True)
class Suspicious:
    """A heuristic matched: macros, phishing marks, unwanted software."""

    signature: str


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer about the file."""

    failure: Failure
    detail: str = ""


Answer = Clean | Infected | Unscannable | Malformed | Suspicious
Outcome = Answer | Failed


@dataclass(frozen=True, slots=True)
class Engine:
    """Who scanned: ClamAV's version, and its signature database's version and time (UTC).

    The last two are ``None`` where clamd does not tell them (it then has no official database).
    """

    version: str
    signature_version: int | None
    signatures_made_at: datetime | None


_LONGEST_REPLY: Final = 512
_PREFIXES: Final[tuple[tuple[str, type[Malformed] | type[Suspicious] | Obstacle], ...]] = (
    ("Heuristics.Limits.Exceeded", Obstacle.LIMITS),
    ("Heuristics.Encrypted.", Obstacle.ENCRYPTED),
    # Our own signatures (clamav/signatures), for what clamd calls OK without having looked into it.
    ("Heuristics.Greenroom.Unscannable.", Obstacle.LIMITS),
    ("Heuristics.Greenroom.Encrypted.", Obstacle.ENCRYPTED),
    ("Heuristics.Broken.", Malformed),
    ("Heuristics.OLE2.", Suspicious),
    ("Heuristics.Phishing.", Suspicious),
    ("PUA.", Suspicious),
)


def read_found(name: str) -> Answer:
    """Return what a reported signature ``name`` means. An unknown name is an infection."""
    if name == "(null)":
        return Unscannable(Obstacle.LIMITS, name)
    for prefix, meaning in _PREFIXES:
        if name.startswith(prefix):
            return Unscannable(meaning, name) if isinstance(meaning, Obstacle) else meaning(name)
    return Infected(name)


def read_reply(reply: bytes) -> Outcome:
    r"""Return what clamd's whole reply to one ``zINSTREAM\0`` means.

    ``reply`` is every byte clamd sent until it closed the connection. Exactly one line, ended by one NUL,
    is a reply; anything else (nothing, half a line, two lines, not text) is a failure.
    """
    if not reply:
        return Failed(Failure.CONNECTION_LOST, "empty reply")
    if not reply.endswith(b"\0") or reply.count(b"\0") != 1 or len(reply) > _LONGEST_REPLY:
        return Failed(Failure.PROTOCOL, "not one complete line")
    line = reply[:-1].decode("ascii", "replace")
    if line == "stream: OK":
        return Clean()
    if not line.isascii() or not line.isprintable():
        return Failed(Failure.PROTOCOL, "not plain text")
    return _read_line(line)


def _read_line(line: str) -> Outcome:
    if line.endswith(" ERROR"):
        return Failed(_failure(line), line)
    name = line.removeprefix("stream: ").removesuffix(" FOUND")
    if line == f"stream: {name} FOUND" and name == name.strip() != "":
        return read_found(name)
    return Failed(Failure.PROTOCOL, "unknown reply")


def _failure(line: str) -> Failure:
    if line.startswith("INSTREAM size limit exceeded"):
        return Failure.STREAM_LIMIT
    # clamd has no room for its copy of the stream: other people's files fill it, not this one.
    full = line.startswith(("Error writing to temporary file", "Can't create temporary file"))
    return Failure.SCANNER_FULL if full else Failure.SCANNER_ERROR
