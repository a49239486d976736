"""Scan: get the scanner's outcome for bytes that are in quarantine.

The other source of the same stage: where the pass could not feed the scanner to the end, the quarantined
content is read back. Nothing is kept; a crash here leaves a row SCANNING whose lease runs out.
"""

import hashlib

from service.core.errors import ContentLost, ScannerUnavailable
from service.core.outcome import Failed, Failure, Outcome
from service.core.upload import Upload
from service.ports import ScanStream
from service.stages.parts import Parts
from service.stages.receive import CHUNK


def read_back(parts: Parts, upload: Upload) -> Outcome:
    """Scan an upload's quarantined content.

    Raises ``StoreUnavailable``, and ``ContentLost`` if what is stored is not what was received.
    """
    try:
        stream = parts.scanner.open()
    except ScannerUnavailable as error:
        return Failed(Failure.UNREACHABLE, str(error))
    try:
        return _feed_all(parts, upload, stream)
    finally:
        stream.close()


def _feed_all(parts: Parts, upload: Upload, stream: ScanStream) -> Outcome:
    digest = hashlib.sha256()
    fed = True
    for segment in upload.segments:
        with parts.store.read_quarantined(segment.key) as source:
            while fed and (chunk := source.read(CHUNK)):
                digest.update(chunk)
                fed = _feed(stream, chunk)
    if fed and digest.hexdigest() != upload.sha256:
        raise ContentLost("the quarantined content is not what was received")
    if fed:
        try:
            stream.finish()
        except ScannerUnavailable:
            fed = False
    outcome = stream.outcome()
    if fed:
        return outcome or Failed(Failure.TIMEOUT)
    # The scanner stopped taking bytes: whatever it says now is not about the whole content.
    return outcome if isinstance(outcome, Failed) else Failed(Failure.CONNECTION_LOST)


def _feed(stream: ScanStream, chunk: bytes) -> bool:
    try:
        stream.feed(chunk)
    except ScannerUnavailable:
        return False
    return True
