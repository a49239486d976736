"""What one line tells, read once for all forms."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from service.core.line import VERSION

#: What names the thing that an act without an upload was about, in the order in which it is looked for.
_SUBJECTS: Final = ("key", "prefix", "reviewer", "allowance", "erasure", "id")


@dataclass(frozen=True, slots=True)
class Told:
    """One line and its ``position`` in the log."""

    position: int
    version: int
    at: datetime
    event: str
    upload: str | None
    account: str | None
    meeting: str | None
    actor: str | None
    before: str | None
    after: str | None
    detail: Mapping[str, Any]

    @property
    def milliseconds(self) -> int:
        """When it happened, since 1970 in UTC."""
        return round(self.at.timestamp() * 1000)

    @property
    def seconds(self) -> float | None:
        """How long it took, where it says so."""
        taken = self.detail.get("duration")
        return taken if isinstance(taken, int | float) and not isinstance(taken, bool) else None

    @property
    def size(self) -> int | None:
        """The file's size in bytes, where it says so."""
        size = self.detail.get("size")
        return size if isinstance(size, int) and not isinstance(size, bool) else None

    @property
    def subject(self) -> str:
        """The id of what it is about."""
        named = (self.detail.get(name) for name in _SUBJECTS)
        return self.upload or next((str(name) for name in named if name), self.event)

    def text(self, name: str) -> str | None:
        """Return a text of its detail, ``None`` if there is none of that name."""
        value = self.detail.get(name)
        return None if value is None or value == "" else str(value)

    def rest(self) -> dict[str, Any]:
        """Return everything that it says beside who, when and which upload, without empty values."""
        said = {"meeting": self.meeting, "before": self.before, "after": self.after, **self.detail}
        return {name: value for name, value in said.items() if value is not None}


def told(line: Mapping[str, Any], position: int) -> Told:
    """Return what the canonical ``line`` at ``position`` tells."""
    return Told(
        position=position,
        version=line["v"],
        at=datetime.fromisoformat(line["at"]),
        event=line["event"],
        upload=line.get("upload"),
        account=line.get("account"),
        meeting=line.get("meeting"),
        actor=line.get("actor"),
        before=line.get("before"),
        after=line.get("after"),
        detail=line.get("detail", {}),
    )


def read_line(text: str, position: int) -> Told | None:
    """Return what the text of a line tells; ``None`` if it is no line of a version that is known here."""
    try:
        line = json.loads(text)
        said = told(line, position)
        whole = isinstance(line["event"], str) and isinstance(line.get("detail", {}), dict)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return None
    return said if whole and said.version == VERSION else None
