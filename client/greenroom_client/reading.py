"""JSON read into frozen dataclasses: what is declared must be there and fit, the rest is passed over."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from greenroom_client.errors import UnexpectedAnswer

T = TypeVar("T")


def read(kind: type[T], value: object) -> T:
    """Return parsed JSON as ``kind``. Raises ``UnexpectedAnswer`` naming what does not fit."""
    document: T = _read(kind, value, kind.__name__)
    return document


def read_list(kind: type[T], document: object, name: str) -> tuple[T, ...]:
    """Return the list ``name`` of a JSON object, each entry as ``kind``."""
    entries: tuple[T, ...] = _read(tuple[kind, ...], read_mapping(document, name).get(name), name)  # type: ignore[valid-type]
    return entries


def read_mapping(value: object, name: str) -> Mapping[str, Any]:
    """Return ``value`` if it is a JSON object; ``name`` is what an error calls it."""
    if not isinstance(value, Mapping):
        raise _odd(name)
    return value


def _read(kind: Any, value: object, where: str) -> Any:  # noqa: ANN401 - reads any declared type
    if isinstance(kind, types.UnionType):
        others = [one for one in typing.get_args(kind) if one is not types.NoneType]
        return None if value is None else _read(others[0], value, where)
    if dataclasses.is_dataclass(kind):
        return _object(kind, read_mapping(value, where), where)
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise _odd(where)
        entry = typing.get_args(kind)[0]
        return tuple(_read(entry, one, f"{where}[]") for one in value)
    if kind is datetime:
        return _time(value, where)
    if typing.get_origin(kind) is Mapping:
        return dict(read_mapping(value, where))
    return _plain(kind, value, where)


def _object(kind: Any, fields: Mapping[str, object], where: str) -> Any:  # noqa: ANN401 - any dataclass
    hints = typing.get_type_hints(kind)
    given = {
        field.name: _read(hints[field.name], fields[field.name], f"{where}.{field.name}")
        for field in dataclasses.fields(kind)
        if field.name in fields
    }
    for field in dataclasses.fields(kind):
        optional = (
            field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        )
        if field.name not in given and not optional:
            raise _odd(f"{where}.{field.name}")
    return kind(**given)


def _time(value: object, where: str) -> datetime:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise _odd(where)
    return time


def _plain(kind: type, value: object, where: str) -> object:
    """Return a text, number or truth value; JSON's numbers need no point to be a ``float``."""
    fits = isinstance(value, int | float if kind is float else kind)
    if not fits or (isinstance(value, bool) and kind is not bool):
        raise _odd(where)
    return value


def _odd(where: str) -> UnexpectedAnswer:
    return UnexpectedAnswer(f"The answer has no {where}, or not as it should be.")
