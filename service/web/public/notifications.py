"""What this service sends by itself: the webhook events, declared for the OpenAPI document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field

from service.core.webhook import MOST_DOWNLOADS, TEST, EventType
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
        "upload.erased",
    ]
    timestamp: datetime
    data: Upload


class Download(Document):
    """Somebody got the content."""

    by: str | None = Field(
        description="By which key (`key:`), grant (`grant:`) or Jitsi download link (`link:`).",
        examples=["grant:gt_0199f3a1c2d45e6f708192a3b4c5d6e7"],
    )
    at: datetime


class Downloads(Document):
    """Who got the content before it was withdrawn."""

    total: int = Field(ge=0, description="How many downloads were begun.")
    newest: list[Download] = Field(
        max_length=MOST_DOWNLOADS, description=f"The newest {MOST_DOWNLOADS} of them, newest first."
    )


class RecalledUpload(Upload):
    """An upload that is withdrawn, and who has it."""

    downloads: Downloads


class RecallEvent(Document):
    """A file that had been released is not any more: it is blocked or held."""

    type: Literal["upload.recalled"]
    timestamp: datetime
    data: RecalledUpload


class ScannerTrouble(Document):
    """Why nothing is released for now."""

    ready: Literal[False]
    code: str = Field(description="Stable; tell causes apart by this.")
    advice: str


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
        "`v1,` and a signature of id, timestamp and body; two, with a blank between, after a rotation.",
        {"type": "string", "pattern": "^v1,[A-Za-z0-9+/=]+( v1,[A-Za-z0-9+/=]+)*$"},
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
_MODELS: Final[Mapping[EventType, Any]] = {
    EventType.UNREADY: ScannerEvent,
    EventType.RECALLED: RecallEvent,
}
#: Every event that is sent.
NOTIFICATIONS: Final[Sequence[Notification]] = (
    *(
        Notification(kind.value, what, _MODELS.get(kind, UploadEvent), _HEADERS)
        for kind, what in _WHAT.items()
    ),
    Notification(TEST, "The account tries an endpoint", TrialEvent, _HEADERS),
)
