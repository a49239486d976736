"""Once: a request that carries an Idempotency-Key is done once, however often it is sent.

The key of an upload is taken in the transaction that makes the upload's first row, so there is never a key
without its upload or the other way round, and what became of the key is read from the upload:

==============================================  ===========================================================
the upload is                                   the key is
==============================================  ===========================================================
RECEIVING under a live lease                    running
RECEIVING under a dead one                      free, once the upload is ABANDONED
broken off, damaged on the way, cut off         free: nothing was kept, and the sender is to try again
refused for good                                answered
all in, but not at rest                         running, as long as its sender may still wait for a verdict
at rest                                         answered
resumable                                       answered, with how the upload then stands
==============================================  ===========================================================

Other requests take the key before they run and leave their answer after it. A crash between the two leaves
a key that is free again a minute later.
"""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from service.core.caller import Caller
from service.core.errors import (
    Conflict,
    ContentRefused,
    IdempotencyInProgress,
    IdempotencyMismatch,
    PartUnavailable,
)
from service.core.naming import display_name
from service.core.upload import RESTING, Event, State, Upload
from service.ports import Claim, Entry, Reply, Source
from service.stages.advance import recover
from service.stages.parts import Parts
from service.stages.receive import CHUNK
from service.stages.take_in import Arrival, take_in

#: How long a key and its answer are kept.
KEPT: Final = timedelta(hours=24)
#: How long a request other than an upload may run before it is taken for dead.
LONGEST_RUN: Final = timedelta(seconds=60)
#: How long after the last byte an upload's answer may take: the longest patience of a sender, and a little.
LONGEST_ANSWER: Final = timedelta(seconds=70)
_RUNNING: Final = "The first request with this Idempotency-Key is still running. Ask again in a moment."
_ANOTHER: Final = "This Idempotency-Key was used for another request. Send a new key with a new request."


@dataclass(frozen=True, slots=True)
class Answered:
    """The same request was answered before, by ``reply``; ``upload`` is what it made, if that is one."""

    reply: Reply
    upload: Upload | None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The same request made ``upload`` before, but its answer was never kept."""

    upload: Upload


Earlier = Answered | Unanswered


def begin_upload(parts: Parts, caller: Caller, key: str, fingerprint: str) -> Claim | Earlier:
    """Return the claim with which an upload is to be saved, or what became of it before.

    Raises ``IdempotencyMismatch`` if the key was used for a request with another ``fingerprint``, and
    ``IdempotencyInProgress`` if the first one is not through yet.
    """
    grant_id = caller.grant.id if caller.grant else ""
    claim = Claim(
        id=secrets.token_hex(16),
        account_id=caller.account_id,
        grant_id=grant_id,
        key=key,
        fingerprint=fingerprint,
        made_at=parts.clock.now(),
    )
    entry = parts.answers.find(caller.account_id, grant_id, key)
    if entry is None:
        return claim
    upload = parts.ledger.find(entry.upload_id) if entry.upload_id else None
    if _is_free(parts, entry, upload):
        return replace(claim, replaces=entry.claim.id)
    if entry.claim.fingerprint != fingerprint:
        raise IdempotencyMismatch(_ANOTHER)
    if entry.reply is not None:
        return Answered(entry.reply, upload)
    if upload is None or _may_answer(parts, upload):
        raise IdempotencyInProgress(_RUNNING)
    return Unanswered(upload)


def begin(parts: Parts, caller: Caller, key: str, fingerprint: str) -> Claim | Answered:
    """Take the key for a request that is no upload, or return what was answered before.

    Raises as ``begin_upload`` does.
    """
    begun = begin_upload(parts, caller, key, fingerprint)
    if isinstance(begun, Unanswered):
        raise IdempotencyMismatch(_ANOTHER)
    if isinstance(begun, Claim):
        begun = replace(begun, running_until=begun.made_at + LONGEST_RUN)
        parts.answers.claim(begun)
    return begun


def _is_free(parts: Parts, entry: Entry, upload: Upload | None) -> bool:
    """Tell whether the request that holds the key will never answer."""
    if entry.reply is not None or (upload is not None and upload.expires_at is not None):
        return False
    now = parts.clock.now()
    if upload is None:
        return entry.claim.running_until is None or entry.claim.running_until <= now
    if upload.state is State.RECEIVING:
        if upload.lease_until is not None and upload.lease_until > now:
            return False
        # A process that was only frozen must find, when it goes on, that its upload is over.
        try:
            recover(parts, upload)
        except Conflict:
            raise IdempotencyInProgress(_RUNNING) from None
        return True
    return upload.sha256 is None and _refusal(upload) is None


def _may_answer(parts: Parts, upload: Upload) -> bool:
    """Tell whether the request that sends ``upload`` may still answer: with another state than now."""
    if upload.state in RESTING or upload.expires_at is not None:
        return False
    stored = [line.at for line in parts.ledger.history(upload.id) if line.event is Event.STORED]
    return not stored or parts.clock.now() < stored[0] + LONGEST_ANSWER


def _refusal(upload: Upload) -> type[ContentRefused] | None:
    """Return the error by which an upload was refused for good, if it was."""
    if upload.sha256 is not None:
        return None
    for kind in _refusals():
        if kind.code == upload.reason and not kind.retryable:
            return kind
    return None


def _refusals(kind: type[ContentRefused] = ContentRefused) -> Iterator[type[ContentRefused]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _refusals(narrower)


def take_in_once(
    parts: Parts, arrival: Arrival, source: Source, begun: Claim | Earlier | None
) -> Upload | Reply:
    """Take an upload in under the claim that ``begun`` is, if it is one, or compare it with its first time.

    Raises as ``take_in`` and ``same_again`` do.
    """
    if begun is None or isinstance(begun, Claim):
        return take_in(parts, replace(arrival, claim=begun), source)
    return same_again(begun, arrival, source)


def same_again(earlier: Earlier, arrival: Arrival, source: Source) -> Reply | Upload:
    """Make sure that an upload sent again is the same, and return its answer, or what it made.

    A sender that announces a digest is taken at its word, and nothing is read. What was refused cannot be
    compared: nothing of it was kept. Raises ``IdempotencyMismatch`` for another content or name,
    ``ContentRefused`` errors for a body that does not arrive whole and for what was refused before.
    """
    upload = earlier.upload
    if upload is not None and upload.sha256 is not None:
        # An erased upload has lost its name.
        if upload.name not in {"", display_name(arrival.untrusted_name)}:
            raise IdempotencyMismatch(_ANOTHER)
        if (arrival.expected_sha256 or _sha256(source, upload.size or 0)) != upload.sha256:
            raise IdempotencyMismatch(_ANOTHER)
    if isinstance(earlier, Answered):
        return earlier.reply
    refusal = _refusal(earlier.upload)
    if refusal is not None:
        raise refusal("The file was refused when it was sent first, and would be again.")
    return earlier.upload


def _sha256(source: Source, longest: int) -> str:
    """Return the digest (hex) of all that ``source`` gives, or of enough to see that it is too long."""
    digest, size = hashlib.sha256(), 0
    while size <= longest and (piece := source.read(CHUNK)):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest()


def settle(parts: Parts, claim: Claim, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Keep the answer for the next time. One that cannot be kept is still the answer for now."""
    try:
        parts.answers.settle(claim, Reply(status, headers, parts.sealer.seal(body)))
    except PartUnavailable as error:
        parts.log.failure("answer_not_kept", error, {"account": claim.account_id})


def release(parts: Parts, claim: Claim) -> None:
    """Let the key go, so that the request may be tried again. One that cannot be let go runs out."""
    try:
        parts.answers.release(claim)
    except PartUnavailable as error:
        parts.log.failure("key_not_released", error, {"account": claim.account_id})


def forget_old(parts: Parts) -> None:
    """Forget keys and answers that were kept for long enough."""
    parts.answers.purge(parts.clock.now() - KEPT)
