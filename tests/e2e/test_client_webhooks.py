"""Webhook endpoints through the Python client, against the real service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from greenroom_client import Client, Event, NotFound, verify_webhook
from stack.processes import wait_until
from tests.client.scripted import Request, Server, said
from tests.e2e.serving import Backend

SECONDS = 60.0


@pytest.fixture
def client(backend: Backend) -> Iterator[Client]:
    """A client of an account of its own."""
    with Client(backend.web.url, backend.key, trust_env=False) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Server]:
    """A receiver that takes what comes."""
    server = Server([said(204)] * 50)
    yield server
    server.stop()


def verified(secret: str | None, request: Request) -> Event:
    """What a received request tells of."""
    assert secret
    return verify_webhook(secret, request.headers, request.body)


def test_an_endpoint_is_managed(client: Client, receiver: Server) -> None:
    """Made, listed, asked for, disabled, enabled, deleted; its secret is shown once."""
    made = client.webhooks.create(receiver.url, events=["upload.released"], description="mine")
    assert (made.url, made.events, made.description, made.enabled) == (
        receiver.url,
        ("upload.released",),
        "mine",
        True,
    )
    assert str(made.secret) not in repr(made)
    assert [endpoint.id for endpoint in client.webhooks.list()] == [made.id]
    assert client.webhooks.get(made).secret is None
    disabled = client.webhooks.disable(made)
    assert (disabled.enabled, disabled.disabled_reason is None) == (False, False)
    assert client.webhooks.enable(made.id).enabled
    client.webhooks.delete(made)
    with pytest.raises(NotFound):
        client.webhooks.get(made)


def test_a_release_is_told_verified_and_replayed(client: Client, receiver: Server) -> None:
    """The event of an upload arrives signed, shows in the delivery log, and comes again when asked for."""
    begun = datetime.now(UTC)
    endpoint = client.webhooks.create(receiver.url)
    upload = client.upload(b"minutes", meeting="m1", name="notes.txt")
    wait_until(lambda: len(receiver.requests) == 1, SECONDS, "the webhook")
    event = verified(endpoint.secret, receiver.requests[0])
    assert event.upload is not None
    assert (event.type, event.upload.id, event.upload.released) == ("upload.released", upload.id, True)

    def delivered() -> bool:
        return [one.state for one in client.webhooks.deliveries(endpoint)] == ["delivered"]

    wait_until(delivered, SECONDS, "the delivery log")
    (delivery,) = client.webhooks.deliveries(endpoint)
    assert (delivery.event, delivery.type, [one.status for one in delivery.attempts]) == (
        event.id,
        "upload.released",
        [204],
    )
    assert client.webhooks.replay(endpoint, event.id) == 1
    wait_until(lambda: len(receiver.requests) == 2, SECONDS, "the replay")
    end = datetime.now(UTC) + timedelta(minutes=1)
    assert client.webhooks.replay_between(endpoint, begun, end) == 1
    wait_until(lambda: len(receiver.requests) == 3, SECONDS, "the replay of a time")
    assert {verified(endpoint.secret, request).id for request in receiver.requests} == {event.id}


def test_a_rotated_secret_verifies_as_the_old_one_does(client: Client, receiver: Server) -> None:
    """After a rotation both secrets verify a test event, which is about no upload."""
    endpoint = client.webhooks.create(receiver.url)
    rotated = client.webhooks.rotate_secret(endpoint)
    assert rotated.secret not in repr(rotated)
    delivery = client.webhooks.test(endpoint)
    wait_until(lambda: len(receiver.requests) == 1, SECONDS, "the test event")
    for secret in (endpoint.secret, rotated.secret):
        event = verified(secret, receiver.requests[0])
        assert (event.id, event.upload) == (delivery.event, None)


def test_times_without_a_zone_are_a_mistake(client: Client) -> None:
    """Which events were meant would depend on the machine."""
    with pytest.raises(ValueError, match="zone"):
        client.webhooks.replay_between("we_1", datetime(2026, 1, 1), datetime.now(UTC))  # noqa: DTZ001
