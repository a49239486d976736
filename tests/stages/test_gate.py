"""The gate: no clean answer counts before the canaries were found, nor after one was not."""

import tomllib
from pathlib import Path

import pytest

from service.core.errors import ConfigurationError, ScannerUnavailable
from service.core.outcome import Clean, Failed, Failure, Infected, Obstacle, Outcome, Unscannable
from service.core.policy import Policy, read_policy
from service.core.verdict import Protection
from service.stages.gate import Gate
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Faults, Moment
from tests.fakes.log import FakeLog
from tests.fakes.scanner import FakeScanner

SHIPPED = Path(__file__).parents[2] / "service" / "policy.toml"
LIMIT = 1 << 20


class Watch:
    """A gate over a fake scanner that finds every canary unless told otherwise."""

    def __init__(self) -> None:
        self.clock, self.faults, self.log = FakeClock(), Faults(), FakeLog()
        self.scanner = FakeScanner(self.faults, self.clock)
        self.gate = Gate(self.scanner, self.clock, self.log, small_policy(), Protection.OFFICIAL)

    def doubt(self) -> Failure | None:
        """Return why a clean answer would not count now."""
        doubt = self.gate.doubt(self.scanner.engine())
        return doubt[0] if doubt else None

    def sizes(self) -> list[int]:
        """Return the sizes of what was scanned since last asked."""
        sizes = [len(data) for data in self.scanner.scanned]
        self.scanner.scanned.clear()
        return sizes


@pytest.fixture
def watch() -> Watch:
    """A gate that has checked nothing yet."""
    return Watch()


def small_policy() -> Policy:
    """Return the shipped policy with a limit that is quickly sent."""
    return read_policy(tomllib.loads(SHIPPED.read_text()) | {"max_file_size": LIMIT})


def test_nothing_is_believed_before_the_first_round(watch: Watch) -> None:
    """A process that has not proved its scanner yet calls nothing clean."""
    assert watch.doubt() is Failure.UNTRUSTED
    watch.gate.check()
    assert watch.doubt() is None


def test_a_round_is_believed_for_150_seconds(watch: Watch) -> None:
    """A gate whose thread died closes of itself."""
    watch.gate.check()
    watch.clock.advance(150)
    assert watch.doubt() is None
    watch.clock.advance(1)
    assert watch.doubt() is Failure.UNTRUSTED


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("answer", [Clean(), Failed(Failure.TIMEOUT)])
def test_one_canary_that_is_not_found_closes_the_gate(watch: Watch, number: int, answer: Outcome) -> None:
    """Plain, zipped, encrypted, over the limit, at the limit: each of them alone is enough."""
    found: list[Outcome] = [
        Infected("Eicar"),
        Infected("Eicar"),
        Unscannable(Obstacle.ENCRYPTED, "Heuristics.Encrypted.Zip"),
        Unscannable(Obstacle.LIMITS, "Heuristics.Limits.Exceeded"),
        Infected("Eicar"),
    ]
    found[number] = answer
    watch.scanner.script.extend(found)
    assert watch.gate.check().failures
    assert watch.doubt() is Failure.UNTRUSTED


def test_the_canary_at_the_limit_is_sent_at_first_and_then_every_half_hour(watch: Watch) -> None:
    """It costs a scan of the largest file, and is exactly as large."""
    watch.gate.check()
    assert watch.sizes()[-1] == LIMIT
    watch.clock.advance(1800)
    watch.gate.check()
    assert LIMIT not in watch.sizes()
    watch.clock.advance(1)
    watch.gate.check()
    assert LIMIT in watch.sizes()


def test_after_a_bad_round_the_limit_is_proved_again(watch: Watch) -> None:
    """What comes back after an outage may have come back with other limits."""
    watch.gate.check()
    watch.faults.take_away("scanner.open", ScannerUnavailable("away"))
    watch.gate.check()
    assert watch.doubt() is Failure.UNTRUSTED
    watch.faults.give_back("scanner.open")
    watch.sizes()
    watch.gate.check()
    assert LIMIT in watch.sizes()
    assert watch.doubt() is None


def test_a_change_is_told_to_the_log_once(watch: Watch) -> None:
    """The operator learns when canaries fail and when they pass again, not every minute."""
    for _ in range(3):
        watch.gate.check()
    watch.faults.take_away("scanner.open", ScannerUnavailable("away"))
    for _ in range(3):
        watch.gate.check()
    assert len(watch.log.lines) == 1


@pytest.mark.parametrize(
    "answer", [Clean(), Unscannable(Obstacle.LIMITS, "(null)"), Failed(Failure.STREAM_LIMIT)]
)
def test_limits_that_do_not_cohere_are_a_configuration_error(watch: Watch, answer: Outcome) -> None:
    """Clamd is there and says that it does not look that far, or looks away."""
    watch.scanner.script.append(answer)
    with pytest.raises(ConfigurationError, match="StreamMaxLength"):
        watch.gate.prove_limit()


@pytest.mark.parametrize("failure", sorted(set(Failure) - {Failure.STREAM_LIMIT}))
def test_a_scanner_in_trouble_says_nothing_about_its_limits(watch: Watch, failure: Failure) -> None:
    """The process starts, believes nothing, and goes on asking."""
    watch.scanner.script.append(Failed(failure))
    watch.gate.prove_limit()
    assert watch.doubt() is Failure.UNTRUSTED


def test_a_scanner_that_goes_away_in_the_middle_is_away(watch: Watch) -> None:
    """A canary that could not be sent whole was not found."""
    watch.faults.fail("scanner.feed", 2, Moment.BEFORE, ScannerUnavailable("gone"))
    assert watch.gate.check().failures
