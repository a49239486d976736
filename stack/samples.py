"""Files to try the service with: a clean deck, the harmless EICAR that must be found, and a locked PDF."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SLIDE_TYPES = "application/vnd.openxmlformats-officedocument.presentationml"
NAMESPACES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    f'xmlns:r="{OFFICE}" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
)
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

# https://www.eicar.org/download-anti-malware-testfile/ defines these 68 bytes. They stand here in two halves
# so that no file of this repository is itself found by a scanner, and are joined at run time because the
# compiler would put the sum of two constants into its cache file.
EICAR = b"".join((b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$", b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"))

PASSWORD = "rehearsal"  # noqa: S105 - told to whoever tries it


def clean_deck() -> bytes:
    """A presentation of one slide (.pptx): the smallest set of parts that office programs open."""
    relations = {
        "": [("officeDocument", "ppt/presentation.xml")],
        "ppt/presentation.xml": [
            ("slideMaster", "slideMasters/slideMaster1.xml"),
            ("slide", "slides/slide1.xml"),
        ],
        "ppt/slideMasters/slideMaster1.xml": [
            ("slideLayout", "../slideLayouts/slideLayout1.xml"),
            ("theme", "../theme/theme1.xml"),
        ],
        "ppt/slideLayouts/slideLayout1.xml": [("slideMaster", "../slideMasters/slideMaster1.xml")],
        "ppt/slides/slide1.xml": [("slideLayout", "../slideLayouts/slideLayout1.xml")],
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        # This order is the usual one, by which libmagic tells a presentation from any other zip.
        package.writestr("[Content_Types].xml", _content_types())
        package.writestr("_rels/.rels", _relations(relations.pop("")))
        for part, text in _parts().items():
            package.writestr(part, XML + text)
        for part, targets in relations.items():
            folder, _, name = part.rpartition("/")
            package.writestr(f"{folder}/_rels/{name}.rels", _relations(targets))
    return content.getvalue()


def locked_pdf() -> bytes:
    """A PDF of one page that opens with PASSWORD (ISO 32000-1, 7.6.3: the standard handler, revision 2)."""
    padding = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
    padded = (PASSWORD.encode() + padding)[:32]
    identifier, allowed = bytes(range(16)), -4
    owner = _rc4(_md5(padded)[:5], padded)
    key = _md5(padded + owner + struct.pack("<i", allowed) + identifier)[:5]
    # Object 4, generation 0: each object has a key of its own.
    page = _rc4(
        _md5(key + bytes((4, 0, 0, 0, 0)))[:10], b"BT /F1 24 Tf 40 90 Td (Only for those who know) Tj ET"
    )
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(page), page),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Filter/Standard/V 1/R 2/O<%b>/U<%b>/P %d>>"
        % (owner.hex().encode(), _rc4(key, padding).hex().encode(), allowed),
    )
    body = b"%PDF-1.4\n"
    table = b"xref\n0 7\n0000000000 65535 f \n"
    for number, text in enumerate(objects, start=1):
        table += b"%010d 00000 n \n" % len(body)
        body += b"%d 0 obj\n%b\nendobj\n" % (number, text)
    identifiers = b"<%b>" % identifier.hex().encode()
    trailer = b"trailer<</Size 7/Root 1 0 R/Encrypt 6 0 R/ID[%b%b]>>" % (identifiers, identifiers)
    return body + table + trailer + b"\nstartxref\n%d\n%%%%EOF\n" % len(body)


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _rc4(key: bytes, data: bytes) -> bytes:
    return Cipher(ARC4(key), None).encryptor().update(data)


def _content_types() -> str:
    kinds = {
        "ppt/presentation.xml": f"{SLIDE_TYPES}.presentation.main+xml",
        "ppt/slideMasters/slideMaster1.xml": f"{SLIDE_TYPES}.slideMaster+xml",
        "ppt/slideLayouts/slideLayout1.xml": f"{SLIDE_TYPES}.slideLayout+xml",
        "ppt/slides/slide1.xml": f"{SLIDE_TYPES}.slide+xml",
        "ppt/theme/theme1.xml": "application/vnd.openxmlformats-officedocument.theme+xml",
    }
    overrides = "".join(
        f'<Override PartName="/{part}" ContentType="{kind}"/>' for part, kind in kinds.items()
    )
    rels = "application/vnd.openxmlformats-package.relationships+xml"
    default = f'<Default Extension="rels" ContentType="{rels}"/>'
    return f'{XML}<Types xmlns="{PACKAGE}/content-types">{default}{overrides}</Types>'


def _relations(targets: list[tuple[str, str]]) -> str:
    lines = "".join(
        f'<Relationship Id="rId{number}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return f'{XML}<Relationships xmlns="{PACKAGE}/relationships">{lines}</Relationships>'


def _parts() -> dict[str, str]:
    tree = '<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'
    title = (
        '<p:sp><p:nvSpPr><p:cNvPr id="2" name="Title"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr>'
        '<p:spPr><a:xfrm><a:off x="900000" y="2500000"/><a:ext cx="10000000" cy="1500000"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr>'
        '<p:txBody><a:bodyPr/><a:p><a:r><a:rPr lang="en-US" sz="4400"/>'
        "<a:t>Welcome to the green room</a:t></a:r></a:p></p:txBody></p:sp>"
    )
    colours = 'bg1="lt1" tx1="dk1" bg2="lt2" tx2="dk2" ' + " ".join(
        f'{name}="{name}"' for name in ("accent1", "accent2", "accent3", "accent4", "accent5", "accent6")
    )
    return {
        "ppt/presentation.xml": f"<p:presentation {NAMESPACES}>"
        '<p:sldMasterIdLst><p:sldMasterId id="2147483648" r:id="rId1"/></p:sldMasterIdLst>'
        '<p:sldIdLst><p:sldId id="256" r:id="rId2"/></p:sldIdLst>'
        '<p:sldSz cx="12192000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/></p:presentation>',
        "ppt/slides/slide1.xml": f"<p:sld {NAMESPACES}>"
        f"<p:cSld><p:spTree>{tree}{title}</p:spTree></p:cSld></p:sld>",
        "ppt/slideLayouts/slideLayout1.xml": f'<p:sldLayout {NAMESPACES} type="blank">'
        f"<p:cSld><p:spTree>{tree}</p:spTree></p:cSld></p:sldLayout>",
        "ppt/slideMasters/slideMaster1.xml": f"<p:sldMaster {NAMESPACES}>"
        f"<p:cSld><p:spTree>{tree}</p:spTree></p:cSld>"
        f'<p:clrMap {colours} hlink="hlink" folHlink="folHlink"/>'
        '<p:sldLayoutIdLst><p:sldLayoutId id="2147483649" r:id="rId1"/></p:sldLayoutIdLst></p:sldMaster>',
        "ppt/theme/theme1.xml": _theme(),
    }


def _theme() -> str:
    names = ("dk1", "lt1", "dk2", "lt2", "accent1", "accent2", "accent3", "accent4", "accent5", "accent6")
    values = (
        "000000",
        "FFFFFF",
        "1F3B2D",
        "EAF4EE",
        "2E8B57",
        "4C9F70",
        "7FB69A",
        "B4D4C3",
        "8A6D3B",
        "5B7C99",
    )
    swatches = dict(zip(names, values, strict=True)) | {"hlink": "2E8B57", "folHlink": "5B7C99"}
    scheme = "".join(f'<a:{name}><a:srgbClr val="{value}"/></a:{name}>' for name, value in swatches.items())
    font = '<a:latin typeface="Liberation Sans"/><a:ea typeface=""/><a:cs typeface=""/>'
    fill = '<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>'
    return (
        f'<a:theme {NAMESPACES} name="Greenroom"><a:themeElements><a:clrScheme name="Greenroom">{scheme}'
        f'</a:clrScheme><a:fontScheme name="Greenroom"><a:majorFont>{font}</a:majorFont>'
        f'<a:minorFont>{font}</a:minorFont></a:fontScheme><a:fmtScheme name="Greenroom">'
        f"<a:fillStyleLst>{fill * 3}</a:fillStyleLst>"
        f"<a:lnStyleLst>{f'<a:ln>{fill}</a:ln>' * 3}</a:lnStyleLst>"
        f"<a:effectStyleLst>{'<a:effectStyle><a:effectLst/></a:effectStyle>' * 3}</a:effectStyleLst>"
        f"<a:bgFillStyleLst>{fill * 3}</a:bgFillStyleLst></a:fmtScheme></a:themeElements></a:theme>"
    )
