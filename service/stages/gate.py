"""The gate: whether this process's scanner may be believed when it says clean.

clamd cannot be asked for its limits, and it answers PING while its signatures are gone. So every process
that scans shows its own scanner the canaries, every minute, and believes nobody else's word for it.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service.core.canary import Canary, complaint, limit_canary, quick_canaries
from service.core.errors import ConfigurationError, ScannerUnavailable
from service.core.outcome import Clean, Engine, Failed, Failure, Outcome, Unscannable
from service.core.policy import Policy
from service.core.trust import distrust
from service.core.verdict import Protection
from service.ports import Clock, EventLog, Scanner

#: Seconds between two rounds; sooner after a bad one, so that work goes on soon after the scanner is back.
_EVERY: Final = 60.0
_EVERY_WHEN_BAD: Final = 5.0
#: The canary at the limit costs a scan of the largest file: less often, and after every bad round.
_LIMIT_EVERY: Final = 1800.0


@dataclass(frozen=True, slots=True)
class Health:
    """What the newest round of canaries said: when it ran and which laws failed (none: all is well)."""

    at: datetime
    failures: tuple[str, ...]


class Gate:
    """Sends the canaries and keeps their newest word. Safe for many threads."""

    def __init__(
        self,
        scanner: Scanner,
        clock: Clock,
        log: EventLog,
        policy: Policy,
        protection: Protection,
        heard: Callable[[Health], None] = lambda _: None,
    ) -> None:
        """Believe nothing until the first ``check``; tell ``heard`` the word of every round."""
        self._scanner = scanner
        self._clock = clock
        self._log = log
        self._policy = policy
        self._protection = protection
        self._heard = heard
        self._health: Health | None = None
        self._limit_proved_at: float | None = None

    @property
    def health(self) -> Health | None:
        """The word of the newest round, ``None`` before the first."""
        return self._health

    def doubt(self, engine: Engine) -> tuple[Failure, str] | None:
        """Return why a clean answer of ``engine`` would not count now, with a sentence for the operator."""
        health = self._health
        return distrust(
            checked_at=health.at if health else None,
            failures=health.failures if health else (),
            engine=engine,
            protection=self._protection,
            policy=self._policy,
            now=self._clock.now(),
        )

    def report(self, health: Health) -> None:
        """Take the word of a round."""
        before = self._health.failures if self._health else ()
        self._health = health
        if health.failures != before:
            self._log.emit("canaries", {"failures": list(health.failures)})

    def check(self) -> Health:
        """Run a round now, with the canary at the limit where it is due, and return its word."""
        failures = [failure for canary in quick_canaries() if (failure := self._sent(canary))]
        if failures:
            # Whatever comes back may come back with other limits.
            self._limit_proved_at = None
        elif self._limit_due():
            failure = self._sent(limit_canary(self._policy.max_file_size))
            failures += [failure] if failure else []
            self._limit_proved_at = None if failure else self._clock.monotonic()
        health = Health(self._clock.now(), tuple(failures))
        self.report(health)
        self._heard(health)
        return health

    def prove_limit(self) -> None:
        """Raise ``ConfigurationError`` if the scanner is there, but does not look as far as the policy goes.

        A scanner that is away or in trouble says nothing about its limits.
        """
        canary = limit_canary(self._policy.max_file_size)
        outcome = send(self._scanner, canary)
        if canary.kept(outcome):
            self._limit_proved_at = self._clock.monotonic()
            return
        over = isinstance(outcome, Failed) and outcome.failure is Failure.STREAM_LIMIT
        if over or isinstance(outcome, Clean | Unscannable):
            raise ConfigurationError(
                f"clamd does not look into files of {self._policy.max_file_size} bytes: raise its "
                "StreamMaxLength, MaxFileSize and MaxScanSize, or lower max_file_size "
                f"({complaint(canary, outcome)})"
            )

    def start(self) -> None:
        """Check every minute from now on, in a thread that ends with the process."""
        if self._protection.notice:
            self._log.emit("signatures", {"notice": self._protection.notice})
        threading.Thread(target=self._run, name="canaries", daemon=True).start()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            try:
                bad = bool(self.check().failures)
            except Exception as error:  # noqa: BLE001 - a dead gate would close for ever
                self._log.failure("canaries", error, {})
                bad = True
            pause.wait(_EVERY_WHEN_BAD if bad else _EVERY)

    def _limit_due(self) -> bool:
        proved = self._limit_proved_at
        return proved is None or self._clock.monotonic() - proved > _LIMIT_EVERY

    def _sent(self, canary: Canary) -> str | None:
        outcome = send(self._scanner, canary)
        return None if canary.kept(outcome) else complaint(canary, outcome)


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
