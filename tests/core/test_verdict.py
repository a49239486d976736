import pytest

from service.core.outcome import (
    Answer,
    Clean,
    Failed,
    Failure,
    Infected,
    Malformed,
    Obstacle,
    Suspicious,
    Unscannable,
)
from service.core.policy import CONSEQUENCES
from service.core.upload import Event, State, after
from service.core.verdict import Kind, classify

CASES: list[tuple[Answer, tuple[Kind, str, str | None]]] = [
    (Clean(), (Kind.CLEAN, "clean", None)),
    (Infected("a"), (Kind.INFECTED, "infected", "a")),
    (Unscannable(Obstacle.LIMITS, "b"), (Kind.UNSCANNABLE, "limits_exceeded", "b")),
    (Unscannable(Obstacle.ENCRYPTED, "c"), (Kind.UNSCANNABLE, "encrypted", "c")),
    (Malformed("d"), (Kind.MALFORMED, "malformed", "d")),
    (Suspicious("e"), (Kind.SUSPICIOUS, "suspicious", "e")),
]


@pytest.mark.parametrize(("answer", "expected"), CASES, ids=lambda value: type(value).__name__)
def test_each_answer_has_its_kind(answer: Answer, expected: tuple[Kind, str, str | None]) -> None:
    """Each answer of the scanner has its own kind and code, and keeps the signature's name."""
    assert classify(answer) == expected


def test_a_failure_is_no_answer() -> None:
    """A scan that failed has no verdict: classifying it is a programming error, never a default."""
    with pytest.raises(AssertionError):
        classify(Failed(Failure.TIMEOUT))  # type: ignore[arg-type]


def test_only_clean_clears() -> None:
    """Of all kinds of verdict only clean leads on to release; infected is blocked, the rest is held."""
    places = {kind: after(State.SCANNING, event) for kind, event in CONSEQUENCES.items()}
    assert places.pop(Kind.CLEAN) is State.CLEARED
    assert places.pop(Kind.INFECTED) is State.BLOCKED
    assert set(places) == {Kind.UNSCANNABLE, Kind.MALFORMED, Kind.SUSPICIOUS, Kind.ERROR}
    assert set(places.values()) == {State.HELD}


def test_every_kind_has_its_consequence() -> None:
    """No kind of verdict is without a consequence, and only one is the clean one."""
    assert set(CONSEQUENCES) == set(Kind)
    assert [kind for kind, event in CONSEQUENCES.items() if event is Event.FOUND_CLEAN] == [Kind.CLEAN]
