"""Verification of webhooks, as a receiver needs it (Standard Webhooks 1.0)."""

import json
import re
from collections.abc import Iterable
from typing import Final, Protocol

from standardwebhooks import Webhook, WebhookVerificationError

from greenroom_client.documents import Event
from greenroom_client.errors import UnexpectedAnswer, UntrustedWebhook
from greenroom_client.reading import read

_SECRET: Final = re.compile(r"whsec_[A-Za-z0-9+/]+={0,2}")


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
    verifier = _verifier(secret)
    plain = {name.lower(): value for name, value in headers.items()}
    try:
        verifier.verify(body, plain, json_parse=False)
    except (WebhookVerificationError, ValueError) as error:
        # ValueError: a signature that is no base64 or has no version, or a body that is no UTF-8.
        raise UntrustedWebhook(f"The webhook cannot be trusted: {error}") from None
    return _event(plain["webhook-id"], body)


def _verifier(secret: str) -> Webhook:
    try:
        if _SECRET.fullmatch(secret):
            return Webhook(secret)
    except ValueError:
        pass  # of a length that base64 cannot have
    raise ValueError("the secret of a webhook endpoint is whsec_ and base64")


def _event(identifier: str, body: bytes) -> Event:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise UnexpectedAnswer("The webhook is signed, but no JSON object.")
    about_upload = str(document.get("type", "")).startswith("upload.")
    upload = {"upload": document.get("data")} if about_upload else {}
    return read(Event, {**document, "id": identifier, **upload})
