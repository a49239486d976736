"""Scan: get the scanner's outcome for bytes that are in quarantine.

The other source of the same stage: where the pass could not feed the scanner to the end, the quarantined
content is read back. Nothing is kept; a crash here leaves a row SCANNING whose lease runs out.
"""

import hashlib
from dataclasses import dataclass

from service.core.errors import ContentLost, ScannerUnavailable
from service.core.outcome import Failed, Failure, Outcome
from service.core.upload import Segment, Upload
from service.ports import ScanStream, Source
from service.stages import contents
from service.stages.parts import Parts
from service.stages.receive import CHUNK

_OTHER = "the quarantined content is not what was received"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a scan of quarantined content gave, and the SHA-256 (hex) of the content where all was read."""

    outcome: Outcome
    sha256: str | None = None


def read_back(parts: Parts, upload: Upload, opened: contents.Opened = contents.quarantined) -> Reading:
    """Scan an upload's quarantined content, or another that is ``opened`` segment by segment.

    Where it came in several pieces its digest is not known yet, but those of its segments are. Raises
    ``StoreUnavailable``, and ``ContentLost`` if what is stored is not what was received.
    """
    try:
        stream = parts.scanner.open()
    except ScannerUnavailable as error:
        return Reading(Failed(Failure.UNREACHABLE, str(error)))
    try:
        return _feed_all(parts, upload, stream, opened)
    finally:
        stream.close()


def _feed_all(parts: Parts, upload: Upload, stream: ScanStream, opened: contents.Opened) -> Reading:
    digest = hashlib.sha256()
    for segment in upload.segments:
        with opened(parts, upload, segment) as source:
            if not _feed_segment(segment, source, stream, digest, check=upload.sha256 is None):
                return Reading(_last_words(stream))
    sha256 = digest.hexdigest()
    if upload.sha256 not in {None, sha256}:
        raise ContentLost(_OTHER)
    try:
        stream.finish()
    except ScannerUnavailable:
        return Reading(_last_words(stream), sha256)
    return Reading(stream.outcome() or Failed(Failure.TIMEOUT), sha256)


def _feed_segment(
    segment: Segment, source: Source, stream: ScanStream, digest: "hashlib._Hash", *, check: bool
) -> bool:
    """Feed one segment, and ``check`` its digest; false if the scanner does not take it."""
    own = hashlib.sha256()
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        if check:
            own.update(chunk)
        if not _feed(stream, chunk):
            return False
    if check and own.hexdigest() != segment.sha256:
        raise ContentLost(_OTHER)
    return True


def _last_words(stream: ScanStream) -> Outcome:
    """The scanner stopped taking bytes: whatever it says now is not about the whole content."""
    outcome = stream.outcome()
    return outcome if isinstance(outcome, Failed) else Failed(Failure.CONNECTION_LOST)


def _feed(stream: ScanStream, chunk: bytes) -> bool:
    try:
        stream.feed(chunk)
    except ScannerUnavailable:
        return False
    return True
