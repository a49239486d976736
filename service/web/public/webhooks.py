"""``/v1/webhook-endpoints``: where an account is told of its events, and what became of the telling."""

from typing import Final

from flask import Blueprint, Response, jsonify, url_for
from pydantic import Field

from service.core import errors
from service.core.caller import Caller, Scope
from service.core.representation import rfc3339
from service.core.webhook import Disabled, delivery_document, endpoint_document
from service.stages import webhooks
from service.stages.parts import Parts
from service.web.public.door import Door
from service.web.public.operation import Answer, Body, Operation, PathPart, Query, Whole
from service.web.public.webhook_models import (
    DeliveriesDocument,
    DeliveryDocument,
    EndpointDocument,
    EndpointsDocument,
    NewEndpoint,
    NewEndpointDocument,
    Replay,
    ReplayedDocument,
    RotatedDocument,
)

_PAGE: Final = 50


class _Page(Query):
    """Which page of an endpoint's deliveries."""

    limit: Whole = Field(_PAGE, ge=1, le=webhooks.MOST_PER_PAGE, description="Deliveries on a page.")
    cursor: str | None = Field(
        None, pattern=f"^{webhooks.DELIVERY_ID.pattern}$", description="`next` of the page before."
    )


_ID: Final = {
    "endpoint_id": PathPart(
        "The endpoint's id.", f"^{webhooks.ENDPOINT_ID.pattern}$", "we_0199f3a1c2d45e6f708192a3"
    )
}


def _operation(
    summary: str,
    status: int,
    answer: Answer,
    *,
    query: type[Query] | None = None,
    body: type[Body] | None = None,
    collection: bool = False,
    problems: tuple[type[errors.GreenroomError], ...] = (),
) -> Operation:
    return Operation(
        summary,
        "webhooks",
        {status: answer},
        scope=Scope.WEBHOOKS,
        query=query,
        body=body,
        path={} if collection else _ID,
        problems=problems if collection else (errors.NotFound, *problems),
    )


CREATE: Final = _operation(
    "Make a webhook endpoint",
    201,
    Answer("The endpoint, with its secret this once.", NewEndpointDocument, headers={"Location": "It."}),
    body=NewEndpoint,
    collection=True,
    problems=(errors.AddressNotAllowed, errors.TooManyEndpoints),
)
LIST: Final = _operation(
    "List webhook endpoints", 200, Answer("All endpoints.", EndpointsDocument), collection=True
)
ASK: Final = _operation("Ask for a webhook endpoint", 200, Answer("The endpoint.", EndpointDocument))
DELETE: Final = _operation(
    "Delete a webhook endpoint", 204, Answer("It is gone, and with it its deliveries.")
)
ROTATE: Final = _operation(
    "Give an endpoint a new secret", 200, Answer("The new secret, this once.", RotatedDocument)
)
DISABLE: Final = _operation(
    "Disable an endpoint",
    200,
    Answer("Nothing more is sent there; what was pending is cancelled.", EndpointDocument),
)
ENABLE: Final = _operation(
    "Enable an endpoint", 200, Answer("What happens from now on is sent.", EndpointDocument)
)
TRY: Final = _operation(
    "Send a test event",
    202,
    Answer("An event of the type `webhook.test` is on its way.", DeliveryDocument),
    problems=(errors.EndpointDisabled,),
)
DELIVERIES: Final = _operation(
    "List an endpoint's deliveries", 200, Answer("A page, newest first.", DeliveriesDocument), query=_Page
)
REPLAY: Final = _operation(
    "Deliver events again",
    202,
    Answer("How many are on their way again, with the ids they had.", ReplayedDocument),
    body=Replay,
    problems=(errors.EndpointDisabled, errors.RangeNotAllowed),
)


def blueprint(parts: Parts, door: Door) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("webhooks", __name__, url_prefix="/v1/webhook-endpoints")
    _add_endpoints(routes, parts, door)
    _add_actions(routes, parts, door)
    _add_deliveries(routes, parts, door)
    return routes


def _add_endpoints(routes: Blueprint, parts: Parts, door: Door) -> None:
    @routes.post("")
    @door.operation(CREATE)
    def create(caller: Caller, body: NewEndpoint) -> Response:
        events = frozenset(body.events or ())
        endpoint, secret = webhooks.create(parts, caller, body.url, events, body.description)
        answer = jsonify(endpoint_document(endpoint) | {"secret": secret})
        answer.status_code = 201
        answer.headers["Location"] = url_for("webhooks.ask", endpoint_id=endpoint.id)
        return answer

    @routes.get("")
    @door.operation(LIST)
    def listing(caller: Caller) -> Response:
        found = parts.webhook_endpoints.of_account(caller.account_id)
        return jsonify({"endpoints": [endpoint_document(endpoint) for endpoint in found]})

    @routes.get("/<endpoint_id>")
    @door.operation(ASK)
    def ask(caller: Caller, endpoint_id: str) -> Response:
        return jsonify(endpoint_document(webhooks.own(parts, caller, endpoint_id)))

    @routes.delete("/<endpoint_id>")
    @door.operation(DELETE)
    def delete(caller: Caller, endpoint_id: str) -> Response:
        parts.webhook_endpoints.remove(webhooks.own(parts, caller, endpoint_id).id)
        return Response(status=204)


def _add_actions(routes: Blueprint, parts: Parts, door: Door) -> None:
    @routes.post("/<endpoint_id>/rotate-secret")
    @door.operation(ROTATE)
    def rotate(caller: Caller, endpoint_id: str) -> Response:
        secret, until = webhooks.rotate(parts, webhooks.own(parts, caller, endpoint_id))
        return jsonify({"secret": secret, "previous_expires_at": rfc3339(until)})

    @routes.post("/<endpoint_id>/disable")
    @door.operation(DISABLE)
    def disable(caller: Caller, endpoint_id: str) -> Response:
        endpoint = webhooks.own(parts, caller, endpoint_id)
        return jsonify(endpoint_document(webhooks.switch(parts, caller, endpoint, Disabled.ASKED)))

    @routes.post("/<endpoint_id>/enable")
    @door.operation(ENABLE)
    def enable(caller: Caller, endpoint_id: str) -> Response:
        endpoint = webhooks.own(parts, caller, endpoint_id)
        return jsonify(endpoint_document(webhooks.switch(parts, caller, endpoint, None)))

    @routes.post("/<endpoint_id>/test")
    @door.operation(TRY)
    def test(caller: Caller, endpoint_id: str) -> Response:
        made = webhooks.send_test(parts, webhooks.own(parts, caller, endpoint_id))
        answer = jsonify(delivery_document(made))
        answer.status_code = 202
        return answer


def _add_deliveries(routes: Blueprint, parts: Parts, door: Door) -> None:
    @routes.get("/<endpoint_id>/deliveries")
    @door.operation(DELIVERIES)
    def deliveries(caller: Caller, query: _Page, endpoint_id: str) -> Response:
        endpoint = webhooks.own(parts, caller, endpoint_id)
        found, more = webhooks.page(parts, endpoint, query.cursor, query.limit)
        return jsonify({"deliveries": [delivery_document(one) for one in found], "next": more})

    @routes.post("/<endpoint_id>/replay")
    @door.operation(REPLAY)
    def replay(caller: Caller, body: Replay, endpoint_id: str) -> Response:
        endpoint = webhooks.own(parts, caller, endpoint_id)
        if body.begin is not None and body.end is not None:
            made = webhooks.replay_range(parts, endpoint, body.begin, body.end)
        else:
            made = webhooks.replay_event(parts, endpoint, body.event or "")
        answer = jsonify({"deliveries": made})
        answer.status_code = 202
        return answer
