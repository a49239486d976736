import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from service.core.journal import Entry
from service.core.line import canonical
from service.core.upload import State

AT: Final = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
KEY: Final = bytes(range(32))


def entry(**changes: Any) -> Entry:
    """Return an entry of a move."""
    plain: dict[str, Any] = {
        "at": AT,
        "event": "found_clean",
        "detail": {"sha256": "ab", "kind": "clean", "duration": 0.25},
        "upload_id": "up_1",
        "account_id": "acme",
        "meeting_id": "board-2026",
        "before": State.SCANNING,
        "after": State.CLEARED,
    }
    return Entry(**(plain | changes))


def test_a_line_is_what_it_was_when_the_log_was_first_published() -> None:
    """Version 1, byte for byte: a change here is another version."""
    assert canonical(entry(), KEY) == (
        '{"account":"ac_3a44ce6482f2d365ee71c47bda997cf1","after":"cleared","at":"2026-11-22T12:00:00.123456Z","before":"scanning",'
        '"detail":{"duration":0.25,"kind":"clean","sha256":"ab"},"event":"found_clean",'
        '"meeting":"me_625c58f4b9950ec2d5e73441d83a2e94","upload":"up_1","v":1}'
    )


def test_what_an_account_named_is_not_in_the_line() -> None:
    """Account, meeting and grant are pseudonyms; a request's id, the client's own words, is left out."""
    line = canonical(entry(actor="grant:anna.kurnikova", detail={"request": "for anna", "size": 3}), KEY)
    assert not any(name in line for name in ("acme", "board", "anna", "request"))
    assert json.loads(line)["actor"].startswith("grant:by_")


def test_pseudonyms_are_one_to_one_under_a_key_and_unrelated_under_another() -> None:
    """The same name gives the same pseudonym, so that lines can be brought together while the key exists."""
    first, again = (json.loads(canonical(entry(), KEY)) for _ in range(2))
    meeting = json.loads(canonical(entry(meeting_id="acme"), KEY))
    other = json.loads(canonical(entry(), KEY[::-1]))
    assert first == again
    assert meeting["account"] == first["account"]
    assert meeting["meeting"] != first["meeting"]
    assert meeting["meeting"][3:] != first["account"][3:]
    assert {other["account"], other["meeting"]}.isdisjoint({first["account"], first["meeting"]})


def test_without_a_key_nobody_is_named() -> None:
    """A line that is written after the account's key was destroyed tells what happened, not whose it was."""
    line = json.loads(canonical(entry(actor="grant:anna"), None))
    assert "account" not in line
    assert "meeting" not in line
    assert line["actor"] == "grant:"
    assert line["upload"] == "up_1"


@pytest.mark.parametrize("actor", ["key:gr_000000000000", "reviewer:rv_ab12", "operator"])
def test_actors_of_our_own_making_stand_as_they_are(actor: str) -> None:
    """Their ids are random and tell nothing of a person."""
    assert json.loads(canonical(entry(actor=actor), KEY))["actor"] == actor


SCALARS: Final = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())


@given(st.dictionaries(st.text(st.characters()), SCALARS | st.lists(SCALARS)))
def test_every_entry_has_a_line_in_canonical_form(detail: dict[str, Any]) -> None:
    """Whatever is in it, so that no entry holds up the log; and what is read back is written the same."""
    text = canonical(entry(detail=detail), KEY)
    assert "\n" not in text
    # Every number of JSON is a double (RFC 8785, 3.2.2.3).
    assert rfc8785.dumps(json.loads(text, parse_int=float)).decode() == text
