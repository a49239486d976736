"""Files that hide EICAR, and files that are locked by a password, made in code by the formats' own rules."""

from __future__ import annotations

import io
import lzma
import secrets
import struct
import zipfile
import zlib

from msoffcrypto.format.ooxml import OOXMLFile  # type: ignore[import-untyped]
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, StreamObject

from stack.samples import EICAR, clean_deck
from tests.core.packages import ODF, OOXML, manifest, ooxml

PASSWORD = "opensesame"
DOCX_MAIN = f"{OOXML}wordprocessingml.document.main+xml"
PPTX_MAIN = f"{OOXML}presentationml.presentation.main+xml"


def zipped(content: bytes, name: str = "eicar.com", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with one member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as made:
        made.writestr(name, content)
    return buffer.getvalue()


def docx(content: bytes, member: str = "word/embeddings/object.bin") -> bytes:
    """A Word document with one more member."""
    return ooxml(DOCX_MAIN, **{"word/document.xml": b"<w/>", member: content})


def pptx(content: bytes) -> bytes:
    """A presentation with one more member."""
    return ooxml(PPTX_MAIN, **{"ppt/presentation.xml": b"<p/>", "ppt/embeddings/object.bin": content})


def odt(content: bytes) -> bytes:
    """An OpenDocument text with one more member."""
    media_type = f"{ODF}text"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("mimetype", media_type, zipfile.ZIP_STORED)
        made.writestr("content.xml", b"<x/>" * 50)
        made.writestr("Object 1", content)
        made.writestr("META-INF/manifest.xml", manifest(media_type))
    return buffer.getvalue()


def _writer() -> PdfWriter:
    writer = PdfWriter()
    writer.add_blank_page(width=200, height=200)
    return writer


def _written(writer: PdfWriter) -> bytes:
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def pdf_attaching(*contents: bytes) -> bytes:
    """A PDF with attachments."""
    writer = _writer()
    for number, content in enumerate(contents):
        writer.add_attachment(f"eicar{number}.com", content)
    return _written(writer)


def pdf_with_stream(content: bytes, *, packed: bool) -> bytes:
    """A PDF with a stream object, packed by Flate or as it is."""
    writer = _writer()
    stream = StreamObject()
    stream.set_data(content)
    writer.root_object[NameObject("/Extra")] = writer._add_object(stream.flate_encode() if packed else stream)
    return _written(writer)


def locked_pdf(algorithm: str) -> bytes:
    """A PDF that opens with a password only."""
    writer = _writer()
    writer.add_attachment("eicar.com", EICAR)
    writer.encrypt(PASSWORD, algorithm=algorithm)
    made = _written(writer)
    assert PdfReader(io.BytesIO(made)).is_encrypted
    return made


def locked_ooxml(content: bytes | None = None) -> bytes:
    """An office document that opens with a password only: [MS-OFFCRYPTO] agile encryption in an OLE2 file."""
    buffer = io.BytesIO()
    OOXMLFile(io.BytesIO(clean_deck() if content is None else content)).encrypt(PASSWORD, buffer)
    return buffer.getvalue()


def _zip_crypto(data: bytes, check: int) -> bytes:
    """The traditional encryption of APPNOTE 6.1: 12 bytes, the last one for checking, and the data."""
    keys = [0x12345678, 0x23456789, 0x34567890]

    def crc(value: int, byte: int) -> int:
        return zlib.crc32(bytes([byte]), value ^ 0xFFFFFFFF) ^ 0xFFFFFFFF

    def update(byte: int) -> None:
        keys[0] = crc(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = crc(keys[2], keys[1] >> 24)

    for byte in PASSWORD.encode():
        update(byte)
    made = bytearray()
    for byte in secrets.token_bytes(11) + bytes([check]) + data:
        mask = (keys[2] | 2) & 0xFFFF
        made.append(byte ^ (mask * (mask ^ 1) >> 8) & 0xFF)
        update(byte)
    return bytes(made)


def locked_zip(content: bytes = EICAR) -> bytes:
    """A zip whose member opens with a password only; any unzip takes it."""
    crc = zlib.crc32(content)
    data = _zip_crypto(content, crc >> 24)
    name = b"eicar.com"
    fields = struct.pack("<5H3L2H", 20, 1, 0, 0, 33, crc, len(data), len(content), len(name), 0)
    local = b"PK\x03\x04" + fields + name + data
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + fields + struct.pack("<3H2L", 0, 0, 0, 0, 0) + name
    made = local + entry + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), len(local), 0)
    with zipfile.ZipFile(io.BytesIO(made)) as check:
        assert check.read("eicar.com", PASSWORD.encode()) == content
    return made


def rar(content: bytes) -> bytes:
    """A RAR (version 4) with one member that is stored as it is."""

    def block(kind: int, flags: int, body: bytes) -> bytes:
        head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head

    name = b"eicar.com"
    member = struct.pack(
        "<LLBLLBBHL", len(content), len(content), 2, zlib.crc32(content), 0x5A21, 29, 0x30, len(name), 32
    )
    archive = block(0x73, 0, bytes(6))
    return (
        b"Rar!\x1a\x07\x00"
        + archive
        + block(0x74, 0x8000, member + name)
        + content
        + block(0x7B, 0x4000, b"")
    )


def seven_zip() -> bytes:
    """An empty 7z archive: its signature header (7zFormat.txt)."""
    start = struct.pack("<QQL", 0, 0, 0)
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<L", zlib.crc32(start)) + start


def lzma_alone(content: bytes, *, sized: bool) -> bytes:
    """A file of the LZMA utilities (.lzma), whose header tells the unpacked size or leaves it open."""
    made = lzma.compress(content, lzma.FORMAT_ALONE)
    return made[:5] + struct.pack("<Q", len(content)) + made[13:] if sized else made


def wide_docx(content: bytes) -> bytes:
    """A document with `content` in a member whose numbers are ZIP64's, as a streaming writer makes them."""
    buffer = io.BytesIO(docx(b""))
    with zipfile.ZipFile(buffer, "a") as package, package.open("wide.bin", "w", force_zip64=True) as member:
        member.write(content)
    return buffer.getvalue()
