"""What the routes of webhooks take and answer, as JSON."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from service.core.webhook import DeliveryState, Disabled, EventType
from service.core.webhook_url import LONGEST_URL
from service.stages import webhooks
from service.web.public.documents import Document
from service.web.public.operation import LINE, Body

_LONGEST_DESCRIPTION: Final = 255
_Line = Annotated[str, Field(max_length=_LONGEST_DESCRIPTION, pattern=LINE)]


class EndpointDocument(Document):
    """An endpoint, without its secret."""

    id: str = Field(pattern=f"^{webhooks.ENDPOINT_ID.pattern}$")
    url: str
    events: list[EventType] = Field(description="The events that it is told of.")
    description: str
    enabled: bool
    disabled_reason: Disabled | None = Field(
        description="`asked`: by this API; `gone`: it answered 410; `failing`: nothing in three days."
    )
    created_at: datetime


class NewEndpointDocument(EndpointDocument):
    """An endpoint as it was made, with its secret, this once."""

    secret: str = Field(description="Verifies what is sent. Keep it: it is not shown again.")


class EndpointsDocument(Document):
    """All endpoints of the account, oldest first."""

    endpoints: list[EndpointDocument]


class RotatedDocument(Document):
    """A new secret, this once."""

    secret: str
    previous_expires_at: datetime = Field(description="Until then the secret before it signs too.")


class AttemptDocument(Document):
    """One attempt to deliver."""

    at: datetime
    status: int | None = Field(description="The status that was answered, if any was.")
    error: str | None = Field(description="What was wrong, in one word; `null` for a success.")
    duration_seconds: float


class DeliveryDocument(Document):
    """One event on its way to one endpoint."""

    id: str = Field(pattern=f"^{webhooks.DELIVERY_ID.pattern}$")
    event: str = Field(description="The event's id, sent as `webhook-id`.")
    type: str
    state: DeliveryState
    attempts: list[AttemptDocument]
    created_at: datetime
    next_attempt_at: datetime | None = Field(description="`null` where there will be none.")


class DeliveriesDocument(Document):
    """A page of deliveries, newest first."""

    deliveries: list[DeliveryDocument]
    next: str | None = Field(description="The cursor of the next page.")


class ReplayedDocument(Document):
    """How much is delivered again."""

    deliveries: int


class NewEndpoint(Body):
    """An endpoint to make."""

    url: str = Field(
        max_length=LONGEST_URL,
        # Not every URL may be sent to, and what a name leads to no schema can say.
        json_schema_extra={"format": "webhook-url"},
        description="https, a host that leads to public addresses only, port 443 or from 1024 up.",
    )
    events: list[EventType] | None = Field(
        None, min_length=1, description="What to be told of; everything if left out."
    )
    description: _Line = ""


_TEXT, _NONE = {"type": "string"}, {"type": "null"}
#: One event or a range, not both.
_EITHER: Final[dict[str, Any]] = {
    "oneOf": [
        {
            "title": "one event",
            "required": ["event"],
            "properties": {"event": _TEXT, "from": _NONE, "to": _NONE},
        },
        {
            "title": "a range",
            "required": ["from", "to"],
            "properties": {"event": _NONE, "from": _TEXT, "to": _TEXT},
        },
    ],
    "examples": [{"from": "2026-11-22T08:00:00Z", "to": "2026-11-22T12:00:00Z"}],
}


class Replay(Body):
    """What to deliver again: one event, or those from one moment to before another."""

    model_config = ConfigDict(json_schema_extra=_EITHER)

    event: str | None = Field(None, pattern=f"^{webhooks.EVENT_ID.pattern}$")
    begin: AwareDatetime | None = Field(None, alias="from", description="RFC 3339.")
    end: AwareDatetime | None = Field(None, alias="to", description="RFC 3339.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "Replay":
        if (self.event is None) is (self.begin is None) or (self.begin is None) is not (self.end is None):
            raise ValueError("send either event, or from and to")
        return self
