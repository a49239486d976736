"""Hand out: a finished export's bytes, whole or from somewhere in the middle."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from service.core.byterange import ByteRange
from service.core.errors import Conflict, ExportNotReady, Gone
from service.core.export import Export, Phase
from service.core.journal import Act
from service.stages.exporting.ask import entry
from service.stages.outflow import outflow
from service.stages.parts import Parts

#: Seconds after which to look again for an export that is being built.
_SOON: Final = 10


def check_ready(parts: Parts, export: Export) -> None:
    """Raise ``Gone`` or ``ExportNotReady`` unless the export may be handed out now.

    One with a file that is not released any more is not; it is built again without it.
    """
    now = parts.clock.now()
    over = export.expires_at is not None and export.expires_at <= now
    if export.phase is Phase.EXPIRED or over:
        raise Gone("The export has expired. Ask for a new one.")
    if export.phase is not Phase.READY or parts.exports.spoiled(1, export.id):
        raise ExportNotReady("The export is still being put together.", _SOON)


def content(parts: Parts, export: Export, part: ByteRange | None, actor: str) -> Iterator[bytes]:
    """Return an export's bytes as ``outflow`` does, once it is logged who gets them.

    What ``check_ready`` raises ends it. Raises ``LedgerUnavailable`` too: what cannot be logged is not given.
    """
    size = export.size or 0
    wanted = part or ByteRange(0, size - 1, size)
    chunks = outflow(
        parts,
        export,
        export.segments,
        part,
        lambda: check_ready(parts, parts.exports.find(export.id) or export),
    )
    line = entry(parts, export, Act.EXPORT_TAKEN, actor, first=wanted.first, last=wanted.last)
    try:
        if export.taken_at is None:
            parts.exports.save(replace(export, taken_at=parts.clock.now()), line)
        else:
            parts.journal.append([line])
    except Conflict:
        # Another download of it was first, and said so.
        parts.journal.append([line])
    return chunks
