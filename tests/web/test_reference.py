"""The reference page: everything that is published, and nothing else."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from openapi_schema_validator import OAS31Validator
from pydantic import Field

from service.stages.parts import Parts
from service.web.public import openapi, reference
from service.web.public.door import Door
from service.web.public.notifications import Notification
from service.web.public.operation import Answer, Body, Operation
from tests.web.conftest import Backend


class _Page(HTMLParser):
    """The ids, links and elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.elements: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element refers to and what it can be referred to by."""
        self.elements.add(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            assert name != "style"
            if name == "id":
                self.ids.append(value or "")
            if name in {"href", "src"}:
                self.links.append(value or "")


def test_reference_page_shows_every_operation_and_loads_nothing(
    backend: Backend,
) -> None:
    """No script, no frame, nothing from elsewhere; each operation, code and schema can be linked to."""
    answer = backend.get("/reference")
    assert answer.content_type == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"] == reference.SECURITY_POLICY
    assert reference.SECURITY_POLICY.startswith("default-src 'none'; style-src 'self';")
    text = answer.get_data(as_text=True)
    page = _Page(text)
    assert not page.elements & {"script", "iframe", "img", "style", "form", "object", "embed"}
    assert len(set(page.ids)) == len(page.ids)
    inner = {link[1:] for link in page.links if link.startswith("#")}
    assert inner <= set(page.ids)
    outer = {link for link in page.links if not link.startswith("#")}
    assert outer == {"/reference.css", "/openapi.json"}
    assert all(backend.get(link).status_code == 200 for link in outer)
    published = backend.get("/openapi.json").get_json()
    for item in published["paths"].values():
        for operation in item.values():
            assert operation["operationId"] in inner
    for name in published["components"]["schemas"]:
        assert f"schema-{name}" in page.ids
    codes = set(re.findall(r'"title":"([a-z_]+)","description"', backend.get("/openapi.json").text))
    assert {"too_large", "not_released", "internal_error"} <= codes
    assert all(f">{code}<" in text for code in codes)


class _Colour(Body):
    """A colour."""

    name: str = Field(pattern="^[a-z]+$", examples=["teal"])
    shades: list[int] = Field(min_length=1)


def test_reference_page_of_other_declarations(app: Flask, parts: Parts) -> None:
    """JSON bodies get an example that their schema allows, events a section; markup in a text stays text."""
    paint = Operation("Paint <it>", "paint", {200: Answer("Painted.", _Colour)}, body=_Colour)
    other = Flask("test", static_folder=None)
    other.post("/rooms/<room>")(Door(parts).operation(paint)(lambda **_: ""))
    document = openapi.document(other, [Notification("wall.dried", "A wall dried.", _Colour)])
    with app.test_request_context():
        text = reference.page(document)
    assert "Paint &lt;it&gt;" in text
    assert "wall.dried" in text
    assert "$API_URL/rooms/" in text
    made = reference.sample({"$ref": "#/components/schemas/_Colour"}, document)
    OAS31Validator(document["components"]["schemas"]["_Colour"]).validate(made)
    assert json.dumps(made).replace('"', "&#34;") in text


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"const": "x"}, "x"),
        ({"enum": ["a", "b"]}, "a"),
        ({"default": 7, "type": "integer"}, 7),
        ({"anyOf": [{"type": "integer", "minimum": 3}, {"type": "null"}]}, 3),
        ({"type": "array", "items": {"type": "boolean"}}, [True]),
        ({"type": "array"}, []),
        ({"type": "null"}, None),
        ({"type": "object"}, {}),
    ],
)
def test_samples_are_allowed_by_their_schema(schema: dict[str, Any], expected: Any) -> None:
    """An example in the reference is a value that the schema takes."""
    assert reference.sample(schema, {}) == expected
    OAS31Validator(schema).validate(expected)
