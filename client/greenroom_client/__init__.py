"""A client for Greenroom, the service that lets only clean files on stage.

::

    from greenroom_client import Client

    with Client("https://greenroom.example", token) as greenroom:
        upload = greenroom.upload("deck.pptx", meeting="town-hall")
        upload = greenroom.wait_for_verdict(upload)
        if upload.released:
            greenroom.download(upload, "checked.pptx")

All errors descend from ``GreenroomError``; the tree is drawn in ``greenroom_client.errors``. Nothing is
printed or logged, and nothing is kept beyond a ``Client``.
"""

from greenroom_client.client import Client
from greenroom_client.content import Progress, Source
from greenroom_client.documents import (
    Attempt,
    Delivery,
    Endpoint,
    Event,
    Grant,
    GrantKey,
    NewSecret,
    Signatures,
    Step,
    Upload,
    Used,
    Verdict,
)
from greenroom_client.errors import (
    AccountRemoved,
    BadRequest,
    Conflict,
    ContentRefused,
    Damaged,
    Forbidden,
    Gone,
    GreenroomError,
    InProgress,
    KeyReused,
    NotFound,
    NotReleased,
    NoVerdictYet,
    Problem,
    RateLimited,
    SourceChanged,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
    UntrustedWebhook,
)
from greenroom_client.transport import Retry
from greenroom_client.webhook import verify_webhook

__all__ = [
    "AccountRemoved",
    "Attempt",
    "BadRequest",
    "Client",
    "Conflict",
    "ContentRefused",
    "Damaged",
    "Delivery",
    "Endpoint",
    "Event",
    "Forbidden",
    "Gone",
    "Grant",
    "GrantKey",
    "GreenroomError",
    "InProgress",
    "KeyReused",
    "NewSecret",
    "NoVerdictYet",
    "NotFound",
    "NotReleased",
    "Problem",
    "Progress",
    "RateLimited",
    "Retry",
    "Signatures",
    "Source",
    "SourceChanged",
    "Step",
    "Unauthenticated",
    "Unavailable",
    "UnexpectedAnswer",
    "Unreachable",
    "UntrustedWebhook",
    "Upload",
    "Used",
    "Verdict",
    "verify_webhook",
]
