"""Checks documents against the Elastic Common Schema (ecs-9.3.0.json, which tells its source)."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

SCHEMA: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("ecs-9.3.0.json").read_text())
#: Fields of one's own stand below a name of one's own.
OWN: Final = "greenroom."
_LONGEST_KEYWORD: Final = 1024


def complaints(document: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with ``document``; an empty list for a valid one."""
    fields = dict(_flattened("", document))
    return [
        *(f"{name} is missing" for name in SCHEMA["required"] if name not in fields),
        *(said for name, value in fields.items() if not name.startswith(OWN) for said in _field(name, value)),
        *_categories(fields),
    ]


def _flattened(path: str, document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _flattened(f"{path}{name}.", value)
        else:
            yield f"{path}{name}", value


def _field(name: str, value: Any) -> Iterator[str]:
    kind = SCHEMA["fields"].get(name)
    if kind is None:
        yield f"{name} is not in the schema"
        return
    if (name in SCHEMA["arrays"]) != isinstance(value, list):
        yield f"{name} is {value!r}: an array, or none, was expected"
        return
    for item in value if isinstance(value, list) else [value]:
        if not _fits(kind, item):
            yield f"{name} is {item!r}, no {kind}"
        if name in SCHEMA["values"] and item not in SCHEMA["values"][name]:
            yield f"{name} is {item!r}, which is not allowed"


def _fits(kind: str, value: Any) -> bool:
    if kind == "long":
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    if kind == "date":
        return datetime.fromisoformat(value).tzinfo is not None
    return isinstance(value, str) and (kind != "keyword" or len(value) <= _LONGEST_KEYWORD)


def _categories(fields: Mapping[str, Any]) -> Iterator[str]:
    for category in fields["event.category"]:
        expected = SCHEMA["expected_types"].get(category)
        if expected is None:
            yield f"event.category {category!r} is not allowed"
        elif not set(fields["event.type"]) <= set(expected):
            yield f"event.type {fields['event.type']} is not expected of {category}"
