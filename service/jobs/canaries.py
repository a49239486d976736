"""Send the canaries through the scanner and report to the ledger what became of them."""

from typing import Final

from service.core.canary import Canary, complaint, limit_canary, quick_canaries
from service.core.errors import ScannerUnavailable
from service.core.outcome import Failed, Failure, Outcome
from service.ports import Health, Scanner
from service.stages.parts import Parts

#: Seconds between two rounds; sooner after a bad one, so that work goes on soon after the scanner is back.
EVERY: Final = 60.0
EVERY_WHEN_BAD: Final = 5.0
#: The canary at the limit costs a scan of the largest file: less often, and after every bad round.
LIMIT_EVERY: Final = 600.0


def send(scanner: Scanner, canary: Canary) -> Outcome:
    """Return the scanner's outcome for one canary. Never raises."""
    try:
        stream = scanner.open()
    except ScannerUnavailable as error:
        return Failed(Failure.UNREACHABLE, str(error))
    try:
        for piece in canary.pieces:
            stream.feed(piece)
        stream.finish()
    except ScannerUnavailable as error:
        said = stream.outcome()
        return said if isinstance(said, Failed) else Failed(Failure.CONNECTION_LOST, str(error))
    else:
        return stream.outcome() or Failed(Failure.TIMEOUT)
    finally:
        stream.close()


def run(parts: Parts, *, with_limit: bool) -> Health:
    """Send a round of canaries, report it and return it."""
    failures = [failure for canary in quick_canaries() if (failure := _check(parts, canary))]
    if with_limit and not failures:
        failure = _check(parts, limit_canary(parts.policy.max_file_size))
        failures += [failure] if failure else []
    try:
        engine = parts.scanner.engine()
    except ScannerUnavailable as error:
        engine = None
        failures.append(str(error))
    health = Health(parts.clock.now(), tuple(failures), engine)
    parts.ledger.report_health(health)
    return health


def _check(parts: Parts, canary: Canary) -> str | None:
    outcome = send(parts.scanner, canary)
    return None if canary.kept(outcome) else complaint(canary, outcome)
