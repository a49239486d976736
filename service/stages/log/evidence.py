"""Evidence: a pack for an auditor, who checks it with ``service.verify`` and the log's key alone.

It holds the whole log up to the first checkpoint after the time, and not only the lines of the time: that no
other line stands between a verdict and a release can be shown by no extract, and a file may wait for its
release as long as it likes. One pass writes it, in constant memory.
"""

import hashlib
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import IO, Final

from service.core.errors import BadRequest, LogDamaged, NotSignedYet
from service.core.journal import SignedCheckpoint
from service.ports import Archive
from service.stages.log import export
from service.stages.log.crosscheck import Mismatch, against_log, against_table
from service.stages.log.keys import public_key, signing_key
from service.stages.log.pack_readme import readme
from service.stages.parts import Parts
from service.verify import manifest as names
from service.verify.checkpoint import Checkpoint
from service.verify.extracts import EXTRACTS, Extracts, Span
from service.verify.invalid import Invalid
from service.verify.lines import Walk
from service.verify.manifest import Manifest
from service.verify.note import PublicKey, write_note

#: Returns what a note commits to once its signature by the key was checked, or raises ``Invalid``.
Check = Callable[[str, PublicKey], Checkpoint]
#: Is told what is being done, how much of it is done and of how much, where that is known.
Progress = Callable[[str, int, int | None], None]

_IN_MEMORY: Final = 1024 * 1024
_PIECE: Final = 1024 * 1024
_MOMENT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
#: Lines or rows between two words of progress.
_OFTEN: Final = 1000
#: Problems that are told in words: more than anybody reads in a terminal. All of them are in the pack.
_MOST_PROBLEMS: Final = 20
#: Seconds after which lines that are not signed will be.
_SOON: Final = 60


@dataclass(frozen=True, slots=True)
class Summary:
    """What a pack says: of ``released`` files so many are ``uncovered``, and the table of uploads does not
    agree with the log in ``mismatches`` places, of which ``problems`` are the first, in words.
    """

    lines: int
    released: int
    uncovered: int
    mismatches: int
    problems: tuple[str, ...]


def write_pack(
    parts: Parts,
    archive: Archive,
    since: datetime,
    until: datetime,
    target: IO[bytes],
    check: Check,
    progress: Progress,
) -> Summary:
    """Write the pack from ``since`` to before ``until`` to ``target``, with ``check`` for signatures.

    Raises ``BadRequest`` for a time that is not over, ``NotSignedYet`` while lines of it are not under a
    checkpoint, ``LogDamaged`` if the log is not what was signed, and ``LedgerUnavailable``.
    """
    if until > parts.clock.now():
        raise BadRequest("The time is not over yet: choose an earlier end.")
    before, last = _ends(parts, since, until)
    span = Span(before.size if before else 0, _moment(since), _moment(until))
    with ExitStack() as stack, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archived:
        spools: dict[str, IO[bytes]] = {
            name: stack.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))
            for name in (*EXTRACTS, names.UPLOADS)
        }
        pack = _Pack(parts, archived, span, spools, {})
        try:
            extracts, signed = _log(pack, last.size, check, progress)
            rows = _table(pack, archive, signed, until, progress)
        except Invalid as error:
            raise LogDamaged(f"There can be no evidence: {error}.") from error
        return _finish(pack, extracts, last.size, rows)


@dataclass(slots=True)
class _Pack:
    """A pack that is being written: what is taken out meanwhile is in ``spools``, what is done in
    ``digests``.
    """

    parts: Parts
    archived: zipfile.ZipFile
    span: Span
    spools: dict[str, IO[bytes]]
    digests: dict[str, str]
    mismatches: int = 0
    problems: list[str] = field(default_factory=list)

    def problem(self, upload: str, problem: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(f"{upload}: {problem}")

    def mismatch(self, found: Mismatch | None) -> None:
        if found is not None:
            self.mismatches += 1
            self.spools[names.UPLOADS].write(found.json())
            self.problem(found.upload, found.problem)

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a member."""
        member = zipfile.ZipInfo(name, self.parts.clock.now().timetuple()[:6])
        member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        digest = hashlib.sha256()
        # How long it will be is not known; without this it could not be longer than 2 GiB.
        with self.archived.open(member, "w", force_zip64=True) as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
        self.digests[name] = digest.hexdigest()


def _log(pack: _Pack, size: int, check: Check, progress: Progress) -> tuple[Extracts, Checkpoint]:
    """Write the log, proved line by line, with its checkpoints; return what was taken out of it and the
    checkpoint over all of it.
    """
    extracts, key = Extracts(pack.span), public_key(pack.parts)
    signed = [Checkpoint(key.name, 0, b"")]

    def checked() -> Iterator[Checkpoint]:
        for one in _checkpoints(pack, size):
            signed[0] = check(one.note, key)
            yield signed[0]

    def proved() -> Iterator[bytes]:
        walk = Walk(checked())
        for line in islice(export.lines(pack.parts), size):
            text = line.encode()
            for name, added in extracts.take(walk.size, text):
                pack.spools[name].write(added)
            walk.take(text)
            if extracts.released is not None:
                released = extracts.released
                if released.problem is not None:
                    pack.problem(released.upload, released.problem)
                pack.mismatch(against_table(pack.parts, released))
            if walk.size % _OFTEN == 0 or walk.size == size:
                progress("lines proved", walk.size, size)
            yield text + b"\n"
        walk.finish()

    pack.write(names.LOG, proved())
    pack.write(names.CHECKPOINTS, (f"{one.note}\n".encode() for one in _checkpoints(pack, size)))
    return extracts, signed[0]


def _table(pack: _Pack, archive: Archive, signed: Checkpoint, until: datetime, progress: Progress) -> int:
    """Compare the rows that are released with the log; return how many."""
    rows = 0
    for rows, found in enumerate(against_log(pack.parts, archive, signed, until), start=1):
        pack.mismatch(found)
        if rows % _OFTEN == 0:
            progress("rows compared", rows, None)
    progress("rows compared", rows, rows)
    return rows


def _finish(pack: _Pack, extracts: Extracts, size: int, rows: int) -> Summary:
    for name, spool in pack.spools.items():
        spool.seek(0)
        pack.write(name, iter(lambda spool=spool: spool.read(_PIECE), b""))  # type: ignore[misc]
    released, uncovered = extracts.counts.total(), extracts.counts[None]
    text = readme(pack.span, size, rows, released, uncovered, pack.mismatches)
    pack.write(names.README, [text.encode()])
    key = signing_key(pack.parts)
    public = PublicKey(key.name, key.public_key)
    pack.write(names.KEY, [f"{public}\n".encode()])
    listed = Manifest(key.name, pack.span, size, rows, pack.mismatches, pack.digests)
    signature = pack.parts.signer.sign(pack.parts.sealer.unseal(key.sealed), listed.text().encode())
    pack.write(names.MANIFEST, [write_note(listed.text(), public, signature).encode()])
    return Summary(size, released, uncovered, pack.mismatches, tuple(pack.problems))


def _ends(parts: Parts, since: datetime, until: datetime) -> tuple[SignedCheckpoint | None, SignedCheckpoint]:
    """Return the last checkpoint before the time, if there is one, and the first after it."""
    before = last = None
    for one in export.checkpoints(parts):
        if one.at < since and last is None:
            before = one
            continue
        last = one
        if one.at >= until:
            return before, one
    newest = last or before
    # No checkpoint is signed where nothing happens.
    if newest is None or newest.size != parts.journal.size() or parts.journal.waiting(1):
        raise NotSignedYet("Lines of the time are not signed yet: try again in a minute.", _SOON)
    return before, newest


def _checkpoints(pack: _Pack, size: int) -> Iterator[SignedCheckpoint]:
    """Return the checkpoints of the pack: from the one before the time to the one over ``size`` lines."""
    found = export.checkpoints(pack.parts, max(0, pack.span.first - 1))
    return takewhile(lambda one: one.size <= size, found)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_MOMENT)
