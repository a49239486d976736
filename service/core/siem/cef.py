"""The Common Event Format, version 0.

Source: ArcSight Common Event Format Implementation Standard, version 26: header and extension syntax, the
dictionary of keys and their greatest lengths.
"""

import re
from collections.abc import Iterator
from typing import Final

from service.core.siem.meaning import Severity, meaning
from service.core.siem.told import Told

#: CEF counts to 10: 0-3 low, 4-6 medium, 7-8 high, 9-10 very high.
_SEVERITIES: Final = {
    Severity.INFORMATIONAL: 1,
    Severity.LOW: 3,
    Severity.MEDIUM: 5,
    Severity.HIGH: 8,
    Severity.CRITICAL: 10,
}
#: Control characters would break the line, in the receiver if not here.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: The keys that CEF leaves to the device, with their labels here and what is put there.
_OWN: Final = (
    ("cs1", "signature"),
    ("cs2", "kind"),
    ("cs3", "engine"),
    ("cs4", "policy"),
)


def text(told: Told) -> str:
    """Return the line as one CEF message, without the syslog header that a sink may put before it."""
    means = meaning(told)
    header = ("CEF:0", "Greenroom", "Greenroom", str(told.version), told.event, means.title)
    severity = str(_SEVERITIES[means.severity])
    start = "|".join((header[0], *(_header(part) for part in header[1:]), severity))
    extension = " ".join(f"{key}={_value(value)}" for key, value in _extension(told) if value)
    return f"{start}|{extension}"


def _extension(told: Told) -> Iterator[tuple[str, str | None]]:
    means = meaning(told)
    yield "rt", str(told.milliseconds)
    yield "externalId", str(told.position)
    yield "cat", means.subject.name.lower()
    yield "act", told.after
    yield "outcome", "failure" if means.failed else "success"
    yield "reason", told.text("code") or told.text("failure")
    yield "fileId", told.upload
    yield "fileHash", told.text("sha256")
    yield "fsize", None if told.size is None else str(told.size)
    yield "suid", told.actor
    for key, name in _OWN:
        value = told.text(name)
        yield key, value
        yield f"{key}Label", name if value else None
    for key, name, value in (("cs5", "account", told.account), ("cs6", "meeting", told.meeting)):
        yield key, value
        yield f"{key}Label", name if value else None


def _header(part: str) -> str:
    return _UNPRINTABLE.sub(" ", part).replace("\\", "\\\\").replace("|", "\\|")


def _value(value: str) -> str:
    return _UNPRINTABLE.sub(" ", value).replace("\\", "\\\\").replace("=", "\\=")
