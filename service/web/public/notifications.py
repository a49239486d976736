"""What this service sends by itself: the webhook events, declared for the OpenAPI document."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field

from service.core.webhook import TEST, EventType
from service.stages import webhooks
from service.web.public.documents import Document, Upload
from service.web.public.operation import Header


@dataclass(frozen=True, slots=True)
class Notification:
    """One event that is POSTed to webhook endpoints: its name, what happened, the type of its JSON."""

    name: str
    summary: str
    model: Any
    headers: Sequence[Header] = ()
    description: str = ""


class UploadEvent(Document):
    """What became of an upload, as it was at that moment. The name of an erased one is empty."""

    type: Literal[
        "upload.released",
        "upload.held",
        "upload.blocked",
        "upload.refused",
        "upload.recalled",
        "upload.erased",
    ]
    timestamp: datetime
    data: Upload


class ScannerTrouble(Document):
    """Why nothing is released for now."""

    code: str = Field(description="Stable; tell causes apart by this.")
    detail: str


class ScannerEvent(Document):
    """The scanner may not be believed any more."""

    type: Literal["scanner.unready"]
    timestamp: datetime
    data: ScannerTrouble


class Trial(Document):
    """Which endpoint is tried."""

    endpoint: str


class TrialEvent(Document):
    """An event that the account sent to itself."""

    type: Literal["webhook.test"]
    timestamp: datetime
    data: Trial


#: The headers of Standard Webhooks 1.0.0.
_HEADERS: Final = (
    Header(
        "webhook-id",
        "The event's id, the same at every attempt: take an event once.",
        {"type": "string", "pattern": f"^{webhooks.EVENT_ID.pattern}$"},
    ),
    Header("webhook-timestamp", "When this attempt was made, in seconds since 1970.", {"type": "integer"}),
    Header(
        "webhook-signature",
        "`v1,` and a signature of id, timestamp and body; two with a blank between while a secret is rotated.",
        {"type": "string", "pattern": "^v1,"},
    ),
)
_WHAT: Final = {
    EventType.RELEASED: "A file was found clean and can be downloaded",
    EventType.HELD: "A file could not be judged and is held",
    EventType.BLOCKED: "Malware was found in a file",
    EventType.REFUSED: "A file was not accepted and nothing of it was kept",
    EventType.RECALLED: "A file that had been released is withdrawn",
    EventType.ERASED: "A file was deleted",
    EventType.UNREADY: "The scanner may not be believed any more, and nothing is released",
}
#: Every event that is sent.
NOTIFICATIONS: Final[Sequence[Notification]] = (
    *(
        Notification(
            kind.value, what, ScannerEvent if kind is EventType.UNREADY else UploadEvent, _HEADERS
        )
        for kind, what in _WHAT.items()
    ),
    Notification(TEST, "The account tries an endpoint", TrialEvent, _HEADERS),
)
