"""Only what was signed with the secret, and lately, is an event."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from greenroom_client import UnexpectedAnswer, UntrustedWebhook, verify_webhook
from tests.client.scripted import upload_document

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
BODY = json.dumps(
    {"type": "upload.released", "timestamp": "2026-11-21T23:42:28.416Z", "data": upload_document()}
).encode()


def signed(body: bytes, *, age: timedelta = timedelta(), secret: str = SECRET) -> dict[str, str]:
    """The headers of a message that was signed so long ago."""
    at = datetime.now(UTC) - age
    signature = Webhook(secret).sign("msg_1", at, body.decode(errors="replace"))
    return {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": signature,
        "Content-Type": "application/json",
    }


def test_a_signed_message_is_an_event() -> None:
    """Id, type, time and the upload are read from what was signed."""
    event = verify_webhook(SECRET, signed(BODY), BODY)
    assert (event.id, event.type) == ("msg_1", "upload.released")
    assert event.upload is not None
    assert (event.upload.id, event.upload.released, event.data["id"]) == ("up_1", True, "up_1")


def test_one_of_two_signatures_is_enough() -> None:
    """While a secret is rotated messages bear two signatures, and a receiver knows one secret."""
    headers = signed(BODY)
    headers["Webhook-Signature"] = (
        f"{signed(BODY, secret=OTHER)['Webhook-Signature']} {headers['Webhook-Signature']}"
    )
    assert verify_webhook(SECRET, headers, BODY).id == "msg_1"


def test_events_about_no_upload_have_none() -> None:
    """An event about something else is an event with its data."""
    body = json.dumps(
        {"type": "scanner.unready", "timestamp": "2026-11-21T23:42:28Z", "data": {"reason": "stale"}}
    ).encode()
    event = verify_webhook(SECRET, signed(body), body)
    assert (event.upload, event.data) == (None, {"reason": "stale"})


@pytest.mark.parametrize(
    "change",
    [
        {"Webhook-Signature": "v1,AAAA"},
        {"Webhook-Signature": "v2,AAAA"},
        {"Webhook-Signature": "nonsense"},
        {"Webhook-Signature": "v1,no base64 at all!"},
        {"Webhook-Signature": "v1,ä"},
        {"Webhook-Signature": ""},
        {"Webhook-Id": "msg_2"},
        {"Webhook-Id": ""},
        {"Webhook-Timestamp": "0"},
        {"Webhook-Timestamp": "soon"},
        {"Webhook-Timestamp": "nan"},
        {"Webhook-Timestamp": "99999999999"},
    ],
)
def test_a_changed_message_is_not_believed(change: dict[str, str]) -> None:
    """Any header that is not the signed one makes it untrusted, and nothing but that error is raised."""
    with pytest.raises(UntrustedWebhook):
        verify_webhook(SECRET, {**signed(BODY), **change}, BODY)


@pytest.mark.parametrize("missing", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
def test_a_missing_header_is_not_believed(missing: str) -> None:
    """All three headers must be there."""
    headers = signed(BODY)
    del headers[missing]
    with pytest.raises(UntrustedWebhook):
        verify_webhook(SECRET, headers, BODY)


@pytest.mark.parametrize("body", [BODY + b" ", b"", b"\xff\xfe", BODY.replace(b"released", b"blocked!")])
def test_a_changed_body_is_not_believed(body: bytes) -> None:
    """The very bytes count."""
    with pytest.raises(UntrustedWebhook):
        verify_webhook(SECRET, signed(BODY), body)


def test_old_and_foreign_messages_are_not_believed() -> None:
    """A message from six minutes ago, and one signed by somebody else, are untrusted."""
    with pytest.raises(UntrustedWebhook):
        verify_webhook(SECRET, signed(BODY, age=timedelta(minutes=6)), BODY)
    with pytest.raises(UntrustedWebhook):
        verify_webhook(OTHER, signed(BODY), BODY)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "c2VjcmV0", "whsec_%%%", "whsec_A", "whsec_ä", f"{SECRET}\n"]
)
def test_an_odd_secret_is_a_mistake(secret: str) -> None:
    """A receiver without a secret must not run: nothing is verified with nothing."""
    with pytest.raises(ValueError, match="whsec_"):
        verify_webhook(secret, signed(BODY), BODY)


@pytest.mark.parametrize(
    "body", [b"[]", b"[" * 100_000, b"minutes", b"{}", b'{"type": "upload.released", "timestamp": "x"}']
)
def test_a_signed_document_of_another_kind_is_told(body: bytes) -> None:
    """What is signed but none of ours is an error of its own."""
    with pytest.raises(UnexpectedAnswer):
        verify_webhook(SECRET, signed(body), body)
