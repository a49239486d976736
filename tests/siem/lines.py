"""Lines of the log for tests: one of every event, and odd ones."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from service.core.journal import Act
from service.core.upload import TRANSITIONS, Event

SHA256 = "ab" * 32
_ACCOUNT = "acc_5c1f0e7b9a2d4c68"
_VERDICT = {
    "sha256": SHA256,
    "engine": "ClamAV 1.4.3",
    "signature_version": 27800,
    "signatures_made_at": "2026-11-21T08:00:00+00:00",
    "protection": "official",
    "policy": "cd" * 32,
    "duration": 0.1234,
}
_DETAILS: dict[str, dict[str, Any]] = {
    Event.STORED: {"sha256": SHA256, "size": 4096, "request": "req_1"},
    Event.REFUSED: {"code": "type_not_allowed", "request": "req_1"},
    Event.GAVE_UP: {"code": "interrupted"},
    Event.FOUND_CLEAN: _VERDICT | {"kind": "clean", "code": "clean"},
    Event.FOUND_INFECTED: _VERDICT
    | {"kind": "infected", "code": "infected", "signature": "Win.Trojan.Agent-1234-0"},
    Event.NOT_SCANNABLE: _VERDICT
    | {"kind": "unscannable", "code": "encrypted", "signature": "Heuristics.Encrypted.Zip"},
    Event.SCAN_FAILED: {"failure": "timeout", "text": "no answer", "attempts": 2},
    Event.SCAN_EXHAUSTED: {"code": "scan_exhausted"},
    Event.COPIED_OUT: {"sha256": SHA256},
    Event.COPY_FAILED: {"code": "content_lost", "text": "gone"},
    Act.SIGNATURES: {"signature_version": 27800},
    Act.KEY_CREATED: {"prefix": "gr_12ab"},
    Act.SEARCHED: {"filters": "state,sha256"},
}


def line(event: str, **fields: Any) -> dict[str, Any]:
    """Return a line of ``event`` with the detail that the service gives it."""
    move = next(((old, new) for (old, cause), new in TRANSITIONS.items() if cause.value == event), None)
    about_upload = move is not None or event in {
        Act.DOWNLOADED,
        Act.UPLOAD_VIEWED,
        Act.RECEIPT_TAKEN,
        Act.DECISION_PROPOSED,
    }
    whole: dict[str, Any] = {
        "v": 1,
        "at": "2026-11-22T12:00:00.123456Z",
        "event": str(event),
        "actor": "reviewer:rv_ab12",
        "detail": _DETAILS.get(event, {}),
    }
    if about_upload:
        whole |= {"upload": "up_019ab0000000000000000000", "account": _ACCOUNT, "meeting": "mtg_77"}
    if move is not None:
        whole |= {"before": move[0].value, "after": move[1].value}
    return whole | fields


EVENTS = sorted({*map(str, Event), *map(str, Act)})

_SCALARS = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20)
_NAMES = st.sampled_from(["sha256", "code", "signature", "kind", "failures", "text", "policy", "engine", "x"])
#: Lines as they might come: any event, any detail, whoever is named or not.
ODD_LINES: st.SearchStrategy[Mapping[str, Any]] = st.builds(
    line,
    st.sampled_from([*EVENTS, "unheard_of"]),
    detail=st.dictionaries(_NAMES, _SCALARS, max_size=5),
).flatmap(
    lambda whole: st.sets(st.sampled_from(["actor", "account", "meeting", "upload"])).map(
        lambda left_out: {name: value for name, value in whole.items() if name not in left_out}
    )
)
