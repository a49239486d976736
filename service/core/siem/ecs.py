"""Elastic Common Schema 9.3: https://www.elastic.co/docs/reference/ecs.

What has no place there stands below ``greenroom``, as ECS asks of fields of one's own.
"""

from typing import Any, Final

from service.core.siem.meaning import Meaning, Subject, meaning
from service.core.siem.told import Told

VERSION: Final = "9.3.0"
_CATEGORIES: Final = {
    Subject.FILE: "file",
    Subject.SCAN: "malware",
    Subject.FINDING: "malware",
    Subject.SIGN_IN: "authentication",
    Subject.ENTITY: "iam",
    Subject.PAGE: "web",
    Subject.ENGINE: "configuration",
}
#: What ECS expects of a category; of malware it expects "info" alone.
_TYPES: Final = {
    (Subject.FILE, "Upload"): "creation",
    (Subject.FILE, "Download"): "access",
    (Subject.FILE, "Move"): "change",
    (Subject.FILE, "Delete"): "deletion",
    (Subject.SIGN_IN, "Logon"): "start",
    (Subject.SIGN_IN, "Logoff"): "end",
    (Subject.ENTITY, "Create"): "creation",
    (Subject.ENTITY, "Update"): "change",
    (Subject.ENTITY, "Disable"): "change",
    (Subject.ENTITY, "Enable"): "change",
    (Subject.ENTITY, "Delete"): "deletion",
    (Subject.PAGE, "Read"): "access",
    (Subject.PAGE, "Search"): "access",
    (Subject.PAGE, "Export"): "access",
    (Subject.ENGINE, "Update"): "change",
}


def event(told: Told) -> dict[str, Any]:
    """Return the line as an ECS document."""
    means = meaning(told)
    sha256 = told.text("sha256")
    document = {
        "@timestamp": told.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "ecs": {"version": VERSION},
        "message": means.title,
        "event": _event(told, means),
        "observer": {"vendor": "Greenroom", "product": "Greenroom", "type": "file-scanner"},
        "organization": {"id": told.account},
        "user": {"id": told.actor},
        "file": {"hash": {"sha256": sha256} if sha256 else None, "size": told.size},
        "rule": {"name": told.text("signature"), "version": told.text("signature_version")}
        if told.text("signature")
        else None,
        "related": {
            "hash": [sha256] if sha256 else None,
            "user": [told.actor] if told.actor else None,
        },
        "greenroom": {"upload": told.upload, **told.rest()},
    }
    return _without_empty(document)


def _event(told: Told, means: Meaning) -> dict[str, Any]:
    seconds = told.seconds
    return {
        "kind": "alert" if means.subject is Subject.FINDING and means.activity == "Create" else "event",
        "category": [_CATEGORIES[means.subject]],
        "type": [_TYPES.get((means.subject, means.activity), "info")],
        "action": told.event,
        "outcome": "failure" if means.failed else "success",
        "id": str(told.position),
        "sequence": told.position,
        "severity": int(means.severity),
        "module": "greenroom",
        "dataset": "greenroom.log",
        "reason": told.text("code") or told.text("failure"),
        "duration": None if seconds is None else round(seconds * 1_000_000_000),
    }


def _without_empty(document: dict[str, Any]) -> dict[str, Any]:
    kept = {
        name: _without_empty(value) if isinstance(value, dict) else value for name, value in document.items()
    }
    return {name: value for name, value in kept.items() if value is not None and value != {}}
