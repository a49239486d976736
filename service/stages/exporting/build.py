"""Build: make an export that somebody waits for, and keep others from making the same one.

A crash here leaves objects below the export's id, and a row BUILDING whose lease runs out; whoever claims it
then begins anew.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from service.core.errors import ContentLost
from service.core.export import KEPT, Export, Phase, member_name
from service.core.journal import Act
from service.core.meeting import Meeting
from service.core.representation import rfc3339
from service.core.search import first_id
from service.core.upload import Leftover, Segment, State, Upload
from service.stages import contents, read
from service.stages.exporting import records
from service.stages.exporting.archive import Member, zipped
from service.stages.exporting.ask import entry
from service.stages.parts import Parts
from service.stages.receive import SEGMENT_SIZE

#: How long a process may be silent about an export before another may take it over.
LEASE: Final = timedelta(minutes=1)
_RENEWED_EVERY: Final = LEASE.total_seconds() / 6
_BATCH: Final = 200


class Stopping(Exception):
    """This process is told to end: another one begins the export anew."""


def build_next(parts: Parts, stopping: Callable[[], bool]) -> bool:
    """Build the export that is next and return true, or return false if nobody waits for one.

    Raises ``Stopping`` soon after ``stopping`` tells so, ``Conflict`` if the export was taken away meanwhile,
    and ``PartUnavailable``; it is built again when its lease has run out.
    """
    now = parts.clock.now()
    export = parts.exports.claim(now, now + LEASE)
    if export is None:
        return False
    _Building(parts, export, stopping).build()
    return True


@dataclass
class _Building:
    """One export while it is built. ``included`` are the files that are in it so far."""

    parts: Parts
    export: Export
    stopping: Callable[[], bool]
    included: list[dict[str, object]] = field(default_factory=list)
    done: int = 0
    total: int = 0
    renew_at: float = 0.0

    def build(self) -> None:
        """Build it and keep it."""
        parts, export = self.parts, self.export
        store = contents.store_of(parts, export.region)
        store.discard_quarantined(export.id)
        store.discard_released(export.id)
        # A key of its own for each build: what an earlier one left behind is nobody's.
        key = contents.new_content_key(parts, export.account_id, export.id)
        self.export = export = replace(export, content_key=key)
        self.total = 2 * parts.ledger.count(export.account_id, export.person)
        begun = parts.clock.now()
        stream = _Stream(self._watched(zipped(self._members(begun))))
        segments = tuple(self._stored(stream))
        now = parts.clock.now()
        ready = replace(
            export,
            phase=Phase.READY,
            lease_until=None,
            done=self.total,
            total=self.total,
            segments=segments,
            size=sum(segment.size for segment in segments),
            sha256=stream.sha256.hexdigest(),
            ready_at=now,
            expires_at=now + KEPT,
            leftover=Leftover.QUARANTINE,
            sweep_at=None,
        )
        ids = [str(file["upload"]) for file in self.included]
        line = entry(parts, ready, Act.EXPORT_BUILT, files=len(ids), size=ready.size or 0)
        parts.exports.finish(ready, ids, line)

    def _stored(self, stream: "_Stream") -> Iterator[Segment]:
        number = 0
        while stream.more():
            piece = _Piece(stream)
            stored = contents.put(self.parts, self.export, number, piece, None)
            segment = Segment(number, stored.key, piece.size, piece.sha256.hexdigest(), stored.etag)
            # Not without the lease: what another process has deleted must not come back.
            self._renew()
            contents.copy_out(self.parts, self.export, segment)
            yield segment
            number += 1

    def _watched(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if self.stopping():
                raise Stopping
            if self.parts.clock.monotonic() >= self.renew_at:
                self._renew()
            yield chunk

    def _renew(self) -> None:
        lease = self.parts.clock.now() + LEASE
        self.parts.exports.renew(self.export, lease, self.done, self.total)
        self.renew_at = self.parts.clock.monotonic() + _RENEWED_EVERY

    def _members(self, begun: datetime) -> Iterator[Member]:
        """Yield what is in the export: the records first, then the files, and a list of those."""
        export, at = self.export, rfc3339(begun)

        def text(name: str, *content: bytes) -> Member:
            return Member(name, begun, content, packed=True)

        yield text("README.txt", records.readme(export, at).encode())
        yield text("export.json", records.document(records.about(export, at)))
        grants = self.parts.credentials.grants_of(export.account_id, export.person)
        yield Member("grants.json", begun, records.listed(map(records.grant_record, grants)), packed=True)
        own = [records.actor_of(known.grant) for known in grants]
        if export.person is not None:
            taken = records.own_downloads(self.parts, export, own)
            yield Member("downloads.json", begun, records.listed(taken), packed=True)
        else:
            said = map(records.meeting_record, self._meetings())
            yield Member("meetings.json", begun, records.listed(said), packed=True)
        told = (records.upload_record(self.parts, export, one, own) for one in self._uploads(begun))
        yield Member("uploads.json", begun, records.listed(told), packed=True)
        for upload in self._uploads(begun):
            if upload.state is State.RELEASED:
                name = member_name(upload.meeting_id, upload.id, upload.name)
                yield Member(name, upload.created_at, self._content(upload, name), upload.size)
        yield Member("files.json", begun, records.listed(self.included), packed=True)

    def _uploads(self, begun: datetime) -> Iterator[Upload]:
        """Yield the uploads from before ``begun``, or else an account that goes on sending had no end."""
        after, until = "", first_id(begun)
        while batch := self._batch(after):
            for upload in batch:
                if upload.id >= until:
                    return
                yield upload
                self.done += 1
            after = batch[-1].id

    def _meetings(self) -> Iterator[Meeting]:
        after = ""
        while batch := self.parts.meetings.page(self.export.account_id, after, _BATCH):
            yield from batch
            after = batch[-1].id

    def _batch(self, after: str) -> Sequence[Upload]:
        return self.parts.ledger.belonging(self.export.account_id, self.export.person, after, _BATCH)

    def _content(self, upload: Upload, name: str) -> Iterator[bytes]:
        """Yield a file, and note that it is in. One that the store lost ends early, and the list says so."""
        file: dict[str, object] = {"upload": upload.id, "file": name, "size": upload.size}
        file |= {"sha256": upload.sha256, "whole": True}
        self.included.append(file)
        try:
            yield from read.released_content(self.parts, upload)
        except ContentLost:
            file["whole"] = False


class _Stream:
    """The bytes of an export as they are made, with their digest."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._pending = b""
        self.sha256 = hashlib.sha256()

    def more(self) -> bool:
        """Tell whether there is at least one more byte."""
        while not self._pending:
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            self._pending = chunk
        return True

    def take(self, size: int) -> bytes:
        """Return at most that many bytes, nothing at the end."""
        if not self.more():
            return b""
        taken, self._pending = self._pending[:size], self._pending[size:]
        self.sha256.update(taken)
        return taken


class _Piece:
    """A source of one segment's bytes, with its size and digest."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self.size = 0
        self.sha256 = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        """Return ``size`` bytes, fewer only at the end: the store's SDK would copy a part for a short one."""
        wanted = min(size, SEGMENT_SIZE - self.size)
        part = bytearray()
        while len(part) < wanted and (piece := self._stream.take(wanted - len(part))):
            part += piece
        self.sha256.update(part)
        self.size += len(part)
        return bytes(part)
