"""What a backend says of its meetings."""

from datetime import UTC, datetime
from typing import Any

import pytest

from service.core.journal import Act
from service.stages.parts import Parts
from tests.web.conftest import Backend, assert_problem

ROUTE = "/v1/meetings/townhall"


def test_a_meeting_has_the_start_that_was_said_last(backend: Backend, parts: Parts) -> None:
    """In UTC, whatever the zone it was said in; saying nothing takes it back, and each word is logged."""
    said = backend.call("PUT", ROUTE, json={"starts_at": "2026-12-01T16:00:00+01:00"})
    expected = {"id": "townhall", "starts_at": "2026-12-01T15:00:00.000Z", "retention": {}}
    assert said.get_json() == expected
    assert backend.get(ROUTE).get_json() == said.get_json()
    stored = parts.meetings.find(backend.account, "townhall")
    assert stored is not None
    assert stored.starts_at == datetime(2026, 12, 1, 15, tzinfo=UTC)
    assert backend.call("PUT", ROUTE, json={}).get_json() == expected | {"starts_at": None}
    lines = [line.entry for line in parts.journal.waiting(10_000)]
    mine = [line for line in lines if line.account_id == backend.account and line.meeting_id == "townhall"]
    assert [line.event for line in mine] == [Act.MEETING_CHANGED] * 2
    assert [line.detail["starts_at"] for line in mine] == ["2026-12-01T15:00:00+00:00", None]


def test_of_a_meeting_that_nobody_spoke_of_nothing_is_known(backend: Backend) -> None:
    """Though files may name it."""
    backend.post(meeting="townhall")
    assert_problem(backend.get(ROUTE), 404, "not_found")


@pytest.mark.parametrize(
    "beyond",
    [
        {"starts_at": "0001-01-01T00:00:00+14:00"},
        {"starts_at": "9999-12-31T23:59:59-14:00"},
        {"retention": {"released": 366}},
    ],
    ids=["before the first", "after the last", "more than the plan"],
)
def test_what_is_beyond_bounds_changes_nothing(backend: Backend, beyond: Any) -> None:
    """Times that not every zone has, and more days than the account's plan gives."""
    answer = backend.call("PUT", ROUTE, json=beyond)
    assert_problem(answer, 422, "range_not_allowed")
    assert_problem(backend.get(ROUTE), 404, "not_found")


@pytest.mark.parametrize(
    "odd",
    [
        {"starts_at": "tomorrow"},
        {"starts_at": "2026-12-01T15:00:00"},
        {"starts": "2026-12-01T15:00:00Z"},
        [],
        {"retention": {"released": 0}},
        {"retention": {"released": "7"}},
        {"retention": {"released": 1.5}},
        {"retention": {"removed": 7}},
        {"retention": 7},
    ],
    ids=[
        *("no time", "no zone", "another name", "no object"),
        *("no day", "no number", "half a day", "no state", "no table"),
    ],
)
def test_odd_words_change_nothing(backend: Backend, odd: Any) -> None:
    """They are answered with what is wrong with them."""
    assert_problem(backend.call("PUT", ROUTE, json=odd), 400, "bad_request")
    assert_problem(backend.get(ROUTE), 404, "not_found")


def test_a_grant_does_not_speak_of_the_meeting(backend: Backend) -> None:
    """Who presents in a meeting does not say when it is: that would be a place in the queue."""
    grant = backend.call("POST", "/v1/grants", json={"kind": "upload", "meeting": "townhall"}).get_json()
    presenter = Backend(backend.app, backend.parts, backend.account, grant["token"])
    assert_problem(presenter.call("PUT", ROUTE, json={}), 403, "forbidden")
    assert_problem(presenter.get(ROUTE), 403, "forbidden")


def test_its_files_stay_for_as_long_as_was_said_last(backend: Backend) -> None:
    """From the later of its start and their last move; each document of a file at rest says until when."""
    upload = backend.post(meeting="townhall").get_json()
    route = f"/v1/uploads/{upload['id']}"

    def days(since: str) -> int:
        [listed] = backend.get("/v1/uploads?meeting=townhall").get_json()["uploads"]
        until = backend.get(route).get_json()["retained_until"]
        assert listed["retained_until"] == until
        return (datetime.fromisoformat(until) - datetime.fromisoformat(since)).days

    assert days(upload["updated_at"]) == 365
    assert upload["retained_until"] == backend.get(route).get_json()["retained_until"]
    said = backend.call("PUT", ROUTE, json={"retention": {"released": 7, "held": None}})
    assert said.get_json()["retention"] == {"released": 7}
    assert days(upload["updated_at"]) == 7
    starts_at = "2031-01-01T00:00:00Z"
    backend.call("PUT", ROUTE, json={"starts_at": starts_at, "retention": {"released": 7}})
    assert days(starts_at) == 7
    backend.call("PUT", ROUTE, json={})
    assert days(upload["updated_at"]) == 365
    backend.call("DELETE", route)
    assert "retained_until" not in backend.get(route).get_json()
