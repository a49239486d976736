"""The flat form: one JSON object without objects or arrays in it, for systems that take no others."""

import json
from typing import Any

from service.core.siem.meaning import meaning
from service.core.siem.told import Told


def event(told: Told) -> dict[str, Any]:
    """Return the line as names and scalars; what ``detail`` holds is named ``detail_...``."""
    means = meaning(told)
    document = {
        "v": told.version,
        "position": told.position,
        "at": told.at.isoformat().replace("+00:00", "Z"),
        "event": told.event,
        "title": means.title,
        "severity": means.severity.name.lower(),
        "outcome": "failure" if means.failed else "success",
        "upload": told.upload,
        "account": told.account,
        "meeting": told.meeting,
        "actor": told.actor,
        "before": told.before,
        "after": told.after,
        **{f"detail_{name}": _scalar(value) for name, value in told.detail.items()},
    }
    return {name: value for name, value in document.items() if value is not None}


def _scalar(value: object) -> object:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict | list) else value
