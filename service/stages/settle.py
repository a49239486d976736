"""Settle: bring a content that came in one pass to its verdict, with the scan that was fed meanwhile."""

from typing import Final

from service.core.errors import Conflict, LedgerUnavailable, PartUnavailable, ScannerUnavailable
from service.core.outcome import Answer, Engine, Failed, Failure
from service.core.upload import Event, Segment, State, Upload
from service.stages import judge
from service.stages.conclude import conclude
from service.stages.heartbeat import LEASE
from service.stages.parts import Parts
from service.stages.receive import Leg
from service.stages.record import save
from service.stages.release import release

#: A scan that is not done this long after the last byte is shown, and made durable, as SCANNING first.
_SETTLE: Final = 1.0


class Scan:
    """A scan that is fed while the bytes arrive. ``engine`` was asked before it, so that the verdict never
    claims newer signatures than were used.
    """

    def __init__(self, parts: Parts, *, wanted: bool = True) -> None:
        """Begin it, unless it is not ``wanted``.

        A scanner that is away, or that may not be believed now, gets no bytes: the content waits in
        quarantine.
        """
        self.engine = _engine(parts) if wanted else None
        believed = self.engine is not None and parts.gate.doubt(self.engine) is None
        self.leg = Leg(parts.scanner if believed else None)
        self._clock = parts.clock
        self._begun = parts.clock.monotonic()

    @property
    def duration(self) -> float:
        """The seconds since it began."""
        return self._clock.monotonic() - self._begun


def _engine(parts: Parts) -> Engine | None:
    try:
        return parts.scanner.engine()
    except ScannerUnavailable:
        return None


def stored(
    parts: Parts, upload: Upload, segments: tuple[Segment, ...], sha256: str | None, request_id: str
) -> Upload:
    """Return an upload that is RECEIVING when all of its content is stored, not yet saved.

    ``sha256`` (hex) is ``None`` where the content did not come in one pass.
    """
    size = sum(segment.size for segment in segments)
    at = parts.clock.now()
    return upload.moved(
        Event.STORED,
        at,
        {"sha256": sha256, "size": size, "request": request_id},
        size=size,
        sha256=sha256,
        segments=segments,
        due_at=None,
        waiting_since=at,
        # Nobody can go on with it any more.
        expires_at=upload.expires_at and at,
    )


def settle(parts: Parts, upload: Upload, scan: Scan, package: Answer | None, patience: float) -> Upload:
    """Make a content that is stored durable together with its verdict, or, if that takes long, before it.

    ``upload`` has just moved to QUARANTINED and is not saved; ``package`` is what the look into the package
    says; ``patience`` are the seconds that the sender waits. Raises ``Conflict`` and ``LedgerUnavailable``.
    """
    until = parts.clock.monotonic() + patience
    at = parts.clock.now()
    scanning = upload.moved(Event.SCAN_BEGUN, at, lease_until=at + LEASE)
    outcome = scan.leg.outcome(_SETTLE)
    if outcome is None:
        scanning = save(parts, scanning)
        with parts.heartbeat.hold(scanning):
            outcome = scan.leg.outcome(max(0.0, until - parts.clock.monotonic()))
    if outcome is None:
        outcome = Failed(Failure.UNREACHABLE, "handed over to the background worker")
    try:
        weighed = judge.weigh(parts, scanning, outcome, package, scan.engine)
        judged = conclude(parts, scanning, weighed, scan.engine, scan.duration)
    except LedgerUnavailable as error:
        if scanning.version == upload.version:
            raise
        # The content is safe: its lease runs out, and the background worker scans it again.
        parts.log.failure("verdict_deferred", error, {"upload": upload.id})
        return scanning
    return _released(parts, judged)


def _released(parts: Parts, judged: Upload) -> Upload:
    """Release what is cleared. What is durable is no failure to the sender."""
    if judged.state is State.CLEARED:
        try:
            return release(parts, judged)
        except (Conflict, PartUnavailable) as error:
            # The content is safe and its verdict durable: the background worker goes on.
            parts.log.failure("release_deferred", error, {"upload": judged.id})
    return judged
