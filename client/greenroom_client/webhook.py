"""Verification of webhooks, as a receiver needs it (Standard Webhooks 1.0)."""

import json
from collections.abc import Iterable
from typing import Protocol

from standardwebhooks import Webhook, WebhookVerificationError

from greenroom_client.documents import Event
from greenroom_client.errors import UnexpectedAnswer, UntrustedWebhook
from greenroom_client.reading import read

_PREFIX = "whsec_"


class Headers(Protocol):
    """A request's headers: a mapping, or what a web framework has in its place."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return names, in any case, and values."""
        ...


def verify_webhook(secret: str, headers: Headers, body: bytes) -> Event:
    """Return the event that ``body``, the very bytes that arrived, tells of.

    ``secret`` is what ``webhooks.create`` or ``rotate_secret`` gave (``whsec_...``); another text is a
    ``ValueError``. Raises ``UntrustedWebhook`` if no signature fits or the message is more than five minutes
    old or ahead, and ``UnexpectedAnswer`` for a signed document that is none of Greenroom's.
    """
    if not secret.removeprefix(_PREFIX) or not secret.startswith(_PREFIX):
        raise ValueError("the secret of a webhook endpoint begins with whsec_")
    plain = {name.lower(): value for name, value in headers.items()}
    verifier = Webhook(secret)
    try:
        verifier.verify(body, plain, json_parse=False)
    except (WebhookVerificationError, ValueError) as error:
        # ValueError: a signature that is no base64 or has no version, or a body that is no UTF-8.
        raise UntrustedWebhook(f"The webhook cannot be trusted: {error}") from None
    return _event(plain["webhook-id"], body)


def _event(identifier: str, body: bytes) -> Event:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise UnexpectedAnswer("The webhook is signed, but no JSON object.")
    about_upload = str(document.get("type", "")).startswith("upload.")
    upload = {"upload": document.get("data")} if about_upload else {}
    return read(Event, {**document, "id": identifier, **upload})
