"""What clamd finds with the demo signatures and the shipped limits: EICAR where it hides, our strings."""

from __future__ import annotations

import io
import socket
import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import pytest

from stack.clamd import OFFICIAL_FILES, ROOT, SHIPPED_CONFIG, Clamd, choose_signatures
from stack.samples import EICAR, clean_deck

MIB = 1024 * 1024
LARGEST_FILE = 512 * MIB
"""max_file_size of the service's policy, for which the shipped limits are made."""


def scan(clamd: Clamd, chunks: Iterable[bytes]) -> str:
    """Clamd's answer to the bytes in `chunks`."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(60)
        link.connect(str(clamd.socket))
        link.sendall(b"zINSTREAM\0")
        try:
            for chunk in chunks:
                link.sendall(struct.pack("!I", len(chunk)) + chunk)
            link.sendall(bytes(4))
        except BrokenPipeError:
            pass  # it has heard enough, and its answer says why
        return link.recv(4096).rstrip(b"\0").decode().removeprefix("stream: ")


def zipped(name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with one member."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def in_deck(content: bytes) -> bytes:
    """The clean deck with an embedded object."""
    file = io.BytesIO(clean_deck())
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ppt/embeddings/object1.bin", content)
    return file.getvalue()


def in_pdf(content: bytes, *, attached: bool) -> bytes:
    """A PDF of one page whose compressed stream, or attached file, holds `content`."""
    packed = zlib.compress(content)
    names = b"/Names<</EmbeddedFiles<</Names[(note) 5 0 R]>>>>" if attached else b""
    kind = b"/Type/EmbeddedFile" if attached else b""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R" + names + b">>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode%s>>stream\n%s\nendstream" % (len(packed), kind, packed),
        b"<</Type/Filespec/F(note)/EF<</F 4 0 R>>>>",
    ]
    body = b"%PDF-1.4\n"
    offsets = []
    for number, text in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    body += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return body + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % body.rindex(b"xref")


def locked(content: bytes) -> bytes:
    """A zip that says of itself that it is encrypted: bit 0 of the flags, in both of its headers."""
    archive = bytearray(zipped("note.txt", content, zipfile.ZIP_STORED))
    archive[6] |= 1
    archive[archive.index(b"PK\1\2") + 8] |= 1
    return bytes(archive)


HIDDEN = {
    "plain": EICAR,
    "newline": EICAR + b"\n",
    "windows newline": EICAR + b"\r\n",
    "padded": EICAR + b" " * 60,
    "zip": zipped("a.txt", EICAR),
    "zip in zip": zipped("b.zip", zipped("a.txt", EICAR + b"\n")),
    "zip in zip in zip": zipped("c.zip", zipped("b.zip", zipped("a.txt", EICAR))),
    "in a deck": in_deck(EICAR),
    "zip in a deck": in_deck(zipped("a.txt", EICAR)),
    "pdf stream": in_pdf(EICAR, attached=False),
    "pdf attachment": in_pdf(EICAR, attached=True),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_eicar_is_found(clamd: Clamd, name: str) -> None:
    """EICAR is found as it is, padded as its definition allows, and inside the containers presenters use."""
    assert scan(clamd, [HIDDEN[name]]) == "Greenroom.Demo.EICAR.UNOFFICIAL FOUND"


CLEAN = {
    "deck": clean_deck(),
    "pdf": in_pdf(b"q Q", attached=False),
    "text": b"nothing to see",
    "eicar after other text": b"see: " + EICAR,
    "anchored marker elsewhere": b"see: GREENROOM-TEST-SIGNATURE-AT-START",
    "half of a pair": b"GREENROOM-TEST-SIGNATURE-PART-ONE",
}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_files_are_ok(clamd: Clamd, name: str) -> None:
    """Nothing is found where nothing is; EICAR is EICAR only at a file's start, by its definition."""
    assert scan(clamd, [CLEAN[name]]) == "OK"


OUR_STRINGS = {
    b"see GREENROOM-TEST-SIGNATURE-MARKER": "Greenroom.Demo.Marker",
    b"GREENROOM-TEST-SIGNATURE-AT-START": "Greenroom.Demo.MarkerAtStart",
    b"see GREENROOM-TEST-SIGNATURE-UNWANTED": "PUA.Greenroom.Demo.Unwanted",
    b"GREENROOM-TEST-SIGNATURE-HASHED-FILE\n": "Greenroom.Demo.HashedFile",
    b"GREENROOM-TEST-SIGNATURE-PART-TWO GREENROOM-TEST-SIGNATURE-PART-ONE": "Greenroom.Demo.TwoParts",
}


@pytest.mark.parametrize("content", OUR_STRINGS)
def test_our_own_signatures_are_found(clamd: Clamd, content: bytes) -> None:
    """Each kind of signature (pattern, anchored, logical, hash) has a harmless file that it finds."""
    assert scan(clamd, [content]) == f"{OUR_STRINGS[content]}.UNOFFICIAL FOUND"


def test_encrypted_zip_is_said_to_be_encrypted(clamd: Clamd) -> None:
    """A file that nobody can look into is never OK."""
    assert scan(clamd, [locked(EICAR)]) == "Heuristics.Encrypted.Zip FOUND"


def test_a_file_of_the_largest_size_is_within_the_limits(clamd: Clamd) -> None:
    """A file of exactly the service's limit is scanned: refusing it is for the service alone."""
    assert scan(clamd, (bytes(MIB) for _ in range(LARGEST_FILE // MIB))) == "OK"


def test_a_file_over_clamds_limit_is_an_error(clamd: Clamd) -> None:
    """One byte over clamd's own stream limit is an error and not a clean file."""
    limit = setting_bytes("StreamMaxLength")
    answer = scan(clamd, (bytes(MIB) for _ in range(limit // MIB + 1)))
    assert answer == "INSTREAM size limit exceeded. ERROR"


def test_shipped_limits_cohere() -> None:
    """Every limit of clamd lies above the largest file; what is unpacked from it may be four times that."""
    for key in ("StreamMaxLength", "MaxFileSize", "PCREMaxFileSize"):
        assert setting_bytes(key) >= LARGEST_FILE
    assert setting_bytes("MaxScanSize") >= 4 * LARGEST_FILE


def setting_bytes(key: str) -> int:
    """The value of a size in the shipped configuration."""
    [line] = [line for line in SHIPPED_CONFIG.read_text().splitlines() if line.startswith(f"{key} ")]
    return int(line.split()[1].removesuffix("M")) * MIB


def test_signatures_are_official_only_where_an_official_database_is(tmp_path: Path) -> None:
    """A named folder without daily or main is a demo, whatever else is in it."""
    environ = {"GREENROOM_SIGNATURES_DIR": str(tmp_path)}
    (tmp_path / "test.cvd").touch()
    assert choose_signatures(environ).protection == "demo"
    (tmp_path / OFFICIAL_FILES[0]).touch()
    assert choose_signatures(environ).protection == "official"
    assert choose_signatures(environ).folder == tmp_path


def test_no_file_of_ours_holds_eicar() -> None:
    """A developer's own scanner must not take this repository for malware."""
    folders = [ROOT / name for name in ("clamav", "stack", "service", "examples", "tests")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    ours = [path for path in files if "__pycache__" not in path.parts]
    assert [path for path in ours if EICAR in path.read_bytes()] == []
