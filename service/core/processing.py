"""The record of processing activities (Art. 30 GDPR): what it is made of, and how it is written down.

What no configuration knows (names, legal bases, countries) is not guessed: the record says what to add.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the record: a table whose ``rows`` have a cell for each of the ``columns``."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


TO_ADD: Final = Section(
    "to_add",
    "To be added by you",
    ("what", "why"),
    (
        (
            "Name and contact of the controller, its representative, its data protection officer",
            "Art. 30(1)(a)",
        ),
        ("The controllers that you process for: the accounts' owners", "Art. 30(2)(a)"),
        ("The legal basis of each purpose", "for the information of Art. 13 and 14"),
        (
            "The country of each place and recipient, and the safeguards where it is a third country",
            "Art. 30(1)(e)",
        ),
        ("For how long backups of the database and the store are kept", "Art. 30(1)(f)"),
    ),
)
DATA: Final = Section(
    "data",
    "Data and purposes",
    ("data", "whose", "purpose"),
    (
        (
            "contents of files, and of exports",
            "whoever is in them; whoever uploaded them",
            "share files in a meeting, after they were scanned for malware; hand data back (Art. 15, 20)",
        ),
        (
            "names of files, types, sizes, digests, verdicts, times",
            "whoever uploaded them",
            "find files, say what became of them",
        ),
        (
            "what an account calls who uploads or downloads (`person`, users of Jitsi Meet), ids of meetings",
            "presenters, participants",
            "answer and erase by person; give access to that meeting alone",
        ),
        ("grants: for which meeting, file and person, until when", "presenters, participants", "give access"),
        ("API keys (digests) and their labels, webhooks (address, sealed secret)", "accounts", "give access"),
        (
            "names, roles, password digests and sessions of reviewers; reasons of their decisions",
            "the security team",
            "decide about held files, by two people",
        ),
        (
            "the log: who did what when, by pseudonyms of keys, grants and reviewers",
            "all of them",
            "prove what happened, find misuse (Art. 5(2), 32)",
        ),
        ("legal holds and their reasons", "accounts", "keep what a court orders kept"),
    ),
)
MEASURES: Final = (
    (
        "Contents are sealed before the store (AES-256-GCM), each under a key of its own, that under its"
        " account's key, that under the master key"
    ),
    "Nothing is released that was not proved clean or let go by two people",
    "Access by account, by scope and by grants for one meeting that end after minutes and can be revoked",
    "The store's identities have the least rights for their tasks; the database says what may be read",
    "Every access to a file is logged before it is given; the log is a signed Merkle tree",
    "What is under a legal hold is erased by nobody: the database's transaction refuses",
    "Nothing of one region is written to another",
)


def markdown(made_at: str, sections: Sequence[Section]) -> str:
    """Return the record as a Markdown page."""
    parts = ["# Record of processing activities (Art. 30 GDPR)", f"From the configuration as of {made_at}."]
    for section in sections:
        lines = [_line(section.columns), _line(["---"] * len(section.columns)), *map(_line, section.rows)]
        parts += [f"## {section.title}", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def document(made_at: str, sections: Sequence[Section]) -> Mapping[str, Any]:
    """Return the record as a JSON document: the rows of each section by its name."""
    tables = {
        section.name: [dict(zip(section.columns, row, strict=True)) for row in section.rows]
        for section in sections
    }
    return {"made_at": made_at, **tables}


def _line(cells: Sequence[str]) -> str:
    escaped = [cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ") for cell in cells]
    return f"| {' | '.join(escaped)} |"
