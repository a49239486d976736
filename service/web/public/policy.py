"""``GET /v1/policy``: the enforced policy, published."""

from flask import Blueprint, Response, jsonify

from service.stages.parts import Parts


def blueprint(parts: Parts) -> Blueprint:
    """Return the route. It needs no key: it says nothing about anybody's files."""
    routes = Blueprint("policy", __name__)

    @routes.get("/v1/policy")
    def published() -> Response:
        return jsonify(parts.policy.published())

    return routes
