"""Small real packages, made in code: OOXML, ODF and iWork documents, and odd zips."""

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping

OOXML = "application/vnd.openxmlformats-officedocument."
ODF = "application/vnd.oasis.opendocument."
CONTENT_TYPES = "[Content_Types].xml"
MANIFEST = "META-INF/manifest.xml"


def package(
    members: Mapping[str, bytes] | Iterable[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """Return a zip of ``members`` in their order; pairs may repeat a name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as made:
        for name, content in members.items() if isinstance(members, Mapping) else members:
            made.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def content_types(*mains: str, default: str = "application/xml", prolog: str = "", extra: str = "") -> bytes:
    """Return a ``[Content_Types].xml`` that names ``mains`` as the types of parts."""
    overrides = "".join(
        f'<Override PartName="/part{number}.xml" ContentType="{main}"/>' for number, main in enumerate(mains)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{prolog}'
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="{default}"/>{overrides}{extra}</Types>'
    ).encode()


def ooxml(main: str, **other: bytes) -> bytes:
    """Return an OOXML document whose main part has the content type ``main``."""
    return package({CONTENT_TYPES: content_types(main), "_rels/.rels": b"<x/>", **other})


def manifest(media_type: str, *, inside: str = "", prolog: str = "") -> bytes:
    """Return an ODF manifest; ``inside`` goes into the entry of the content."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{prolog}'
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{media_type}"/>'
        f'<manifest:file-entry manifest:full-path="content.xml">{inside}</manifest:file-entry>'
        "</manifest:manifest>"
    ).encode()


def odf(media_type: str, manifest_xml: bytes | None = None) -> bytes:
    """Return an ODF document: its media type first and unpacked, as the standard asks."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(zipfile.ZipInfo("mimetype"), media_type, zipfile.ZIP_STORED)
        made.writestr(zipfile.ZipInfo("content.xml"), b"<x/>" * 50)
        made.writestr(
            zipfile.ZipInfo(MANIFEST), manifest(media_type) if manifest_xml is None else manifest_xml
        )
    return buffer.getvalue()


def keynote(*names: str) -> bytes:
    """Return a Keynote document with further members ``names``."""
    members = ["Index/Document.iwa", "Index/Slide.iwa", "Metadata/Properties.plist", *names]
    return package(dict.fromkeys(members, b"\0snappy"), zipfile.ZIP_STORED)


def crowded_zip(entries: int, name: bytes = b"a") -> bytes:
    """Return a zip whose directory has that many entries, all about the same small member."""
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0) + name
    sizes = (0, 0, 0, len(name), 0, 0, 0, 0, 0, 0)
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, *sizes) + name
    length = len(entry) * entries
    counted = min(entries, 0xFFFF)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, counted, counted, length, len(local), 0)
    return local + entry * entries + end
