"""Piece: the bytes of one request on their way into a resumable upload."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from service.core.errors import (
    ChecksumMismatch,
    Conflict,
    ContentRefused,
    GreenroomError,
    Interrupted,
    LedgerUnavailable,
    PartUnavailable,
    TooSlow,
    Truncated,
)
from service.core.filetype import allowed_by_name
from service.core.outcome import Answer
from service.core.upload import Segment, Upload
from service.ports import Source
from service.stages import sniff
from service.stages.contents import store_of
from service.stages.heartbeat import LEASE
from service.stages.parts import Parts
from service.stages.quarantine import store_segments
from service.stages.receive import WINDOW, Intake, read_head
from service.stages.record import save
from service.stages.refuse import refuse
from service.stages.settle import Scan, settle, stored


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of one piece must have: an ``algorithm`` that ``hashlib`` knows, and its digest."""

    algorithm: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that go on with an upload at ``offset``; ``announced`` is their number where it is known.

    ``patience`` are the seconds that the sender waits for a verdict if they are the whole content.
    """

    offset: int
    announced: int | None
    checksum: Checksum | None
    patience: float
    request_id: str


class _Body:
    """A piece's bytes, which end where they break off; ``broken`` is then why."""

    def __init__(self, source: Source, checksum: Checksum | None, on_break: Callable[[], None]) -> None:
        self._source = source
        self._checksum = checksum
        self._digest = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
        self._on_break = on_break
        self.broken: Truncated | TooSlow | None = None

    def read(self, size: int, /) -> bytes:
        if self.broken is not None:
            return b""
        try:
            data = self._source.read(size)
        except (Truncated, TooSlow) as error:
            self.broken = error
            self._on_break()
            return b""
        if self._digest is not None:
            self._digest.update(data)
        return data

    def check(self) -> None:
        """Raise ``ChecksumMismatch`` unless all came and is what was announced."""
        if self._checksum is None or self._digest is None:
            return
        if self.broken is not None:
            raise Interrupted("The piece broke off before its checksum could be checked. Send it again.")
        if self._digest.digest() != self._checksum.digest:
            raise ChecksumMismatch(
                "The piece was changed on its way: its checksum is another. Send it again."
            )


class Writer:
    """One piece on its way in. ``upload`` is the row as this writer saved it last."""

    def __init__(self, parts: Parts, upload: Upload, piece: Piece, source: Source, scan: Scan) -> None:
        """Go on with ``upload``, which was claimed, with ``source``; feed ``scan``."""
        self._parts = parts
        self._upload = upload
        self._piece = piece
        self._scan = scan
        self._body = _Body(source, piece.checksum, scan.leg.close)
        self._length = upload.reserved or 0
        self._unsaved: list[Segment] = []

    def run(self) -> Upload:
        """Take the piece in (see ``go_on``)."""
        try:
            return self._take()
        except LedgerUnavailable:
            # What was just saved may be durable all the same.
            raise
        except GreenroomError:
            self._discard_unsaved()
            self._leave()
            raise

    def _take(self) -> Upload:
        fresh = self._rest_of_start()
        if self._piece.checksum is None:
            self._check_type(fresh)
        intake = Intake(
            self._body,
            head=fresh,
            announced=None,
            expected_sha256=None,
            limit=self._length - self._piece.offset,
            leg=self._scan.leg,
        )
        self._store(intake)
        self._body.check()
        if self._piece.checksum is not None:
            # Not before: bytes that were changed on their way are to be sent again, not refused for good.
            self._check_type(fresh)
        if self._size() == self._length:
            return self._finish(intake)
        self._keep(last=True)
        if self._body.broken is not None:
            raise Interrupted("The request was cut short; what came of it is kept.") from self._body.broken
        return self._upload

    def _rest_of_start(self) -> bytes:
        """Read what comes of the content's first bytes, by which its type is known."""
        missing = min(WINDOW, self._length) - self._upload.offset
        return b"" if self._upload.detected_type else read_head(self._body, max(0, missing))

    def _check_type(self, fresh: bytes) -> None:
        """Look at the content's first bytes, which end with ``fresh``, once they are all there.

        Not before, because each piece of them takes a fetch.
        """
        upload = self._upload
        if upload.detected_type or upload.offset + len(fresh) < min(WINDOW, self._length):
            return
        known = sniff.stored_start(self._parts, upload) if upload.segments else b""
        try:
            _, detected = sniff.check_head(self._parts, upload.name, known + fresh)
        except ContentRefused as error:
            self._refuse(error)
            raise
        self._upload = replace(upload, detected_type=detected)

    def _store(self, intake: Intake) -> None:
        """Store the piece. Each segment is saved at once, but for the content's end and what is yet to be
        checked.
        """
        parts, first = self._parts, len(self._upload.segments)
        segments = store_segments(parts, self._upload, intake, first, parts.clock)
        while True:
            with parts.heartbeat.hold(self._upload):
                segment = next(segments, None)
            if segment is None:
                return
            self._unsaved.append(segment)
            if self._piece.checksum is None and self._size() < self._length:
                self._keep(last=self._ended())

    def _size(self) -> int:
        return self._upload.offset + sum(segment.size for segment in self._unsaved)

    def _ended(self) -> bool:
        """Tell whether no more of the piece can come, as far as is known yet."""
        offset, announced = self._piece.offset, self._piece.announced
        return self._body.broken is not None or (announced is not None and self._size() == offset + announced)

    def _keep(self, *, last: bool) -> None:
        """Save what is stored and not saved yet. The ``last`` time, the upload has no writer any more."""
        if self._unsaved or (last and self._upload.lease_until is not None):
            at = self._parts.clock.now()
            segments = (*self._upload.segments, *self._unsaved)
            lease = None if last else at + LEASE
            self._upload = save(
                self._parts, replace(self._upload, segments=segments, updated_at=at, lease_until=lease)
            )
            self._unsaved.clear()

    def _leave(self) -> None:
        """Tell those who ask for the offset that they need not wait, if the upload is still in our hands."""
        self._unsaved.clear()
        with suppress(Conflict, LedgerUnavailable):
            self._keep(last=True)

    def _finish(self, intake: Intake) -> Upload:
        """Take the content further now that all of it is stored."""
        parts, in_one_pass = self._parts, self._piece.offset == 0
        segments = (*self._upload.segments, *self._unsaved)
        package = self._package(segments, intake.head if in_one_pass else b"", intake.tail)
        sha256 = intake.sha256 if in_one_pass else None
        moved = stored(parts, self._upload, segments, sha256, self._piece.request_id)
        if in_one_pass:
            return settle(parts, moved, self._scan, package, self._piece.patience)
        return save(parts, replace(moved, lease_until=None), wake=True)

    def _package(self, segments: tuple[Segment, ...], head: bytes, tail: bytes) -> Answer | None:
        try:
            kind = allowed_by_name(self._parts.policy, self._upload.name)
            with self._parts.heartbeat.hold(self._upload):
                whole = replace(self._upload, segments=segments)
                return sniff.check_package(self._parts, whole, kind, head, tail)
        except ContentRefused as error:
            self._refuse(error)
            raise

    def _refuse(self, error: ContentRefused) -> None:
        refuse(self._parts, self._upload, error, self._piece.request_id)
        # All below the upload's prefix goes with it.
        self._unsaved.clear()

    def _discard_unsaved(self) -> None:
        """Delete what was stored in vain, if the parts answer; else it goes when the upload ends."""
        try:
            row = self._parts.ledger.find(self._upload.id)
            named = {segment.key for segment in row.segments} if row else set()
            store = store_of(self._parts, self._upload.region)
            for segment in self._unsaved:
                if segment.key not in named:
                    store.discard_object(segment.key)
        except PartUnavailable:
            return
