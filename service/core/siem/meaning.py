"""What each event of the log means to a security team: one table that all forms are made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from types import MappingProxyType
from typing import Final

from service.core.journal import Act
from service.core.siem.told import Told
from service.core.upload import Event
from service.core.verdict import Kind


class Severity(IntEnum):
    """How much it matters, with the numbers of OCSF's ``severity_id``."""

    INFORMATIONAL = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5


class Subject(Enum):
    """What an event is about."""

    FILE = auto()
    SCAN = auto()
    FINDING = auto()
    SIGN_IN = auto()
    ENTITY = auto()
    PAGE = auto()
    ENGINE = auto()


class Answer(Enum):
    """What was done about a finding."""

    BLOCKED = auto()
    QUARANTINED = auto()
    APPROVED = auto()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an event means. ``activity`` is the caption of OCSF's activity in the subject's class."""

    title: str
    subject: Subject
    activity: str
    severity: Severity = Severity.INFORMATIONAL
    failed: bool = False
    answer: Answer | None = None


_S, _L = Subject, Severity
MEANINGS: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        Event.STORED: Meaning("File received", _S.FILE, "Upload"),
        Event.REFUSED: Meaning("File refused", _S.FILE, "Upload", _L.LOW, failed=True),
        Event.GAVE_UP: Meaning("Upload not completed", _S.FILE, "Upload", failed=True),
        Event.SCAN_BEGUN: Meaning("Scan begun", _S.SCAN, "Started"),
        Event.FOUND_CLEAN: Meaning("File found clean", _S.SCAN, "Completed"),
        Event.FOUND_INFECTED: Meaning("Malware found", _S.FINDING, "Create", _L.HIGH, answer=Answer.BLOCKED),
        Event.SCAN_FAILED: Meaning("Scan failed", _S.SCAN, "Error", _L.LOW, failed=True),
        Event.NOT_SCANNABLE: Meaning(
            "File held, not proved clean", _S.FINDING, "Create", _L.MEDIUM, answer=Answer.QUARANTINED
        ),
        Event.SCAN_EXHAUSTED: Meaning(
            "File held without a verdict", _S.SCAN, "Error", _L.MEDIUM, failed=True
        ),
        Event.REVIEWER_CLEARED: Meaning(
            "Held file cleared by a reviewer", _S.FINDING, "Close", _L.LOW, answer=Answer.APPROVED
        ),
        Event.REVIEWER_BLOCKED: Meaning(
            "Held file blocked by a reviewer", _S.FINDING, "Close", _L.LOW, answer=Answer.BLOCKED
        ),
        Event.RESCAN_ASKED: Meaning("Another scan asked for", _S.FINDING, "Update"),
        Event.COPIED_OUT: Meaning("File released", _S.FILE, "Move"),
        Event.COPY_FAILED: Meaning("File could not be released", _S.FILE, "Move", _L.MEDIUM, failed=True),
        Event.RECALLED: Meaning(
            "Malware found in a released file", _S.FINDING, "Create", _L.CRITICAL, answer=Answer.BLOCKED
        ),
        Event.DOUBTED: Meaning(
            "Released file doubted", _S.FINDING, "Create", _L.HIGH, answer=Answer.QUARANTINED
        ),
        Event.DELETED: Meaning("File deleted by its owner", _S.FILE, "Delete"),
        Event.RETENTION_ENDED: Meaning("File erased at the end of its time", _S.FILE, "Delete"),
        Act.DOWNLOADED: Meaning("File downloaded", _S.FILE, "Download"),
        Act.CANARIES: Meaning("Scanner tested", _S.SCAN, "Completed"),
        Act.SIGNATURES: Meaning("Scanner's signatures changed", _S.ENGINE, "Update"),
        Act.ACCOUNT_CREATED: Meaning("Account made", _S.ENTITY, "Create", _L.LOW),
        Act.ACCOUNT_REMOVED: Meaning("Account removed", _S.ENTITY, "Disable", _L.MEDIUM),
        Act.ACCOUNT_REACTIVATED: Meaning("Account reactivated", _S.ENTITY, "Enable", _L.MEDIUM),
        Act.HOLD_PLACED: Meaning("Legal hold placed", _S.ENTITY, "Create", _L.MEDIUM),
        Act.HOLD_LIFTED: Meaning("Legal hold lifted", _S.ENTITY, "Delete", _L.MEDIUM),
        Act.HOLDS_VIEWED: Meaning("Legal holds viewed", _S.PAGE, "Read"),
        Act.KEY_CREATED: Meaning("API key made", _S.ENTITY, "Create", _L.LOW),
        Act.KEY_REVOKED: Meaning("API key revoked", _S.ENTITY, "Disable", _L.LOW),
        Act.MASTER_KEY_ROTATED: Meaning("Accounts' keys sealed anew", _S.ENTITY, "Update", _L.MEDIUM),
        Act.SIGNED_IN: Meaning("Reviewer signed in", _S.SIGN_IN, "Logon"),
        Act.SIGN_IN_FAILED: Meaning("Sign-in failed", _S.SIGN_IN, "Logon", _L.LOW, failed=True),
        Act.SIGNED_OUT: Meaning("Reviewer signed out", _S.SIGN_IN, "Logoff"),
        Act.OVERVIEW_VIEWED: Meaning("Overview viewed", _S.PAGE, "Read"),
        Act.SEARCHED: Meaning("Uploads searched", _S.PAGE, "Search"),
        Act.UPLOAD_VIEWED: Meaning("Upload viewed", _S.PAGE, "Read"),
        Act.HELD_VIEWED: Meaning("Held files viewed", _S.PAGE, "Read"),
        Act.ALLOW_LIST_VIEWED: Meaning("Allow-list viewed", _S.PAGE, "Read"),
        Act.RECEIPT_TAKEN: Meaning("Receipt for a verdict taken", _S.PAGE, "Export"),
        Act.LOG_VIEWED: Meaning("Log viewed", _S.PAGE, "Read"),
        Act.REVIEWERS_VIEWED: Meaning("Reviewers viewed", _S.PAGE, "Read"),
        Act.EXPORTED: Meaning("Search exported", _S.PAGE, "Export", _L.LOW),
        Act.REVIEWER_ADDED: Meaning("Reviewer added", _S.ENTITY, "Create", _L.LOW),
        Act.REVIEWER_CHANGED: Meaning("Reviewer changed", _S.ENTITY, "Update", _L.LOW),
        Act.DECISION_PROPOSED: Meaning("Decision proposed", _S.FINDING, "Update"),
        Act.DECISION_CONFIRMED: Meaning("Decision confirmed", _S.FINDING, "Update", _L.LOW),
        Act.DECISION_REJECTED: Meaning("Decision rejected", _S.FINDING, "Update", _L.LOW),
        Act.ALLOWANCE_REVOKED: Meaning("Allow-list entry revoked", _S.ENTITY, "Delete", _L.LOW),
        Act.ERASURE_ASKED: Meaning("Erasure asked for", _S.ENTITY, "Update", _L.LOW),
        Act.ERASURE_DONE: Meaning("Erasure done", _S.ENTITY, "Delete", _L.LOW),
        Act.EXPORT_ASKED: Meaning("Export of data asked for", _S.ENTITY, "Create", _L.LOW),
        Act.EXPORT_BUILT: Meaning("Export of data built", _S.ENTITY, "Update"),
        Act.EXPORT_TAKEN: Meaning("Export of data downloaded", _S.PAGE, "Export", _L.LOW),
        Act.EXPORT_WITHDRAWN: Meaning("Export of data withdrawn", _S.ENTITY, "Update"),
        Act.EXPORT_EXPIRED: Meaning("Export of data deleted", _S.ENTITY, "Delete"),
        Act.REQUESTS_VIEWED: Meaning("People's requests viewed", _S.PAGE, "Read"),
        Act.MEETING_CHANGED: Meaning("Meeting's data changed", _S.ENTITY, "Update"),
        Act.RESCAN_BEGUN: Meaning("Rescan of released files begun", _S.SCAN, "Started"),
        Act.RESCAN_ENDED: Meaning("Rescan of released files ended", _S.SCAN, "Completed"),
    }
)
_UNKNOWN: Final = Meaning("Something else was logged", Subject.PAGE, "Other")
#: The event in whose place a line is told that cannot be read. No line of the log has it.
UNREADABLE: Final = "line_unreadable"
_UNREADABLE: Final = Meaning(
    "A line of the log cannot be read", Subject.PAGE, "Other", Severity.HIGH, failed=True
)
_CANARIES_FAILED: Final = Meaning(
    "Scanner does not find what it must", Subject.SCAN, "Error", Severity.HIGH, failed=True
)


def meaning(told: Told) -> Meaning:
    """Return what a line means; that of canaries and of held files depends on what was found."""
    if told.event == Act.CANARIES and told.detail.get("failures"):
        return _CANARIES_FAILED
    if told.event == UNREADABLE:
        return _UNREADABLE
    known = MEANINGS.get(told.event, _UNKNOWN)
    if told.event == Event.NOT_SCANNABLE and told.detail.get("kind") == Kind.UNSCANNABLE:
        # A password or a size, mostly: nothing was found that speaks against the file.
        return Meaning(known.title, known.subject, known.activity, Severity.LOW, answer=known.answer)
    return known
