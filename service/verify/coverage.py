"""What let each released file go, read from the log alone.

An upload is released from one state only, and every move into that state is a line. So the move that comes
before a release is what cleared the file: a clean verdict, or what two people decided. Nothing else counts,
and nothing that came earlier does.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

_CLEARED: Final = "cleared"
_RELEASED: Final = "released"
_REVIEWER: Final = "reviewer:"


@dataclass(frozen=True, slots=True)
class Release:
    """One release of an upload, the line at ``position``, and what stands before it.

    ``by`` is ``clean``, ``decision`` or ``allowance``, ``cleared`` the position of the line that says so and
    ``name`` the id of the decision or allowance; ``problem`` says why nothing of it covers the release.
    """

    position: int
    at: str
    upload: str
    sha256: str | None
    by: str | None
    name: str | None
    cleared: int | None
    problem: str | None

    def json(self) -> bytes:
        """Return the one way to write it, with a newline."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class _Clearing:
    position: int
    sha256: str | None
    by: str | None
    name: str | None
    problem: str | None


class Coverage:
    """Follows uploads through the log, from its first line on. It remembers those that are cleared and not
    released yet, no others: memory does not grow with the log.
    """

    def __init__(self) -> None:
        self._cleared: dict[str, _Clearing] = {}

    def take(self, position: int, line: Mapping[str, Any]) -> Release | None:
        """Take the next line; return what it released, if it did."""
        after, upload = line.get("after"), line.get("upload")
        if after is None or not isinstance(upload, str):
            return None
        before = self._cleared.pop(upload, None)
        if after == _CLEARED:
            self._cleared[upload] = _clearing(position, line)
        return _release(position, upload, line, before) if after == _RELEASED else None


def _clearing(position: int, line: Mapping[str, Any]) -> _Clearing:
    detail = _detail(line)
    sha256, event = _text(detail, "sha256"), _text(line, "event")
    if event == "found_clean" and detail.get("kind") == "clean":
        return _Clearing(position, sha256, "clean", None, None)
    if event != "reviewer_cleared":
        return _Clearing(
            position, sha256, None, None, f"it was cleared by {event}, which is no clean verdict"
        )
    decision, allowance = _text(detail, "decision"), _text(detail, "allowance")
    if decision is None:
        return _Clearing(position, sha256, None, None, "it was cleared by people without a decision's name")
    proposer, confirmer = _text(detail, "proposed_by"), _text(line, "actor") or ""
    if not proposer or not confirmer.startswith(_REVIEWER) or confirmer == _REVIEWER + proposer:
        problem = "it was cleared by people who are not two"
        return _Clearing(position, sha256, None, decision, problem)
    by = "decision" if allowance is None else "allowance"
    return _Clearing(position, sha256, by, allowance or decision, None)


def _release(position: int, upload: str, line: Mapping[str, Any], before: _Clearing | None) -> Release:
    sha256, at = _text(_detail(line), "sha256"), _text(line, "at") or ""
    if before is None:
        problem = "nothing cleared it before it was released"
        return Release(position, at, upload, sha256, None, None, None, problem)
    trouble = before.problem
    if trouble is None and (sha256 is None or before.sha256 != sha256):
        trouble = "what was cleared is not the content that was released"
    by = before.by if trouble is None else None
    return Release(position, at, upload, sha256, by, before.name, before.position, trouble)


def _detail(line: Mapping[str, Any]) -> Mapping[str, Any]:
    detail = line.get("detail")
    return detail if isinstance(detail, dict) else {}


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) and value else None
