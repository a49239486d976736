"""An evidence pack, checked with the log's key and nothing else, in one pass and constant memory.

The manifest's signature tells of every byte that was changed since the pack was made. What follows from the
log is not believed because it is signed: the lines are proved against the checkpoints, and everything that
was taken out of them is taken out again.
"""

import hashlib
import heapq
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final

from service.verify.checkpoint import Checkpoint
from service.verify.extracts import EXTRACTS, Extracts
from service.verify.invalid import Invalid
from service.verify.lines import Walk, whole
from service.verify.manifest import CHECKPOINTS, KEY, LISTED, LOG, MANIFEST, Manifest, read_manifest
from service.verify.note import PublicKey
from service.verify.signature import check_checkpoint, check_note

#: Bytes: no line, checkpoint, key or manifest is longer.
_LONGEST: Final = 1024 * 1024
_BUFFER: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """What a pack proves: of ``released`` files ``clean`` were found clean and ``decided`` let go by people;
    the others are exceptions, and so are ``table`` rows of the service's own table. ``beyond`` of the
    checkpoints that were given are over more lines than the pack has.
    """

    manifest: Manifest
    released: int
    clean: int
    decided: int
    beyond: int

    @property
    def exceptions(self) -> int:
        """How many there are of both kinds."""
        return self.released - self.clean - self.decided + self.manifest.table_exceptions


def check_pack(untrusted: IO[bytes], key: PublicKey, kept: Sequence[Checkpoint] = ()) -> Found:
    """Return what the pack in ``untrusted`` proves to those who know that ``key`` is the log's, and that its
    log is the one of the checkpoints that they ``kept``. Raises ``Invalid``, and ``OSError``.
    """
    try:
        with zipfile.ZipFile(untrusted) as pack:
            return _check(pack, key, kept)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Invalid(f"the pack is damaged: {error}") from None


def _check(pack: zipfile.ZipFile, key: PublicKey, kept: Sequence[Checkpoint]) -> Found:
    names = pack.namelist()
    if len(names) != len(set(names)) or set(names) != {*LISTED, MANIFEST} or pack.comment:
        wrong = sorted({*LISTED, MANIFEST} ^ set(names)) or ["something twice"]
        raise Invalid(f"the pack does not have just the members of a pack: {', '.join(wrong)}")
    manifest = read_manifest(check_note(_small(pack, MANIFEST), key))
    if manifest.log != key.name:
        raise Invalid("the manifest is of another log than the key")
    for name in sorted(LISTED):
        if _digest(pack, name) != manifest.members[name]:
            raise Invalid(f"{name} is not what was signed")
    if _small(pack, KEY) != f"{key}\n":
        raise Invalid("the key in the pack is not the one that was given")
    extracts = _check_log(pack, key, manifest, [one for one in kept if one.size <= manifest.size])
    counts = extracts.counts
    return Found(
        manifest,
        released=counts.total(),
        clean=counts["clean"],
        decided=counts["decision"] + counts["allowance"],
        beyond=sum(one.size > manifest.size for one in kept),
    )


def _check_log(
    pack: zipfile.ZipFile, key: PublicKey, manifest: Manifest, kept: Sequence[Checkpoint]
) -> Extracts:
    """Prove every line, and compare what is taken out of them with the members that say so."""
    extracts, sizes = Extracts(manifest.span), _Sizes()
    made = {name: hashlib.sha256() for name in EXTRACTS}
    known = sorted(kept, key=_size)
    walk = Walk(heapq.merge(sizes.noted(_checkpoints(pack, key)), known, key=_size))
    for line in _lines(pack, LOG):
        text = whole(line, walk.size)
        for name, added in extracts.take(walk.size, text):
            made[name].update(added)
        walk.take(text)
    walk.finish()
    if sizes.last is None or not walk.size == sizes.last == manifest.size:
        raise Invalid("no checkpoint is over just the lines of the pack")
    if manifest.span.first not in {0, sizes.first}:
        raise Invalid("no checkpoint is over just the lines before those of the time")
    for name in EXTRACTS:
        if made[name].hexdigest() != manifest.members[name]:
            raise Invalid(f"{name} is not what the log says")
    return extracts


class _Sizes:
    """The sizes of the first and the last of the checkpoints that went by."""

    def __init__(self) -> None:
        self.first: int | None = None
        self.last: int | None = None

    def noted(self, checkpoints: Iterator[Checkpoint]) -> Iterator[Checkpoint]:
        for one in checkpoints:
            self.first = one.size if self.first is None else self.first
            self.last = one.size
            yield one


def _size(checkpoint: Checkpoint) -> int:
    return checkpoint.size


def _checkpoints(pack: zipfile.ZipFile, key: PublicKey) -> Iterator[Checkpoint]:
    blocks = _blocks(_lines(pack, CHECKPOINTS))
    for text in blocks:
        yield check_checkpoint(f"{text}\n{next(blocks, '')}", key)


def _blocks(lines: Iterable[bytes]) -> Iterator[str]:
    """Yield what stands between blank lines."""
    block = b""
    for line in lines:
        if line != b"\n":
            block += line
            if len(block) > _LONGEST:
                raise Invalid("a checkpoint is too long")
        elif block:
            yield _text(block)
            block = b""
    if block:
        yield _text(block)


def _lines(pack: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with pack.open(name) as member, io.BufferedReader(member, _BUFFER) as lines:  # type: ignore[type-var]
        while line := lines.readline(_LONGEST):
            yield line


def _digest(pack: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with pack.open(name) as member:
        while piece := member.read(_BUFFER):
            digest.update(piece)
    return digest.hexdigest()


def _small(pack: zipfile.ZipFile, name: str) -> str:
    with pack.open(name) as member:
        return _text(member.read(_LONGEST))


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Invalid("the pack has text in it that is not UTF-8") from None
