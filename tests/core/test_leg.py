import pytest

from service.core.outcome import Clean, Failed, Failure
from service.stages.receive import CHUNK, Intake, Leg
from tests.core.bodies import LIMIT, Body, OneScan, content, drained, sha256


@pytest.mark.parametrize("broken_at", ["", "open", "feed", "finish"])
def test_a_scanner_that_fails_does_no_harm(broken_at: str) -> None:
    """Wherever the scanner's leg fails, the bytes go on to the store; the leg then has no answer."""
    data = content(2 * CHUNK)
    scanner = OneScan(broken_at)
    head = Body(data)
    leg = Leg(scanner)
    taken = Intake(head, head=b"", announced=len(data), expected_sha256=sha256(data), limit=LIMIT, leg=leg)
    assert drained(taken) == data
    outcome = leg.outcome(1.5)
    if broken_at:
        assert isinstance(outcome, Failed)
        assert outcome.failure is Failure.UNREACHABLE
    else:
        assert outcome == Clean()
        assert "outcome 1.5" in scanner.stream.calls
    assert scanner.stream.calls.count("close") == (broken_at in {"feed", "finish"})


def test_without_a_scanner_there_is_no_answer() -> None:
    """A leg that was lame from the start takes everything and never says clean."""
    leg = Leg(None)
    leg.feed(b"x")
    leg.finish()
    leg.close()
    assert isinstance(leg.outcome(0.0), Failed)


def test_a_leg_is_closed_once() -> None:
    """Closing twice closes the scan once, and a closed leg has no answer."""
    scanner = OneScan()
    leg = Leg(scanner)
    leg.finish()
    leg.close()
    leg.close()
    assert scanner.stream.calls == ["finish", "close"]
    assert isinstance(leg.outcome(0.0), Failed)


def test_a_scan_under_way_has_no_answer_yet() -> None:
    """``None`` is passed on: it means not yet, not clean."""
    assert Leg(OneScan()).outcome(0.0) is None
