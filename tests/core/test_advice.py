from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from service.core import errors
from service.core.advice import advice
from service.core.outcome import Failure, Obstacle
from service.core.upload import State, Upload
from service.core.verdict import Kind

NOW = datetime(2026, 11, 21, tzinfo=UTC)
UPLOAD = Upload("up_1", "acme", "monday", "deck.pptx", "", "", State.RECEIVING, NOW, NOW)
NOT_CLEARED = [state for state in State if state not in {State.CLEARED, State.RELEASED}]
#: Every reason that an upload may bear: codes of verdicts and of errors, failures, none, and one unheard of.
REASONS = [
    None,
    "",
    "interrupted",
    "no such reason",
    *(kind.value for kind in Kind),
    *(obstacle.value for obstacle in Obstacle),
    *(failure.value for failure in Failure),
    *sorted(
        {value.code for value in vars(errors).values() if isinstance(value, type) and hasattr(value, "code")}
    ),
]


@pytest.mark.parametrize(("state", "reason"), list(product(State, REASONS)))
def test_every_state_and_reason_has_a_sentence(state: State, reason: str | None) -> None:
    """Whatever became of an upload, its sender reads one line that begins and ends as sentences do."""
    sentence = advice(replace(UPLOAD, state=state, reason=reason))
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert sentence.isprintable()
    assert len(sentence) <= 120


@pytest.mark.parametrize(("state", "reason"), list(product(NOT_CLEARED, REASONS)))
def test_clean_is_said_of_cleared_files_only(state: State, reason: str | None) -> None:
    """No file that is not cleared is called clean or offered for download."""
    sentence = advice(replace(UPLOAD, state=state, reason=reason)).lower()
    assert "clean" not in sentence
    assert "can be downloaded" not in sentence


def test_malware_is_said_of_blocked_files_only() -> None:
    """A password, a limit or damage is never called malware, and malware always is."""
    for state, reason in product(State, REASONS):
        sentence = advice(replace(UPLOAD, state=state, reason=reason))
        assert ("malware" in sentence.lower()) == (state is State.BLOCKED)


@pytest.mark.parametrize(
    ("reason", "way_out"),
    [
        ("encrypted", "remove the password"),
        ("limits_exceeded", "unpacked"),
        ("malformed", "save it anew"),
        ("suspicious", "without them"),
        ("content_lost", "upload it again"),
    ],
)
def test_a_held_file_has_a_way_out(reason: str, way_out: str) -> None:
    """Where the sender can do something about a held file, the sentence says what."""
    assert way_out in advice(replace(UPLOAD, state=State.HELD, reason=reason))
