from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import IllegalMove
from service.core.upload import RESTING, TRANSITIONS, Event, Leftover, LogLine, State, Upload, after

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LISTED = list(TRANSITIONS.items())
UNLISTED = [pair for pair in product(State, Event) if pair not in TRANSITIONS]
#: Every way a clean word can be said: by the scanner, or by a person about a held file.
CLEARING = {(State.SCANNING, Event.FOUND_CLEAN), (State.HELD, Event.REVIEWER_CLEARED)}


def an_upload(state: State = State.RECEIVING) -> Upload:
    """Return an upload in ``state``, as if just made."""
    return Upload(
        id="up_1",
        account_id="acme",
        meeting_id="monday",
        name="deck.pptx",
        declared_type="",
        detected_type="",
        state=state,
        created_at=NOW,
        updated_at=NOW,
    )


def reachable(start: State, *, without: Iterable[State] = ()) -> set[State]:
    """Every state that can follow ``start``, itself included, by moves that touch no state of ``without``."""
    closed = set(without)
    found = {start} - closed
    frontier = list(found)
    while frontier:
        here = frontier.pop()
        for (before, _), there in TRANSITIONS.items():
            if before is here and there not in found | closed:
                found.add(there)
                frontier.append(there)
    return found


def edges_into(state: State) -> set[tuple[State, Event]]:
    """Return every listed move that ends in ``state``."""
    return {edge for edge, there in TRANSITIONS.items() if there is state}


@pytest.mark.parametrize(("edge", "there"), LISTED, ids="-".join)
def test_a_listed_move_happens_and_is_logged(edge: tuple[State, Event], there: State) -> None:
    """Every move of the table leads where it says and leaves exactly one log line that says so."""
    before, event = edge
    at = NOW + timedelta(seconds=5)
    start = an_upload(before)
    end = start.moved(event, at, {"code": "x"}, reason="x")
    assert end == replace(start, state=there, updated_at=at, reason="x")
    assert end.unsaved == (LogLine(at, event, before, there, {"code": "x"}),)
    assert (end.version, end.created_at) == (start.version, NOW)


@pytest.mark.parametrize(("state", "event"), UNLISTED, ids=lambda value: value.value)
def test_any_other_move_is_illegal_and_changes_nothing(state: State, event: Event) -> None:
    """A pair that the table does not list raises, names both, and leaves the upload as it was."""
    upload = an_upload(state)
    twin = replace(upload)
    with pytest.raises(IllegalMove, match=f"{event}.*{state}"):
        upload.moved(event, NOW, {"code": "x"}, reason="x")
    with pytest.raises(IllegalMove):
        after(state, event)
    assert upload == twin
    assert upload.unsaved == ()


def test_the_two_walks_cover_every_pair() -> None:
    """No (state, event) pair escapes the two tests above."""
    assert len(LISTED) + len(UNLISTED) == len(State) * len(Event)


def test_every_event_is_of_use() -> None:
    """No event is a name without a move."""
    assert {event for _, event in TRANSITIONS} == set(Event)


def test_the_table_cannot_be_changed() -> None:
    """Legality is data that nobody can add to at run time."""
    with pytest.raises(TypeError):
        TRANSITIONS[State.BLOCKED, Event.COPIED_OUT] = State.RELEASED  # type: ignore[index]


def test_only_from_cleared_to_released() -> None:
    """First sentence: the only edge into RELEASED is from CLEARED."""
    assert edges_into(State.RELEASED) == {(State.CLEARED, Event.COPIED_OUT)}


def test_cleared_only_by_a_clean_scan_or_a_reviewer() -> None:
    """Second sentence: CLEARED comes only from a clean scan or from a reviewer's decision on HELD."""
    assert edges_into(State.CLEARED) == CLEARING


@pytest.mark.parametrize("start", sorted(set(State) - {State.CLEARED, State.RELEASED}), ids=str)
def test_without_cleared_no_released(start: State) -> None:
    """Third sentence: where no move leads into CLEARED, none leads to RELEASED."""
    assert State.RELEASED not in reachable(start, without=[State.CLEARED])


@pytest.mark.parametrize("start", State, ids=str)
def test_every_state_reaches_erased(start: State) -> None:
    """Fourth sentence: nothing is kept for ever; every state reaches ERASED."""
    assert State.ERASED in reachable(start)


def test_erased_is_the_end() -> None:
    """What is erased stays erased."""
    assert reachable(State.ERASED) == {State.ERASED}


def test_every_state_can_be_reached() -> None:
    """No state is a name without a way to it from the first."""
    assert reachable(State.RECEIVING) == set(State)


@pytest.mark.parametrize("start", sorted(set(State) - RESTING), ids=str)
def test_what_is_under_way_can_come_to_rest(start: State) -> None:
    """Every state that is not at rest has a way to one that is, and is never the end."""
    assert reachable(start) & RESTING
    assert any(before is start for before, _ in TRANSITIONS)


@pytest.mark.parametrize("state", sorted(RESTING - {State.ERASED}), ids=str)
def test_the_owner_can_end_any_rest(state: State) -> None:
    """Deleting by the owner, and the end of retention, are moves of every resting state to ERASED."""
    assert after(state, Event.DELETED) is State.ERASED
    assert after(state, Event.RETENTION_ENDED) is State.ERASED


def test_what_was_never_stored_is_never_scanned() -> None:
    """Refused and abandoned uploads lead to ERASED and nowhere else: nothing revives them."""
    for state in (State.REFUSED, State.ABANDONED):
        assert reachable(state) == {state, State.ERASED}


def test_a_move_takes_only_fields_of_an_upload() -> None:
    """A misspelt field is an error, and a move cannot smuggle another state in."""
    for smuggled in ({"stat": State.RELEASED}, {"state": State.RELEASED}, {"unsaved": ()}):
        with pytest.raises(TypeError):
            an_upload().moved(Event.STORED, NOW, **smuggled)


def test_the_detail_of_a_line_is_a_copy() -> None:
    """What a caller does to its mapping afterwards does not change the log."""
    detail = {"code": "before"}
    upload = an_upload().moved(Event.STORED, NOW, detail)
    detail["code"] = "after"
    assert upload.unsaved[0].detail == {"code": "before"}


def test_a_new_upload_has_nothing_to_sweep() -> None:
    """Leftovers are noted by a move, never assumed."""
    assert an_upload().leftover is Leftover.NOTHING


@given(st.lists(st.sampled_from(Event), max_size=40))
def test_random_walks_keep_the_laws(events: list[Event]) -> None:
    """Whatever happens in whatever order: the log is one unbroken chain of listed moves from RECEIVING, a
    release stands right behind a clearing, and between two releases there is a new clearing."""
    upload = an_upload()
    for number, event in enumerate(events):
        before = upload
        try:
            upload = upload.moved(event, NOW + timedelta(seconds=number))
        except IllegalMove:
            assert (before.state, event) not in TRANSITIONS
            assert upload is before
    lines = upload.unsaved
    assert [line.before for line in lines[:1]] in ([], [State.RECEIVING])
    assert all(earlier.after is later.before for earlier, later in pairwise(lines))
    assert all(TRANSITIONS[line.before, line.event] is line.after for line in lines)
    assert upload.state is (lines[-1].after if lines else State.RECEIVING)
    for earlier, later in pairwise(lines):
        if later.after is State.RELEASED:
            assert (earlier.before, earlier.event) in CLEARING


@given(st.data())
def test_legal_walks_go_everywhere_and_end(data: st.DataObject) -> None:
    """A walk that only takes listed moves never gets stuck before ERASED."""
    upload = an_upload()
    for _ in range(data.draw(st.integers(0, 30))):
        open_moves = sorted(event for state, event in TRANSITIONS if state is upload.state)
        if upload.state is State.ERASED:
            assert open_moves == []
            return
        upload = upload.moved(data.draw(st.sampled_from(open_moves)), NOW)
    assert State.ERASED in reachable(upload.state)
