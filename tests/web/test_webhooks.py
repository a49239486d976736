"""``/v1/webhook-endpoints``: shapes, refusals, and what another account learns."""

from __future__ import annotations

import base64
import re
import ssl
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from service.adapters.webhook_sender import HttpWebhookSender
from service.core.webhook import Attempt, DeliveryState, EventType
from service.core.webhook_schedule import Conclusion
from service.core.webhook_url import LONGEST_URL, Reach
from service.stages.access import SCOPES
from service.stages.parts import Parts
from service.web.public import create_app
from service.web.public.webhook_models import (
    DeliveriesDocument,
    DeliveryDocument,
    EndpointDocument,
    EndpointsDocument,
    NewEndpointDocument,
    RotatedDocument,
)
from tests.core.hostile_urls import BAD_ADDRESSES, BAD_TEXTS, url_of
from tests.web.conftest import SLOTS, Backend, assert_problem, new_backend

ALL = [kind.value for kind in EventType]
ROUTES = [
    ("GET", "/v1/webhook-endpoints"),
    ("POST", "/v1/webhook-endpoints"),
    ("GET", "/v1/webhook-endpoints/{}"),
    ("DELETE", "/v1/webhook-endpoints/{}"),
    ("POST", "/v1/webhook-endpoints/{}/rotate-secret"),
    ("POST", "/v1/webhook-endpoints/{}/disable"),
    ("POST", "/v1/webhook-endpoints/{}/enable"),
    ("POST", "/v1/webhook-endpoints/{}/test"),
    ("GET", "/v1/webhook-endpoints/{}/deliveries"),
    ("POST", "/v1/webhook-endpoints/{}/replay"),
]
BODIES: dict[str, dict[str, Any]] = {
    "/v1/webhook-endpoints": {"url": "https://hooks.example.com/"},
    "/v1/webhook-endpoints/{}/replay": {"event": "msg_" + "0" * 32},
}


@pytest.fixture
def parts(parts: Parts) -> Parts:
    """The parts, with a DNS that knows every name."""
    return replace(parts, webhook_sender=knowing("93.184.215.14"))


def knowing(*addresses: str) -> HttpWebhookSender:
    """Return a sender over a DNS that has these addresses for every name. It sends nothing here."""
    return HttpWebhookSender(
        Reach.PUBLIC, lambda _host, _port: addresses, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )


def made(backend: Backend, **changes: Any) -> dict[str, Any]:
    """Make an endpoint and return its document."""
    answer = backend.call(
        "POST", "/v1/webhook-endpoints", json={"url": "https://hooks.example.com/x"} | changes
    )
    assert answer.status_code == 201, answer.get_data(as_text=True)
    document: dict[str, Any] = answer.get_json()
    NewEndpointDocument.model_validate(document)
    assert answer.headers["Location"] == f"/v1/webhook-endpoints/{document['id']}"
    return document


def act(backend: Backend, endpoint: dict[str, Any], action: str, **body: Any) -> TestResponse:
    """Post one of an endpoint's actions."""
    options = {"json": body} if body else {}
    return backend.call("POST", f"/v1/webhook-endpoints/{endpoint['id']}/{action}", **options)


def deliveries(backend: Backend, endpoint: dict[str, Any], query: str = "") -> dict[str, Any]:
    """Return a page of deliveries."""
    answer = backend.get(f"/v1/webhook-endpoints/{endpoint['id']}/deliveries{query}")
    document: dict[str, Any] = answer.get_json()
    DeliveriesDocument.model_validate(document)
    return document


def test_an_endpoint_is_made_listed_shown_and_deleted(backend: Backend) -> None:
    """The secret is 32 random bytes, shown once; everything else is shown as it was sent."""
    one = made(backend, events=["upload.held", "upload.released"], description="ünsere Bühne")
    two = made(backend)
    assert re.fullmatch(r"we_[0-9a-f]{24}", one["id"])
    assert (one["enabled"], one["disabled_reason"], one["description"]) == (True, None, "ünsere Bühne")
    assert one["events"] == ["upload.released", "upload.held"]
    assert (two["events"], two["url"]) == (ALL, "https://hooks.example.com/x")
    secrets = {one.pop("secret"), two.pop("secret")}
    assert len(secrets) == 2
    assert all(len(base64.b64decode(secret.removeprefix("whsec_"))) == 32 for secret in secrets)
    listed = backend.get("/v1/webhook-endpoints").get_json()
    EndpointsDocument.model_validate(listed)
    assert listed == {"endpoints": [one, two]}
    assert backend.get(f"/v1/webhook-endpoints/{one['id']}").get_json() == one
    assert backend.call("DELETE", f"/v1/webhook-endpoints/{one['id']}").status_code == 204
    assert_problem(backend.get(f"/v1/webhook-endpoints/{one['id']}"), 404, "not_found")
    assert backend.get("/v1/webhook-endpoints").get_json() == {"endpoints": [two]}


def test_a_secret_lies_sealed(backend: Backend, parts: Parts) -> None:
    """Whoever reads the database has nothing to sign with."""
    document = made(backend)
    kept = parts.webhook_endpoints.find(document["id"])
    assert kept
    secret = base64.b64decode(document["secret"].removeprefix("whsec_"))
    assert secret not in kept.secret
    assert base64.b64encode(secret) not in kept.secret
    assert parts.sealer.unseal(kept.secret) == secret


def test_rotating_shows_the_new_secret_once(backend: Backend, parts: Parts) -> None:
    """The one before signs for 24 hours more."""
    document = made(backend)
    answer = act(backend, document, "rotate-secret")
    rotated = answer.get_json()
    RotatedDocument.model_validate(rotated)
    assert answer.status_code == 200
    assert rotated["secret"] != document["secret"]
    kept = parts.webhook_endpoints.find(document["id"])
    assert kept
    opened = [parts.sealer.unseal(sealed) for sealed in kept.live_secrets(parts.clock.now())]
    shown = (rotated["secret"], document["secret"])
    assert opened == [base64.b64decode(text.removeprefix("whsec_")) for text in shown]
    assert kept.live_secrets(parts.clock.now() + timedelta(hours=24)) == (kept.secret,)


@pytest.mark.parametrize("text", sorted({*BAD_TEXTS, *map(url_of, BAD_ADDRESSES)}))
def test_a_hostile_url_makes_no_endpoint(backend: Backend, text: str) -> None:
    """Bar R22: accepted at creation, 0."""
    answer = backend.call("POST", "/v1/webhook-endpoints", json={"url": text})
    if len(text) > LONGEST_URL:
        assert_problem(answer, 400, "bad_request")
    else:
        assert_problem(answer, 422, "address_not_allowed")
    assert backend.get("/v1/webhook-endpoints").get_json() == {"endpoints": []}


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_a_name_that_leads_inside_makes_no_endpoint(backend: Backend, parts: Parts, address: str) -> None:
    """One inner address among several is enough; the answer does not tell which names lead where."""
    words = set()
    for known in ([address], ["8.8.8.8", address], []):
        backend.app = create_app(replace(parts, webhook_sender=knowing(*known)), SLOTS)
        answer = backend.call("POST", "/v1/webhook-endpoints", json={"url": "https://hooks.example.com/"})
        words.add(assert_problem(answer, 422, "address_not_allowed")["detail"])
    assert len(words) == 1


BAD_BODIES: dict[str, Any] = {
    "nothing": {},
    "no text": {"url": 1},
    "unknown event": {"url": "https://hooks.example.com/", "events": ["upload.exploded"]},
    "test event": {"url": "https://hooks.example.com/", "events": ["webhook.test"]},
    "no events": {"url": "https://hooks.example.com/", "events": []},
    "a secret of one's own": {"url": "https://hooks.example.com/", "secret": "whsec_AAAA"},
    "long description": {"url": "https://hooks.example.com/", "description": "x" * 256},
    "NUL": {"url": "https://hooks.example.com/", "description": "a\0b"},
    "two lines": {"url": "https://hooks.example.com/", "description": "a\nb"},
    "a list": ["https://hooks.example.com/"],
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_an_odd_body_makes_no_endpoint(backend: Backend, name: str) -> None:
    """Nothing but what is declared is taken."""
    assert_problem(backend.call("POST", "/v1/webhook-endpoints", json=BAD_BODIES[name]), 400, "bad_request")


def test_an_eleventh_endpoint_is_one_too_many(backend: Backend) -> None:
    """Ten make do for anybody; deleting one makes room."""
    documents = [made(backend) for _ in range(10)]
    answer = backend.call("POST", "/v1/webhook-endpoints", json={"url": "https://hooks.example.com/"})
    assert_problem(answer, 409, "too_many_endpoints")
    backend.call("DELETE", f"/v1/webhook-endpoints/{documents[0]['id']}")
    made(backend)


def test_a_disabled_endpoint_is_sent_nothing(backend: Backend) -> None:
    """Neither a test nor a replay; what was pending is cancelled; enabled it is as before."""
    document = made(backend)
    assert act(backend, document, "test").status_code == 202
    disabled = act(backend, document, "disable").get_json()
    EndpointDocument.model_validate(disabled)
    assert (disabled["enabled"], disabled["disabled_reason"]) == (False, "asked")
    assert [one["state"] for one in deliveries(backend, document)["deliveries"]] == ["cancelled"]
    for answer in (
        act(backend, document, "test"),
        act(backend, document, "replay", event="msg_" + "0" * 32),
        act(backend, document, "replay", **{"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}),
    ):
        assert_problem(answer, 409, "endpoint_disabled")
    enabled = act(backend, document, "enable").get_json()
    assert (enabled["enabled"], enabled["disabled_reason"]) == (True, None)


def test_a_test_event_is_shown_with_its_attempts(backend: Backend, parts: Parts) -> None:
    """Pending with the time of the next attempt, then delivered with what was answered."""
    document = made(backend)
    answer = act(backend, document, "test")
    delivery = answer.get_json()
    DeliveryDocument.model_validate(delivery)
    assert (delivery["type"], delivery["state"], delivery["attempts"]) == ("webhook.test", "pending", [])
    assert delivery["next_attempt_at"] == delivery["created_at"]
    assert re.fullmatch(r"msg_[0-9a-f]{32}", delivery["event"])
    now = parts.clock.now()
    work = parts.webhook_deliveries.claim(document["id"], now, now + timedelta(seconds=25))
    assert work
    conclusion = Conclusion(Attempt(now, 204, None, 0.0126), DeliveryState.DELIVERED, None, 0, None)
    parts.webhook_deliveries.conclude(work, conclusion)
    (shown,) = deliveries(backend, document)["deliveries"]
    (attempt,) = shown["attempts"]
    assert (shown["state"], shown["next_attempt_at"]) == ("delivered", None)
    assert (attempt["status"], attempt["error"], attempt["duration_seconds"]) == (204, None, 0.013)


def test_deliveries_come_in_pages(backend: Backend) -> None:
    """Newest first; an odd cursor is refused."""
    document = made(backend)
    for _ in range(5):
        act(backend, document, "test")
    everything = deliveries(backend, document)["deliveries"]
    seen = []
    cursor = ""
    while True:
        page = deliveries(backend, document, f"?limit=2{cursor}")
        seen += page["deliveries"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == everything
    assert len(seen) == 5
    path = f"/v1/webhook-endpoints/{document['id']}/deliveries"
    for query in ("?cursor=x", "?cursor=%00", "?limit=0", "?limit=201", "?limit=x"):
        assert_problem(backend.get(path + query), 400, "bad_request")


def test_what_happened_is_replayed(backend: Backend) -> None:
    """An upload's event, by its id and by its time; a pending one is not doubled."""
    document = made(backend)
    act(backend, document, "disable")
    assert backend.post().get_json()["state"] == "released"
    act(backend, document, "enable")
    assert deliveries(backend, document)["deliveries"] == []
    span = {"from": "2020-01-01T00:00:00+02:00", "to": "2099-12-31T00:00:00Z"}
    assert act(backend, document, "replay", **span).get_json() == {"deliveries": 1}
    (delivery,) = deliveries(backend, document)["deliveries"]
    assert delivery["type"] == "upload.released"
    answer = act(backend, document, "replay", event=delivery["event"])
    assert (answer.status_code, answer.get_json()) == (202, {"deliveries": 0})
    assert act(backend, document, "replay", **span).get_json() == {"deliveries": 0}


BAD_REPLAYS: dict[str, dict[str, Any]] = {
    "both": {"event": "msg_" + "0" * 32, "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"},
    "half a range": {"from": "2026-01-01T00:00:00Z"},
    "the other half": {"to": "2026-01-01T00:00:00Z"},
    "an event and half a range": {"event": "msg_" + "0" * 32, "to": "2026-01-01T00:00:00Z"},
    "backwards": {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
    "empty": {"from": "2026-01-02T00:00:00Z", "to": "2026-01-02T00:00:00Z"},
    "no zone": {"from": "2026-01-01T00:00:00", "to": "2026-01-02T00:00:00"},
    "numbers": {"from": 1, "to": 2},
    "before time": {"from": "0001-01-01T00:00:00+14:00", "to": "2026-01-02T00:00:00Z"},
    "after time": {"from": "2026-01-01T00:00:00Z", "to": "9999-12-31T23:59:59-12:00"},
    "odd event": {"event": "msg_\0"},
    "null": {"event": None},
}
#: Those that are well said and cannot be done.
BAD_RANGES = {"backwards", "empty", "before time", "after time"}


@pytest.mark.parametrize("name", BAD_REPLAYS)
def test_an_odd_replay_is_refused(backend: Backend, name: str) -> None:
    """Either one event or a range in time, each with all that belongs to it."""
    document = made(backend)
    status, code = (422, "range_not_allowed") if name in BAD_RANGES else (400, "bad_request")
    assert_problem(act(backend, document, "replay", **BAD_REPLAYS[name]), status, code)


def test_an_unknown_event_is_not_found(backend: Backend, stranger: Backend) -> None:
    """And another account's is as unknown."""
    theirs = act(stranger, made(stranger), "test").get_json()["event"]
    document = made(backend)
    for event in (theirs, "msg_" + "0" * 32):
        assert_problem(act(backend, document, "replay", event=event), 404, "not_found")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_each_route_asks_for_a_key_with_the_scope(app: Flask, parts: Parts, method: str, path: str) -> None:
    """None: 401. Every other scope: 403. The one scope alone: the route goes on."""
    target = path.format("we_" + "0" * 24)
    assert app.test_client().open(target, method=method).status_code == 401
    refused = new_backend(app, parts, SCOPES - {"webhooks"})
    assert_problem(refused.call(method, target, json=BODIES.get(path)), 403, "forbidden")
    taken = new_backend(app, parts, frozenset({"webhooks"})).call(method, target, json=BODIES.get(path))
    assert taken.status_code not in {400, 401, 403}


@pytest.mark.parametrize(("method", "path"), ROUTES[2:])
def test_another_account_s_endpoint_cannot_be_told_from_none(
    backend: Backend, stranger: Backend, method: str, path: str
) -> None:
    """On every route a stranger gets what an id that never was gets, and nothing happens."""
    document = made(backend)
    answers = []
    for endpoint_id in (document["id"], "we_" + "0" * 24, "we_%00", "x" * 5000, "%ff"):
        answer = stranger.call(method, path.format(endpoint_id), json=BODIES.get(path))
        problem = assert_problem(answer, 404, "not_found")
        problem.pop("request_id")
        answers.append(problem)
    # What no id can be is not looked for; the rest cannot be told apart.
    assert answers[0] == answers[1]
    shown = backend.get(f"/v1/webhook-endpoints/{document['id']}").get_json()
    assert shown["enabled"]
    assert deliveries(backend, document)["deliveries"] == []
    assert stranger.get("/v1/webhook-endpoints").get_json() == {"endpoints": []}
