from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from docs.openapi import COPY, text


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object in a JSON value."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield name, one
            yield from members(one)
    elif isinstance(value, list):
        for one in value:
            yield from members(one)


DOCUMENT = json.loads(COPY.read_text())


def test_copy_is_what_is_served() -> None:
    """docs/openapi.json is what the declarations of the routes give."""
    assert COPY.read_text() == text(), "run `make docs`"


def test_document_is_valid() -> None:
    """Bar A2: the document is a valid OpenAPI 3.1 document."""
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_references_lead_somewhere_and_nothing_is_left_over() -> None:
    """Every reference names a component and every schema is referred to."""
    names = {value.rpartition("/")[2] for name, value in members(DOCUMENT) if name == "$ref"}
    components = DOCUMENT["components"]
    assert names == components["schemas"].keys() | components["headers"].keys()


def test_patterns_mean_the_same_everywhere() -> None:
    """A pattern is anchored, as some engines search and others match, and is one that ECMA-262 has."""
    patterns = {value for name, value in members(DOCUMENT) if name == "pattern" and isinstance(value, str)}
    assert patterns
    for pattern in patterns:
        assert re.fullmatch(r"\^.*\$", pattern), pattern
        assert not re.search(r"\(\?(?![:=!])|\\[AZz]|[*+?}]\+", pattern), pattern


def test_documents_hold_nothing_undeclared() -> None:
    """Every object of the API is closed."""
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert schema["type"] != "object" or schema["additionalProperties"] is False, name


def test_every_operation_says_what_may_go_wrong() -> None:
    """Where a key is needed 401, 403 and 503 are promised, where something is sent 400, everywhere 500."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            where = f"{method} {path}"
            expected = {"500"}
            if operation["security"]:
                expected |= {"401", "403", "503"}
            if "requestBody" in operation or any(
                one["in"] == "query" for one in operation.get("parameters", ())
            ):
                expected |= {"400"}
            assert expected <= operation["responses"].keys(), where
            assert operation["operationId"], where
            assert operation["tags"], where
