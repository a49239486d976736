"""Take in: the whole way of one upload in one pass, from first byte to released if all goes well.

A clean upload costs three commits: RECEIVING; stored, scanned and cleared at once; RELEASED.
"""

from dataclasses import dataclass, replace

from service.core.caller import Caller
from service.core.errors import Conflict, ContentRefused, Truncated
from service.core.filetype import allowed_by_name
from service.core.outcome import Answer
from service.core.upload import RESTING, Event, Leftover, State, Upload
from service.ports import Claim, Source
from service.stages import sniff
from service.stages.begin import check_name, check_size, new_upload
from service.stages.heartbeat import LEASE
from service.stages.parts import Parts
from service.stages.quarantine import store_segments
from service.stages.receive import WINDOW, Intake, Leg, read_head
from service.stages.record import save
from service.stages.refuse import drop, refuse
from service.stages.settle import Scan, settle, stored
from service.stages.sweep import delete_leftovers


@dataclass(frozen=True, slots=True)
class Arrival:
    """An upload as it stands at the door. ``untrusted_*`` is what a client sent, not yet looked at.

    ``announced`` is the body's length in bytes where the sender told it, ``at_most`` the bytes that the
    content cannot exceed, ``expected_sha256`` (hex) its digest where the sender told it, ``patience`` the
    seconds the sender waits for a verdict after the last byte, ``claim`` its Idempotency-Key.
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
    claim: Claim | None = None
    untrusted_person: str | None = None


def take_in(parts: Parts, arrival: Arrival, source: Source) -> Upload:
    """Take one upload in and bring it as far as the sender's patience allows.

    Raises ``BadRequest`` and ``ContentRefused`` errors for what cannot be taken (nothing of it is kept),
    ``StoreUnavailable`` and ``LedgerUnavailable`` when it cannot be kept safely now, and
    ``IdempotencyInProgress``, with nothing kept, if another request took the key first.
    """
    upload, head = _begin(parts, arrival, source)
    scan = Scan(parts)
    try:
        upload, package = _receive(parts, arrival, source, upload, head, scan.leg)
        return settle(parts, upload, scan, package, arrival.patience)
    except Conflict:
        _clean_up(parts, upload.id)
        raise
    finally:
        scan.leg.close()


def _clean_up(parts: Parts, upload_id: str) -> None:
    """Delete what was stored after another process took this one for dead and abandoned the upload."""
    upload = parts.ledger.find(upload_id)
    if upload is not None and upload.state is State.ABANDONED:
        delete_leftovers(parts, replace(upload, leftover=Leftover.EVERYTHING))


def _begin(parts: Parts, arrival: Arrival, source: Source) -> tuple[Upload, bytes]:
    """Refuse what can be refused early; else make the row RECEIVING durable."""
    upload = new_upload(
        parts,
        arrival.caller,
        arrival.untrusted_meeting,
        arrival.untrusted_name,
        arrival.untrusted_type,
        arrival.untrusted_person,
    )
    upload = replace(upload, reserved=_reserved(parts, arrival))
    try:
        check_name(parts, arrival.caller, upload)
        head = _first_bytes(parts, arrival, source)
        _, detected = sniff.check_head(parts, upload.name, head)
    except ContentRefused as error:
        refuse(parts, upload, error, arrival.request_id, arrival.claim)
        raise
    # The lease begins when the row does: a slow sender may have taken long over the first bytes.
    lease = parts.clock.now() + LEASE
    begun = replace(upload, detected_type=detected, lease_until=lease)
    return save(parts, begun, claim=arrival.claim), head


def _reserved(parts: Parts, arrival: Arrival) -> int | None:
    """Return the most bytes that the content may have, where they count against a grant."""
    if arrival.caller.grant is None:
        return None
    if arrival.announced is not None:
        return arrival.announced
    return min(arrival.at_most or parts.policy.max_file_size, parts.policy.max_file_size)


def _first_bytes(parts: Parts, arrival: Arrival, source: Source) -> bytes:
    """Return the head of a body that may be as long as announced, and is."""
    announced = arrival.announced
    if announced is not None:
        check_size(parts, announced)
    head = read_head(source, announced)
    if announced is not None and len(head) < min(WINDOW, announced):
        raise Truncated(f"The upload ended after {len(head)} of {announced} bytes. Send it again.")
    return head


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
            segments = tuple(store_segments(parts, upload, intake))
            kind = allowed_by_name(parts.policy, upload.name)
            package = sniff.check_package(
                parts, replace(upload, segments=segments), kind, intake.head, intake.tail
            )
    except ContentRefused as error:
        refuse(parts, upload, error, arrival.request_id, arrival.claim)
        raise
    except BaseException:
        # Also for a worker that is told to stop: the row must not stay until its lease runs out.
        drop(parts, upload, Event.GAVE_UP, "interrupted", arrival.request_id)
        raise
    return stored(parts, upload, segments, intake.sha256, arrival.request_id), package


def wait_for_rest(parts: Parts, upload: Upload, seconds: float) -> Upload:
    """Return the upload as soon as it rests, or as it is after ``seconds``."""
    until = parts.clock.monotonic() + seconds
    while upload.state not in RESTING and parts.clock.monotonic() < until:
        parts.clock.sleep(0.1)
        upload = parts.ledger.find(upload.id) or upload
    return upload
