"""``ports.Scanner``: the same laws for the fake and for a real clamd with the shipped limits."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import pytest

from service.adapters.clamd_scanner import ClamdScanner
from service.core.canary import EICAR, quick_canaries
from service.core.errors import ScannerUnavailable
from service.core.outcome import Clean, Failed, Failure, Infected, Obstacle, Outcome, Unscannable
from service.ports import Scanner, ScanStream
from stack.clamd import Clamd
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Faults
from tests.fakes.scanner import FakeScanner

MEBI: Final = 1024 * 1024
#: StreamMaxLength in clamav/clamd.conf.
MAX_STREAM: Final = 520 * MEBI
_, ZIPPED, ENCRYPTED, NESTED, RAR, LOCKED = (b"".join(canary.pieces) for canary in quick_canaries())


@dataclass
class ScannerCase:
    """A way to make a scanner with a deadline in seconds, and its clock's seconds."""

    make: Callable[[float], Scanner]
    monotonic: Callable[[], float]


@pytest.fixture(params=["fake", "clamd"])
def case(request: pytest.FixtureRequest) -> ScannerCase:
    """Each scanner in turn."""
    if request.param == "fake":
        clock = FakeClock()
        return ScannerCase(
            lambda deadline: FakeScanner(Faults(), clock, deadline=deadline, max_stream=MAX_STREAM),
            clock.monotonic,
        )
    clamd: Clamd = request.getfixturevalue("clamd")
    return ScannerCase(lambda deadline: ClamdScanner(str(clamd.socket), deadline), time.monotonic)


@pytest.fixture
def scanner(case: ScannerCase) -> Scanner:
    """A scanner with a deadline that no test reaches."""
    return case.make(60.0)


def scan(scanner: Scanner, content: bytes, step: int = 256 * 1024) -> Outcome | None:
    """Scan one content in chunks of ``step`` bytes."""
    stream = scanner.open()
    try:
        for at in range(0, len(content), step):
            stream.feed(content[at : at + step])
        stream.finish()
        return stream.outcome()
    finally:
        stream.close()


@pytest.mark.parametrize("content", [b"A plain text about nothing.", b"%PDF-1.7 " + bytes(3 * MEBI)])
def test_clean_is_clean(scanner: Scanner, content: bytes) -> None:
    """What holds nothing known is clean."""
    assert scan(scanner, content) == Clean()


@pytest.mark.parametrize("step", [1, 7, 68, 100_000])
@pytest.mark.parametrize("content", [EICAR, ZIPPED], ids=["plain", "zipped"])
def test_eicar_is_found_however_it_is_cut(scanner: Scanner, content: bytes, step: int) -> None:
    """The borders between chunks hide nothing."""
    assert isinstance(scan(scanner, content, step), Infected)


@pytest.mark.parametrize("content", [ENCRYPTED, LOCKED], ids=["zip", "document"])
def test_what_is_encrypted_is_said_to_be_so(scanner: Scanner, content: bytes) -> None:
    """Not clean, not infected: it could not be looked into."""
    outcome = scan(scanner, content)
    assert isinstance(outcome, Unscannable)
    assert outcome.obstacle is Obstacle.ENCRYPTED


@pytest.mark.parametrize("content", [NESTED, RAR], ids=["nested", "RAR"])
def test_what_is_not_looked_into_is_said_to_be_so(scanner: Scanner, content: bytes) -> None:
    """Neither EICAR below more levels than are looked into nor an archive that is not opened is clean."""
    outcome = scan(scanner, content)
    assert isinstance(outcome, Unscannable)
    assert outcome.obstacle is Obstacle.LIMITS


def test_a_stream_over_the_limit_is_lost_and_never_an_answer(scanner: Scanner) -> None:
    """The scanner stops taking bytes, or takes them and fails: never clean, and the reason is told."""
    stream = scanner.open()
    chunk = bytes(4 * MEBI)
    try:
        for _ in range(MAX_STREAM // len(chunk) + 1):
            stream.feed(chunk)
        stream.finish()
    except ScannerUnavailable:
        pass
    outcome = stream.outcome()
    stream.close()
    assert isinstance(outcome, Failed)
    assert outcome.failure is Failure.STREAM_LIMIT


def test_no_bytes_at_all_are_clean(scanner: Scanner) -> None:
    """An empty content ends at once and is clean: there is nothing in it."""
    assert scan(scanner, b"") == Clean()


def test_an_answer_stays_the_answer(scanner: Scanner) -> None:
    """Asked again, the outcome is the same."""
    stream = scanner.open()
    stream.feed(EICAR)
    stream.finish()
    first = stream.outcome()
    assert stream.outcome(0.0) == stream.outcome() == first
    stream.close()


def test_closing_is_allowed_twice_and_at_any_time(scanner: Scanner) -> None:
    """After opening, after a byte, after the end, after the answer; a closed scan never says clean."""
    steps: list[Callable[[ScanStream], object]] = [
        lambda _stream: None,
        lambda stream: stream.feed(b"x"),
        lambda stream: stream.finish(),
    ]
    for steps_taken in range(len(steps) + 1):
        stream = scanner.open()
        for step in steps[:steps_taken]:
            step(stream)
        stream.close()
        stream.close()
        assert isinstance(stream.outcome(), Failed)


def test_not_yet_is_none(case: ScannerCase) -> None:
    """Asked before its deadline a scan that has no answer says so within the time it was given."""
    stream = case.make(60.0).open()
    stream.feed(b"x")
    begun = case.monotonic()
    assert stream.outcome(0.2) is None
    assert case.monotonic() - begun < 5.0
    stream.close()


@pytest.mark.parametrize("timeout", [None, 30.0])
def test_past_its_deadline_a_scan_has_failed(case: ScannerCase, timeout: float | None) -> None:
    """One deadline from the opening to the answer, whatever the patience of who asks; then no more bytes."""
    stream = case.make(0.3).open()
    stream.feed(b"x")
    begun = case.monotonic()
    outcome = stream.outcome(timeout)
    assert isinstance(outcome, Failed)
    assert outcome.failure is Failure.TIMEOUT
    assert case.monotonic() - begun < 1.3
    with pytest.raises(ScannerUnavailable):
        stream.feed(b"x")
    stream.close()


def test_many_scans_at_once_keep_apart(scanner: Scanner) -> None:
    """Safe for many threads: each gets the answer about its own bytes."""
    contents = [EICAR if number % 2 else b"clean %d" % number for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda content: scan(scanner, content), contents))
    assert [isinstance(outcome, Infected) for outcome in outcomes] == [c == EICAR for c in contents]


def test_the_engine_has_a_name(scanner: Scanner) -> None:
    """ClamAV's version; with it the database's version and time, or neither."""
    engine = scanner.engine()
    assert engine.version[0].isdigit()
    assert (engine.signature_version is None) == (engine.signatures_made_at is None)


def test_demo_signatures_have_no_age(clamd: Clamd) -> None:
    """Clamd without an official database does not say how old its signatures are, and so do we not."""
    engine = ClamdScanner(str(clamd.socket), 5.0).engine()
    assert (engine.signature_version, engine.signatures_made_at) == (None, None)


@pytest.mark.parametrize("address", ["/nowhere/clamd.sock", ("127.0.0.1", 9)])
def test_a_scanner_that_is_away_says_so(address: str | tuple[str, int]) -> None:
    """Both calls raise ``ScannerUnavailable``."""
    scanner = ClamdScanner(address, 5.0)
    with pytest.raises(ScannerUnavailable):
        scanner.open()
    with pytest.raises(ScannerUnavailable):
        scanner.engine()
