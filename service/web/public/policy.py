"""``GET /v1/policy``: the enforced policy, published."""

from typing import Final

from flask import Blueprint, Response, jsonify

from service.stages.parts import Parts
from service.web.public import policy_models
from service.web.public.door import Door
from service.web.public.operation import Answer, Operation

PUBLISHED: Final = Operation(
    "Read the upload policy",
    "policy",
    {200: Answer("What may be sent and what happens to it.", policy_models.Policy)},
)


def blueprint(parts: Parts, door: Door) -> Blueprint:
    """Return the route. It needs no key: it says nothing about anybody's files."""
    routes = Blueprint("policy", __name__)

    @routes.get("/v1/policy")
    @door.operation(PUBLISHED)
    def published() -> Response:
        return jsonify(parts.policy.published())

    return routes
