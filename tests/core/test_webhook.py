"""What is told of an upload's moves, and as what."""

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.core.representation import upload_document
from service.core.upload import TRANSITIONS, Event, State, Upload
from service.core.webhook import EventType, Notice, notices, ordered_id

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
UPLOAD = Upload("up_1", "acme", "m1", "déck ✓.pdf", "", "", State.RECEIVING, NOON, NOON)
STORED = replace(UPLOAD, size=5, sha256="f" * 64)


def told(upload: Upload) -> tuple[Notice, ...]:
    """Return the notices of an upload, with ids counted up."""
    numbers = itertools.count(1)
    return notices(upload, lambda: f"msg_{next(numbers)}")


def expected(before: State, event: Event) -> EventType | None:
    """Return what a move of a stored upload is to be told as, from the table of moves."""
    after = TRANSITIONS[before, event]
    if after is State.ERASED:
        return EventType.ERASED
    if before is State.RELEASED:
        return EventType.RECALLED
    found = [kind for kind in EventType if kind.value == f"upload.{after.value}"]
    return found[0] if found else None


@pytest.mark.parametrize("move", TRANSITIONS)
def test_each_move_is_told_as_what_it_is(move: tuple[State, Event]) -> None:
    """Coming to rest, recalled, erased: one event. What is on its way or abandoned: none."""
    before, event = move
    moved = replace(STORED, state=before).moved(event, NOON + timedelta(seconds=1))
    kind = expected(before, event)
    assert [notice.type for notice in told(moved)] == ([kind.value] if kind else [])


@pytest.mark.parametrize("state", [State.REFUSED, State.ABANDONED])
def test_what_was_never_stored_is_not_told_as_erased(state: State) -> None:
    """There was nothing to erase."""
    assert told(replace(UPLOAD, state=state).moved(Event.DELETED, NOON)) == ()


def test_what_was_stored_is_told_as_erased_before_its_digest_is_known() -> None:
    """A content that came in pieces has none before its scan, and may be held without one."""
    held = replace(STORED, sha256=None, state=State.HELD)
    assert [notice.type for notice in told(held.moved(Event.DELETED, NOON))] == [EventType.ERASED]


def test_several_moves_are_told_in_their_order_and_saved_ones_not_again() -> None:
    """Each unsaved line at its own time."""
    held = replace(STORED, state=State.SCANNING).moved(Event.NOT_SCANNABLE, NOON)
    blocked = held.moved(Event.REVIEWER_BLOCKED, NOON + timedelta(seconds=1))
    assert [(one.type, one.at) for one in told(blocked)] == [
        ("upload.held", NOON),
        ("upload.blocked", NOON + timedelta(seconds=1)),
    ]
    assert told(replace(blocked, unsaved=())) == ()


def test_the_body_is_type_timestamp_and_the_upload_s_document() -> None:
    """Compact JSON in UTF-8, as Standard Webhooks asks; no dot in an id."""
    moved = replace(STORED, state=State.CLEARED).moved(Event.COPIED_OUT, NOON)
    (notice,) = told(moved)
    document = {
        "type": "upload.released",
        "timestamp": "2026-11-22T12:00:00.000Z",
        "data": upload_document(moved),
    }
    assert notice.body == json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    assert (notice.id, notice.account_id, notice.upload_id, notice.at) == ("msg_1", "acme", "up_1", NOON)
    assert "." not in ordered_id("msg", NOON, "0" * 20)


def test_what_tells_of_an_erasure_holds_no_name() -> None:
    """Whoever erases, and whether or not they cleared the name."""
    erased = replace(STORED, state=State.RELEASED).moved(Event.RETENTION_ENDED, NOON)
    (notice,) = told(erased)
    assert json.loads(notice.body)["data"]["name"] == ""
    assert "déck".encode() not in notice.body
    assert json.loads(notice.body)["data"]["sha256"] == "f" * 64


def test_ids_sort_by_time() -> None:
    """Whatever the chance in them."""
    later = NOON + timedelta(milliseconds=1)
    assert ordered_id("wd", NOON, "f" * 20) < ordered_id("wd", later, "0" * 20)


def test_what_an_allowance_let_pass_is_not_told_as_held() -> None:
    """Nobody could have looked at it: it was held and cleared in one transaction."""
    held = replace(STORED, state=State.SCANNING).moved(Event.NOT_SCANNABLE, NOON)
    cleared = held.moved(Event.REVIEWER_CLEARED, NOON)
    assert told(cleared) == ()
    released = replace(cleared, unsaved=()).moved(Event.COPIED_OUT, NOON)
    assert [one.type for one in told(released)] == ["upload.released"]
