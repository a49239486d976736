"""The published contract where Jitsi Meet's routes are configured."""

from __future__ import annotations

from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.web.jitsi.meeting import Meeting


def test_its_routes_are_published(meeting: Meeting) -> None:
    """The document stays valid, lists the routes under their own credential, and the page shows them."""
    client = meeting.app.test_client()
    document = client.get("/openapi.json").get_json()
    OpenAPIV31SpecValidator(document).validate()
    listed = [
        operation
        for item in document["paths"].values()
        for operation in item.values()
        if operation["tags"] == ["jitsi"]
    ]
    assert {name for one in listed for held in one["security"] for name in held} == {"jitsi"}
    assert "jitsi" in document["components"]["securitySchemes"]
    page = client.get("/reference").text
    assert all(f'id="{one["operationId"]}"' in page for one in listed)
