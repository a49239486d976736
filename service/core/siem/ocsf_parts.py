"""Objects of OCSF that several classes of events have."""

from typing import Any, Final

from service.core.siem.told import Told

PRODUCT: Final = {"name": "Greenroom", "vendor_name": "Greenroom"}
#: None of the schema's types of scans is one of a file that has just come.
SCAN: Final = {"type_id": 99, "type": "Upload"}


def actor(told: Told) -> dict[str, Any]:
    """Return who did it; what the log names nobody for was done by the service."""
    return {"user": {"uid": told.actor}} if told.actor else {"app_name": "Greenroom"}


def file(told: Told) -> dict[str, Any]:
    """Return the file, by the upload's id: its name may tell of a person and is not in the log."""
    document: dict[str, Any] = {
        "name": told.subject,
        "uid": told.subject,
        "type_id": 1,
        "type": "Regular File",
    }
    sha256 = told.text("sha256")
    if sha256:
        document["hashes"] = [{"algorithm_id": 3, "algorithm": "SHA-256", "value": sha256}]
    if told.size is not None:
        document["size"] = told.size
    return document


def timespan(told: Told) -> dict[str, int]:
    """Return when it began and ended and how long it took, in milliseconds, where the line says so."""
    if told.seconds is None:
        return {}
    duration = round(told.seconds * 1000)
    end = told.milliseconds
    return {"start_time": end - duration, "end_time": end, "duration": duration}
