"""OCSF's Detection Finding (2004) with the scan that it comes from."""

from typing import Any, Final

from service.core.siem.meaning import Answer, Meaning
from service.core.siem.ocsf_parts import PRODUCT, SCAN, file, timespan
from service.core.siem.told import Told
from service.core.upload import Event
from service.core.verdict import Kind

#: The status of a finding by what happens to it: something new, at work, done.
_STATUS: Final = {"Create": (1, "New"), "Update": (2, "In Progress"), "Close": (4, "Resolved")}
#: The action and the disposition, of the profile security_control.
_ANSWERS: Final = {
    Answer.BLOCKED: ((2, "Denied"), (2, "Blocked")),
    Answer.QUARANTINED: ((2, "Denied"), (3, "Quarantined")),
    Answer.APPROVED: ((1, "Allowed"), (8, "Approved")),
}
#: ClamAV's names are {platform}.{category}.{name}-{number}-{revision}; the schema's number for the category.
_CLASSIFICATIONS: Final = {
    "Adware": 1,
    "Keylogger": 9,
    "Downloader": 6,
    "Dropper": 7,
    "Ransomware": 10,
    "Rootkit": 15,
    "Spyware": 17,
    "Trojan": 18,
    "Virus": 19,
    "Worm": 22,
}


def finding(told: Told, means: Meaning) -> dict[str, Any]:
    """Return what a finding has beside what every event has."""
    status_id, status = _STATUS[means.activity]
    document: dict[str, Any] = {
        # All that becomes of one upload's finding has one id, so that it is one finding to the reader.
        "finding_info": _info(told, means),
        "status_id": status_id,
        "status": status,
        "evidences": [{"file": file(told)}],
        "is_alert": means.activity == "Create",
    }
    infected = _infected(told)
    if means.activity == "Create":
        document["malware_scan_info"] = _scan_info(told, infected)
    if infected:
        document["malware"] = [_malware(told)]
    if means.answer is not None:
        document |= _answer(told, means.answer)
    return document


def _infected(told: Told) -> bool:
    return told.detail.get("kind") == Kind.INFECTED or told.event == Event.RECALLED


def _info(told: Told, means: Meaning) -> dict[str, Any]:
    info: dict[str, Any] = {"uid": told.subject, "title": means.title, "product": PRODUCT}
    kind, signature = told.text("kind"), told.text("signature")
    if kind:
        info["types"] = [kind]
    if signature:
        info["analytic"] = {"name": signature, "type_id": 1, "type": "Rule"}
    return info


def _malware(told: Told) -> dict[str, Any]:
    name = told.text("signature") or "unknown"
    _, _, behind = name.removesuffix(".UNOFFICIAL").partition(".")
    category = behind.partition(".")[0]
    number = _CLASSIFICATIONS.get(category, 0)
    return {
        "name": name,
        "provider": "ClamAV",
        "classification_ids": [number],
        "classifications": [category if number else "Unknown"],
    }


def _scan_info(told: Told, infected: bool) -> dict[str, Any]:  # noqa: FBT001 - what was found
    span = timespan(told)
    span.pop("duration", None)
    return {
        "uid": told.subject,
        **SCAN,
        **span,
        "num_files": 1,
        "num_infected": int(infected),
        "unique_malware_count": int(infected),
    }


def _answer(told: Told, answer: Answer) -> dict[str, Any]:
    (action_id, action), (disposition_id, disposition) = _ANSWERS[answer]
    policy = told.text("policy")
    return {
        "action_id": action_id,
        "action": action,
        "disposition_id": disposition_id,
        "disposition": disposition,
        **({"policy": {"uid": policy}} if policy else {}),
    }
