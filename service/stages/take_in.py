"""Take in: the whole way of one upload in one pass, from first byte to released if all goes well.

A clean upload costs three commits: RECEIVING; stored, scanned and cleared at once; RELEASED.
"""

from dataclasses import dataclass, replace
from typing import Final

from service.core.caller import Caller
from service.core.errors import (
    Conflict,
    ContentRefused,
    Forbidden,
    LedgerUnavailable,
    PartUnavailable,
    ScannerUnavailable,
    TooLarge,
    TooSlow,
    Truncated,
    TypeNotAllowed,
)
from service.core.filetype import allowed_by_name
from service.core.naming import declared_type, display_name, extension, identifier
from service.core.outcome import Answer, Engine, Failed, Failure
from service.core.upload import RESTING, Event, Leftover, State, Upload
from service.ports import Source
from service.stages import judge, sniff
from service.stages.heartbeat import LEASE
from service.stages.parts import Parts, new_upload_id
from service.stages.quarantine import store_segments
from service.stages.receive import WINDOW, Intake, Leg, read_head
from service.stages.record import save
from service.stages.release import release
from service.stages.sweep import SETTLED_AFTER, delete_leftovers, discard

#: A scan that is not done this long after the last byte is shown, and made durable, as SCANNING first.
_SETTLE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """An upload as it stands at the door. ``untrusted_*`` is what a client sent, not yet looked at.

    ``announced`` is the body's length in bytes where the sender told it, ``at_most`` the bytes that the
    content cannot exceed, ``expected_sha256`` (hex) its digest where the sender told it, ``patience`` the
    seconds the sender waits for a verdict after the last byte.
    """

    caller: Caller
    untrusted_meeting: str
    untrusted_name: str
    untrusted_type: str
    announced: int | None
    at_most: int | None
    expected_sha256: str | None
    patience: float
    request_id: str


def take_in(parts: Parts, arrival: Arrival, source: Source) -> Upload:
    """Take one upload in and bring it as far as the sender's patience allows.

    Raises ``BadRequest`` and ``ContentRefused`` errors for what cannot be taken (nothing of it is kept),
    ``StoreUnavailable`` and ``LedgerUnavailable`` when it cannot be kept safely now.
    """
    upload, head = _begin(parts, arrival, source)
    engine, leg = _begin_scan(parts)
    begun = parts.clock.monotonic()
    try:
        upload, package = _receive(parts, arrival, source, upload, head, leg)
        return _settle(parts, arrival, upload, leg, package, engine, begun)
    except Conflict:
        _clean_up(parts, upload.id)
        raise
    finally:
        leg.close()


def _clean_up(parts: Parts, upload_id: str) -> None:
    """Delete what was stored after another process took this one for dead and abandoned the upload."""
    upload = parts.ledger.find(upload_id)
    if upload is not None and upload.state is State.ABANDONED:
        delete_leftovers(parts, replace(upload, leftover=Leftover.EVERYTHING))


def _begin(parts: Parts, arrival: Arrival, source: Source) -> tuple[Upload, bytes]:
    """Refuse what can be refused early; else make the row RECEIVING durable."""
    now = parts.clock.now()
    meeting = identifier(arrival.untrusted_meeting, "meeting")
    if arrival.caller.grant and arrival.caller.grant.meeting_id != meeting:
        raise Forbidden("This grant is for another meeting.")
    upload = Upload(
        id=new_upload_id(now),
        account_id=arrival.caller.account_id,
        meeting_id=meeting,
        name=display_name(arrival.untrusted_name),
        declared_type=declared_type(arrival.untrusted_type),
        detected_type="",
        state=State.RECEIVING,
        created_at=now,
        updated_at=now,
        lease_until=now + LEASE,
        grant_id=arrival.caller.grant.id if arrival.caller.grant else None,
        reserved=_reserved(parts, arrival),
    )
    try:
        allowed_by_name(parts.policy, upload.name)
        _allowed_by_grant(arrival.caller, upload.name)
        head = _first_bytes(parts, arrival, source)
        _, detected = sniff.check_head(parts, upload.name, head)
    except ContentRefused as error:
        _refuse(parts, arrival, upload, error)
        raise
    # The lease begins when the row does: a slow sender may have taken long over the first bytes.
    lease = parts.clock.now() + LEASE
    return save(parts, replace(upload, detected_type=detected, lease_until=lease)), head


def _reserved(parts: Parts, arrival: Arrival) -> int | None:
    """Return the most bytes that the content may have, where they count against a grant."""
    grant = arrival.caller.grant
    if grant is None:
        return None
    if arrival.announced is not None:
        return arrival.announced
    return min(arrival.at_most or parts.policy.max_file_size, parts.policy.max_file_size)


def _allowed_by_grant(caller: Caller, name: str) -> None:
    if caller.grant and caller.grant.types and extension(name) not in caller.grant.types:
        accepted = ", ".join(sorted(caller.grant.types))
        raise TypeNotAllowed(f"This grant is for files of the types {accepted} only.")


def _first_bytes(parts: Parts, arrival: Arrival, source: Source) -> bytes:
    """Return the head of a body that may be as long as announced, and is."""
    limit, announced = parts.policy.max_file_size, arrival.announced
    if announced is not None and announced > limit:
        raise TooLarge(f"The file has {announced} bytes; at most {limit} are accepted.")
    head = read_head(source, announced)
    if announced is not None and len(head) < min(WINDOW, announced):
        raise Truncated(f"The upload ended after {len(head)} of {announced} bytes. Send it again.")
    return head


def _begin_scan(parts: Parts) -> tuple[Engine | None, Leg]:
    """Ask the engine's name before the scan, so that the verdict never claims newer signatures than used.

    A scanner that may not be believed now gets no bytes: the content waits in quarantine.
    """
    try:
        engine = parts.scanner.engine()
    except ScannerUnavailable:
        return None, Leg(None)
    return engine, Leg(None if parts.gate.doubt(engine) else parts.scanner)


def _receive(
    parts: Parts, arrival: Arrival, source: Source, upload: Upload, head: bytes, leg: Leg
) -> tuple[Upload, Answer | None]:
    """Bring all bytes into quarantine and look into the package. A failure leaves no row RECEIVING."""
    intake = Intake(
        source,
        head=head,
        announced=arrival.announced,
        expected_sha256=arrival.expected_sha256,
        limit=min(parts.policy.max_file_size, upload.reserved or parts.policy.max_file_size),
        leg=leg,
    )
    try:
        with parts.heartbeat.hold(upload):
            segments = store_segments(parts.store, upload.id, intake)
            kind = allowed_by_name(parts.policy, upload.name)
            package = sniff.check_package(parts, kind, segments, intake.head, intake.tail)
    except ContentRefused as error:
        _refuse(parts, arrival, upload, error)
        raise
    except BaseException:
        # Also for a worker that is told to stop: the row must not stay until its lease runs out.
        _drop(parts, arrival, upload, Event.GAVE_UP, "interrupted")
        raise
    moved = upload.moved(
        Event.STORED,
        parts.clock.now(),
        {"sha256": intake.sha256, "size": intake.size, "request": arrival.request_id},
        size=intake.size,
        sha256=intake.sha256,
        segments=segments,
    )
    return moved, package


def _refuse(parts: Parts, arrival: Arrival, upload: Upload, error: ContentRefused) -> None:
    event = Event.GAVE_UP if isinstance(error, Truncated | TooSlow) else Event.REFUSED
    _drop(parts, arrival, upload, event, error.code)


def _drop(parts: Parts, arrival: Arrival, upload: Upload, event: Event, reason: str) -> None:
    """End an upload that is RECEIVING and delete what it has in the store."""
    at = parts.clock.now()
    detail = {"code": reason, "request": arrival.request_id}
    stored = upload.version > 0
    dropped = upload.moved(
        event,
        at,
        detail,
        reason=reason,
        lease_until=None,
        due_at=at + SETTLED_AFTER if stored else None,
        leftover=Leftover.EVERYTHING if stored else Leftover.NOTHING,
    )
    discard(parts, save(parts, dropped))


def _settle(
    parts: Parts,
    arrival: Arrival,
    upload: Upload,
    leg: Leg,
    package: Answer | None,
    engine: Engine | None,
    begun: float,
) -> Upload:
    """Make the stored content durable together with its verdict, or, if that takes long, before it."""
    until = parts.clock.monotonic() + arrival.patience
    at = parts.clock.now()
    scanning = upload.moved(Event.SCAN_BEGUN, at, lease_until=at + LEASE)
    outcome = leg.outcome(_SETTLE)
    if outcome is None:
        scanning = save(parts, scanning)
        with parts.heartbeat.hold(scanning):
            outcome = leg.outcome(max(0.0, until - parts.clock.monotonic()))
    if outcome is None:
        outcome = Failed(Failure.UNREACHABLE, "handed over to the background worker")
    weighed = judge.weigh(parts, outcome, package, engine)
    judged = judge.decide(parts, scanning, weighed, engine, parts.clock.monotonic() - begun)
    return _conclude(parts, judged, scanning if scanning.version > upload.version else None)


def _conclude(parts: Parts, judged: Upload, durable: Upload | None) -> Upload:
    """Save the verdict and release what is cleared. What is ``durable`` is no failure to the sender."""
    try:
        judged = save(parts, judged, wake=judged.state is State.QUARANTINED)
    except LedgerUnavailable as error:
        if durable is None:
            raise
        # The content is safe: its lease runs out, and the background worker scans it again.
        parts.log.failure("verdict_deferred", error, {"upload": judged.id})
        return durable
    if judged.state is State.CLEARED:
        try:
            return release(parts, judged)
        except (Conflict, PartUnavailable) as error:
            # The content is safe and its verdict durable: the background worker goes on.
            parts.log.failure("release_deferred", error, {"upload": judged.id})
    return judged


def wait_for_rest(parts: Parts, upload: Upload, seconds: float) -> Upload:
    """Return the upload as soon as it rests, or as it is after ``seconds``."""
    until = parts.clock.monotonic() + seconds
    while upload.state not in RESTING and parts.clock.monotonic() < until:
        parts.clock.sleep(0.1)
        upload = parts.ledger.find(upload.id) or upload
    return upload
