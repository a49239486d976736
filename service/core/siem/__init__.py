"""The log's lines in the forms that security teams' systems read: pure functions of one line.

A line is the canonical one of the log, as a mapping: ``v``, ``at`` (UTC, ISO 8601), ``event`` and, where they
apply, ``upload``, ``account`` and ``meeting`` (pseudonyms), ``actor``, ``before``, ``after`` and ``detail``.
Nothing is added to it that it does not say, so no form tells more of a person than the log does.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from service.core.line import VERSION
from service.core.siem import cef, ecs, flat, ocsf
from service.core.siem.meaning import UNREADABLE, Severity, meaning
from service.core.siem.told import Told, told

#: What an event looks like. It stands in headers too, where nothing is quoted.
_EVENT: Final = re.compile(r"[a-z0-9_]{1,64}")


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

    An event that is not known here is told as a general one, so that a newer writer stops no feed. Raises
    an error of any kind for what is no line.
    """
    said = told(line, position)
    if form is Form.CEF:
        return cef.text(said)
    return json.dumps(_DOCUMENTS[form](said), separators=(",", ":"), allow_nan=False)


def read_telling(form: Form, text: str, position: int, written_at: datetime) -> Telling:
    """Return the log's line of that ``text`` at ``position`` as it goes out in ``form``.

    One that cannot be read is told as just that, with the time at which its row says it was written: nobody
    can silence the lines after it by spoiling it.
    """
    at = written_at.astimezone(UTC).isoformat()
    unreadable = {"v": VERSION, "at": at, "event": UNREADABLE}
    try:
        line = json.loads(text)
        return telling(form, line if _EVENT.fullmatch(line["event"]) else unreadable, position)
    except Exception:  # noqa: BLE001 - whatever stands there, it must not hold up what follows
        return telling(form, unreadable, position)


def telling(form: Form, line: Mapping[str, Any], position: int) -> Telling:
    """Return the log's ``line`` at ``position`` as it goes out in ``form``."""
    said = told(line, position)
    return Telling(position, said.at, said.event, meaning(said).severity, rendered(form, line, position))
