"""Checks events against the published schema of OCSF 1.8.0 (ocsf-1.8.0.json, which tells its source)."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

SCHEMA: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("ocsf-1.8.0.json").read_text())
_INTEGERS: Final = {"integer": 2**31, "long": 2**63}


def complaints(event: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with ``event``; an empty list for a valid one."""
    kind = SCHEMA["classes"].get(str(event.get("class_uid")))
    if kind is None:
        return [f"class_uid {event.get('class_uid')} is not known"]
    return [*_object("", kind, event, event.get("metadata", {}).get("profiles", [])), *_uids(kind, event)]


def _uids(kind: Mapping[str, Any], event: Mapping[str, Any]) -> Iterator[str]:
    activity = event.get("activity_id", 0)
    expected = {
        "category_uid": kind["category_uid"],
        "category_name": kind["category_name"],
        "class_name": kind["caption"],
        "type_uid": event["class_uid"] * 100 + activity,
        "type_name": f"{kind['caption']}: {event.get('activity_name')}",
    }
    for name, value in expected.items():
        if event.get(name) != value:
            yield f"{name} is {event.get(name)!r}, not {value!r}"
    version = event.get("metadata", {}).get("version")
    if version != SCHEMA["version"]:
        yield f"metadata.version is {version!r}"


def _object(path: str, shape: Mapping[str, Any], value: Any, profiles: list[str]) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path} is no object"
        return
    attributes = shape["attributes"]
    for name, given in value.items():
        attribute = attributes.get(name)
        if attribute is None:
            yield f"{path}{name} is not in the schema"
        elif attribute.get("profile", profiles) not in (*profiles, profiles):
            yield f"{path}{name} belongs to a profile that is not named"
        elif attribute.get("deprecated"):
            yield f"{path}{name} is deprecated"
        else:
            yield from _attribute(f"{path}{name}", attribute, given)
            yield from _sibling(path, name, attribute, value)
    for name, attribute in attributes.items():
        if "requirement" in attribute and name not in value:
            yield f"{path}{name} is missing"
    for rule, names in shape.get("constraints", {}).items():
        if not _holds(rule, sum(name in value for name in names)):
            yield f"{path} breaks {rule} of {names}"


def _holds(rule: str, found: int) -> bool:
    return found >= 1 if rule == "at_least_one" else found == 1


def _attribute(path: str, attribute: Mapping[str, Any], value: Any) -> Iterator[str]:
    if not attribute.get("array"):
        yield from _one(path, attribute, value)
    elif not isinstance(value, list):
        yield f"{path} is no array"
    else:
        for number, item in enumerate(value):
            yield from _one(f"{path}[{number}]", attribute, item)


def _one(path: str, attribute: Mapping[str, Any], value: Any) -> Iterator[str]:
    if attribute["type"] == "object_t":
        if attribute["object"] == "object":
            if not isinstance(value, Mapping):
                yield f"{path} is no object"
        elif attribute["object"] not in SCHEMA["objects"]:
            yield f"{path}: {attribute['object']} is not compiled into ocsf-1.8.0.json"
        else:
            yield from _object(f"{path}.", SCHEMA["objects"][attribute["object"]], value, [])
        return
    yield from _scalar(path, SCHEMA["types"][attribute["type"]], value)
    if "enum" in attribute and str(value) not in attribute["enum"]:
        yield f"{path} is {value!r}, which is not among its values"


def _scalar(path: str, kind: Mapping[str, Any], value: Any) -> Iterator[str]:
    primitive = kind["is"]
    if primitive in _INTEGERS:
        most = _INTEGERS[primitive]
        fits = isinstance(value, int) and not isinstance(value, bool) and -most <= value < most
    elif primitive == "boolean":
        fits = isinstance(value, bool)
    else:
        fits = isinstance(value, str)
        if fits and "regex" in kind and not re.fullmatch(kind["regex"], value):
            yield f"{path} is {value!r}, not of its type's form"
    if not fits:
        yield f"{path} is {value!r}, no {primitive}"


def _sibling(path: str, name: str, attribute: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[str]:
    """An enumerated value and its caption say the same; only "Other" (99) has words of its own."""
    sibling = attribute.get("sibling")
    if sibling is None or sibling not in value:
        return
    given, said = value[name], value[sibling]
    pairs = zip(given, said, strict=True) if isinstance(given, list) else [(given, said)]
    for number, caption in pairs:
        expected = attribute["enum"].get(str(number))
        if number != 99 and caption != expected:
            yield f"{path}{sibling} is {caption!r}, not {expected!r}"
