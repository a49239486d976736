"""The log's lines in the forms that security teams' systems read: pure functions of one line.

A line is the canonical one of the log, as a mapping: ``v``, ``at`` (UTC, ISO 8601), ``event`` and, where they
apply, ``upload``, ``account`` and ``meeting`` (pseudonyms), ``actor``, ``before``, ``after`` and ``detail``.
Nothing is added to it that it does not say, so no form tells more of a person than the log does.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from service.core.siem import cef, ecs, flat, ocsf
from service.core.siem.meaning import Severity, meaning
from service.core.siem.told import Told, told


class Form(StrEnum):
    """The forms, as the settings name them."""

    OCSF = "ocsf"
    ECS = "ecs"
    CEF = "cef"
    FLAT = "flat"


@dataclass(frozen=True, slots=True)
class Telling:
    """A line of the log as it goes out: ``text`` in its form, and what an envelope around it may say."""

    position: int
    at: datetime
    event: str
    severity: Severity
    text: str


_DOCUMENTS: Final[Mapping[Form, Callable[[Told], Mapping[str, Any]]]] = {
    Form.OCSF: ocsf.event,
    Form.ECS: ecs.event,
    Form.FLAT: flat.event,
}


def rendered(form: Form, line: Mapping[str, Any], position: int) -> str:
    """Return the log's ``line`` at ``position`` (counted from 0) in ``form``: printable text without a line
    break, ASCII but for what CEF leaves as it is.

    An event that is not known here is told as a general one, so that a newer writer stops no feed.
    """
    said = told(line, position)
    if form is Form.CEF:
        return cef.text(said)
    return json.dumps(_DOCUMENTS[form](said), separators=(",", ":"))


def telling(form: Form, line: Mapping[str, Any], position: int) -> Telling:
    """Return the log's ``line`` at ``position`` as it goes out in ``form``."""
    said = told(line, position)
    return Telling(position, said.at, said.event, meaning(said).severity, rendered(form, line, position))
