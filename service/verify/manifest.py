"""An evidence pack's manifest: every other member by its SHA-256, in a note that the log's key signed.

The note's text is a line that no checkpoint begins with, so that neither can pass for the other, and a JSON
object on one line.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.verify.extracts import EXTRACTS, Span
from service.verify.invalid import Invalid
from service.verify.note import Note
from service.verify.receipt import read_object

FORMAT: Final = "greenroom-evidence/1"
MANIFEST: Final = "manifest.note"
README: Final = "README.txt"
KEY: Final = "log.key"
LOG: Final = "log.jsonl"
CHECKPOINTS: Final = "checkpoints.note"
UPLOADS: Final = "uploads.jsonl"
#: What the manifest lists: every pack has all of it and nothing else.
LISTED: Final = frozenset({README, KEY, LOG, CHECKPOINTS, UPLOADS, *EXTRACTS})
_MEMBERS: Final = frozenset({"log", "first", "since", "until", "size", "rows", "table_exceptions", "members"})


@dataclass(frozen=True, slots=True)
class Manifest:
    """``log`` is the log's name and ``size`` how many lines of it are in the pack. ``rows`` of the table of
    uploads were compared with it, and ``table_exceptions`` found. ``members`` have their SHA-256 in hex.
    """

    log: str
    span: Span
    size: int
    rows: int
    table_exceptions: int
    members: Mapping[str, str]

    def text(self) -> str:
        """Return what is signed."""
        document = {
            "log": self.log,
            "first": self.span.first,
            "since": self.span.since,
            "until": self.span.until,
            "size": self.size,
            "rows": self.rows,
            "table_exceptions": self.table_exceptions,
            "members": dict(self.members),
        }
        return f"{FORMAT}\n{json.dumps(document, sort_keys=True, separators=(',', ':'))}\n"


def read_manifest(note: Note) -> Manifest:
    """Return what a note says, whether its signatures were checked or not. Raises ``Invalid``."""
    first_line, _, rest = note.text.partition("\n")
    if first_line != FORMAT:
        raise Invalid(f"this is no manifest in the format {FORMAT}")
    found = read_object(rest, "the manifest")
    members: Any = found.get("members")
    texts = [found.get(name) for name in ("log", "since", "until")]
    numbers = [found.get(name) for name in ("first", "size", "rows", "table_exceptions")]
    if (
        set(found) != _MEMBERS
        or not all(isinstance(text, str) for text in texts)
        or not all(type(number) is int and number >= 0 for number in numbers)
        or not isinstance(members, dict)
        or not all(isinstance(digest, str) for digest in members.values())
    ):
        raise Invalid("the manifest does not say what it must")
    if set(members) != LISTED:
        raise Invalid("the manifest does not list what a pack must have")
    span = Span(found["first"], found["since"], found["until"])
    return Manifest(found["log"], span, found["size"], found["rows"], found["table_exceptions"], members)
