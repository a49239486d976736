"""Our own signatures on a real clamd: what they report and leave alone, and that their lack is noticed."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.adapters.clamd_scanner import ClamdScanner
from service.core.canary import EICAR, Canary, Pieces, quick_canaries
from service.core.outcome import Clean, Infected, Obstacle, Outcome, Unscannable
from service.stages.gate import send
from stack import clamd as stack_clamd
from stack import processes
from stack.clamd import DEMO_SIGNATURES, OWN_SIGNATURES, Clamd, Signatures
from stack.processes import wait_until
from tests.e2e import samples


def look(clamd: Clamd, content: bytes) -> Outcome:
    """What the service makes of clamd's answer."""
    return send(ClamdScanner(str(clamd.socket), 60), Canary("", "", Pieces(content), Infected))


def entry(name: str) -> bytes:
    """A stream's entry in a compound file's directory ([MS-CFB] 2.6.1)."""
    text = name.encode("utf-16-le")
    return text.ljust(64, b"\0") + struct.pack("<HB", len(text) + 2, 2) + bytes(61)


def central(method: int) -> bytes:
    """The beginning of a zip's central entry (APPNOTE 4.3.12)."""
    return struct.pack("<4s4H", b"PK\x01\x02", 20, 20, 0, method)


def streamed() -> bytes:
    """A zip as it is written where one cannot go back: sizes behind the data."""

    class Pipe(io.BytesIO):
        def tell(self) -> int:
            raise OSError

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.txt", b"text")
    assert b"PK\x07\x08" in pipe.getvalue()
    return pipe.getvalue()


COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
MARKS = {
    "RAR 4": (b"Rar!\x1a\x07\x00", Obstacle.LIMITS),
    "RAR 5": (b"Rar!\x1a\x07\x01\x00", Obstacle.LIMITS),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c\x00\x04", Obstacle.LIMITS),
    "Zstandard": (b"\x28\xb5\x2f\xfd\x04\x00\x01", Obstacle.LIMITS),
    "lzip": (b"LZIP\x01\x0c", Obstacle.LIMITS),
    "LZMA": (samples.lzma_alone(EICAR, sized=False), Obstacle.LIMITS),
    "LZMA with its size": (samples.lzma_alone(EICAR, sized=True), Obstacle.LIMITS),
    "zip with LZMA": (samples.zipped(EICAR, method=zipfile.ZIP_LZMA), Obstacle.LIMITS),
    "zip with PPMd": (samples.zipped(b"") + central(98), Obstacle.LIMITS),
    "zip with ZIP64 numbers": (samples.wide_docx(EICAR), Obstacle.LIMITS),
    "encrypted document": (COMPOUND + entry("EncryptedPackage"), Obstacle.ENCRYPTED),
}
AROUND: dict[str, Callable[[bytes], bytes]] = {
    "alone": lambda content: content,
    "in a zip": samples.zipped,
    "in a zip in a zip": lambda content: samples.zipped(samples.zipped(content)),
    "in a PDF": samples.pdf_attaching,
}
LEFT_ALONE = {
    **{f"{name}, later": b"." + mark for name, (mark, _) in MARKS.items() if not name.startswith("zip")},
    "black picture": b"\x5d" + bytes(1000),
    "zip's entry in other data": b"%" + central(14),
    "document about encryption": COMPOUND + "an EncryptedPackage is".encode("utf-16-le"),
    "entry without a document": entry("EncryptedPackage"),
    "document with other streams": COMPOUND + entry("WordDocument"),
    "stored zip": samples.zipped(b"text", method=zipfile.ZIP_STORED),
    "zip with bzip2": samples.zipped(b"text", method=zipfile.ZIP_BZIP2),
    "streamed zip": streamed(),
    "docx in docx": samples.docx(samples.docx(b"text")),
    "docx in a PDF": samples.pdf_attaching(samples.docx(b"text")),
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("mark", MARKS)
def test_what_clamd_cannot_look_into_is_reported(clamd: Clamd, mark: str, around: str) -> None:
    """By the mark at its beginning, on every level, and as unscannable: nobody knows it to be infected."""
    content, obstacle = MARKS[mark]
    outcome = look(clamd, AROUND[around](content))
    assert isinstance(outcome, Unscannable)
    assert outcome.obstacle is obstacle
    assert outcome.signature.startswith("Heuristics.Greenroom.")


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_only_looks_like_it_is_left_alone(clamd: Clamd, name: str) -> None:
    """The same bytes elsewhere than at a file's beginning mean nothing, and packages that clamd opens are
    clean.
    """
    assert look(clamd, LEFT_ALONE[name]) == Clean()


@pytest.fixture(scope="module")
def bare_clamd(parts_folder: Path, part_logs: Path) -> Iterator[Clamd]:
    """A clamd that somebody started without our signatures."""
    folder, signatures = parts_folder / "bare", Signatures(DEMO_SIGNATURES, "demo")
    path = stack_clamd.prepare(folder, signatures)
    for file in OWN_SIGNATURES.iterdir():
        (folder / "signatures" / file.name).unlink()
    env = processes.bare_environment(folder)
    child = processes.start("bare", stack_clamd.command(folder), env=env, log=part_logs / "bare.log")
    wait_until(lambda: stack_clamd.ping(path), 60, "clamd's start")
    yield Clamd(path, signatures, child)
    child.stop()


def test_canaries_tell_a_clamd_without_them(clamd: Clamd, bare_clamd: Clamd) -> None:
    """R8: a clamd that lacks our signatures fails exactly the canaries that stand for them, so nothing is
    clean by it.
    """

    def failed(scanned_by: Clamd) -> list[str]:
        scanner = ClamdScanner(str(scanned_by.socket), 60)
        return [canary.name for canary in quick_canaries() if not canary.kept(send(scanner, canary))]

    assert failed(clamd) == []
    assert failed(bare_clamd) == ["RAR", "locked document"]


def test_our_signatures_stand_beside_the_chosen_ones(tmp_path: Path) -> None:
    """Whatever folder is chosen, clamd gets its files and ours, and at the next start those it has then."""
    chosen = tmp_path / "chosen"
    chosen.mkdir()
    (chosen / "daily.cvd").touch()
    for names in (["daily.cvd"], ["daily.cld"]):
        stack_clamd.prepare(tmp_path / "state", Signatures(chosen, "official"))
        gathered = {path.name for path in (tmp_path / "state" / "signatures").iterdir()}
        assert gathered == {*names, *(path.name for path in OWN_SIGNATURES.iterdir())}
        if names == ["daily.cvd"]:
            (chosen / "daily.cvd").rename(chosen / "daily.cld")
