"""Open Cybersecurity Schema Framework 1.8: https://schema.ocsf.io/1.8.0.

Files are told as File Hosting Activity (6006), scans as Scan Activity (6007), and what was found as Detection
Finding (2004). The addresses of clients are not in the log; where the schema insists on an endpoint, it is
the service.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.core.siem.finding import finding
from service.core.siem.meaning import Meaning, Subject, meaning
from service.core.siem.ocsf_parts import PRODUCT, SCAN, actor, file, timespan
from service.core.siem.told import Told

VERSION: Final = "1.8.0"


@dataclass(frozen=True, slots=True)
class _Class:
    """An event class: its number, its name, and the numbers of the activities that occur here."""

    uid: int
    name: str
    category: str
    activities: dict[str, int]


_APPLICATION, _IAM = "Application Activity", "Identity & Access Management"
_CLASSES: Final = {
    Subject.FILE: _Class(
        6006, "File Hosting Activity", _APPLICATION, {"Upload": 1, "Download": 2, "Delete": 4, "Move": 7}
    ),
    Subject.SCAN: _Class(6007, "Scan Activity", _APPLICATION, {"Started": 1, "Completed": 2, "Error": 6}),
    Subject.FINDING: _Class(2004, "Detection Finding", "Findings", {"Create": 1, "Update": 2, "Close": 3}),
    Subject.SIGN_IN: _Class(3002, "Authentication", _IAM, {"Logon": 1, "Logoff": 2}),
    Subject.ENTITY: _Class(
        3004, "Entity Management", _IAM, {"Create": 1, "Update": 3, "Delete": 4, "Enable": 8, "Disable": 9}
    ),
    Subject.PAGE: _Class(
        6001, "Web Resources Activity", _APPLICATION, {"Read": 2, "Search": 5, "Export": 7, "Other": 99}
    ),
    Subject.ENGINE: _Class(6002, "Application Lifecycle", _APPLICATION, {"Update": 8}),
}


def event(told: Told) -> dict[str, Any]:
    """Return the line as an OCSF event."""
    means = meaning(told)
    document = _base(told, means) | _OWN[means.subject](told, means)
    return {name: value for name, value in document.items() if value is not None}


def _base(told: Told, means: Meaning) -> dict[str, Any]:
    kind = _CLASSES[means.subject]
    activity = kind.activities[means.activity]
    return {
        "activity_id": activity,
        "activity_name": means.activity,
        "category_uid": kind.uid // 1000,
        "category_name": kind.category,
        "class_uid": kind.uid,
        "class_name": kind.name,
        "type_uid": kind.uid * 100 + activity,
        "type_name": f"{kind.name}: {means.activity}",
        "time": told.milliseconds,
        "severity_id": int(means.severity),
        "severity": means.severity.name.capitalize(),
        "status_id": 2 if means.failed else 1,
        "status": "Failure" if means.failed else "Success",
        "status_code": told.text("code") or told.text("failure"),
        "status_detail": told.text("text"),
        "message": means.title,
        "metadata": _metadata(told, means),
        "unmapped": _unmapped(told, means) or None,
    }


def _metadata(told: Told, means: Meaning) -> dict[str, Any]:
    metadata = {
        "version": VERSION,
        "product": PRODUCT,
        "uid": str(told.position),
        "sequence": told.position,
        "event_code": told.event,
        "log_name": "greenroom",
        "log_version": str(told.version),
        "correlation_uid": told.upload,
        "tenant_uid": told.account,
        "profiles": ["security_control"] if means.answer is not None else None,
    }
    return {name: value for name, value in metadata.items() if value is not None}


def _unmapped(told: Told, means: Meaning) -> dict[str, Any]:
    named = told.actor is not None and means.subject not in _WITH_ACTOR
    return told.rest() | ({"actor": told.actor} if named else {})


def _scan(told: Told, means: Meaning) -> dict[str, Any]:
    done = means.activity == "Completed" and told.upload is not None
    policy = told.text("policy")
    return {
        "scan": {"uid": told.subject, **SCAN},
        "num_files": 1 if done else None,
        "num_detections": 0 if done else None,
        "policy": {"uid": policy} if policy else None,
        **timespan(told),
    }


def _file(told: Told, _: Meaning) -> dict[str, Any]:
    return {"actor": actor(told), "file": file(told), "src_endpoint": {"svc_name": "greenroom"}}


def _sign_in(told: Told, _: Meaning) -> dict[str, Any]:
    return {"user": {"uid": told.actor or "unknown"}, "service": {"name": "Greenroom console"}}


def _entity(told: Told, _: Meaning) -> dict[str, Any]:
    return {"actor": actor(told), "entity": {"uid": told.subject}}


def _page(told: Told, _: Meaning) -> dict[str, Any]:
    return {"web_resources": [{"name": told.event, "uid": told.subject}]}


def _engine(told: Told, _: Meaning) -> dict[str, Any]:
    return {"app": {"name": "ClamAV signatures", "version": told.text("signature_version") or "unknown"}}


#: What only the subject's class has.
_OWN: Final[Mapping[Subject, Callable[[Told, Meaning], dict[str, Any]]]] = {
    Subject.FILE: _file,
    Subject.SCAN: _scan,
    Subject.FINDING: finding,
    Subject.SIGN_IN: _sign_in,
    Subject.ENTITY: _entity,
    Subject.PAGE: _page,
    Subject.ENGINE: _engine,
}
#: The classes that have a place for who did it.
_WITH_ACTOR: Final = frozenset({Subject.FILE, Subject.SIGN_IN, Subject.ENTITY})
