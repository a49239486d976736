"""What a packaged document says about itself: OOXML content types, ODF's mimetype, iWork's parts.

libmagic sees only the first bytes of a package, and a stranger chooses those. Here the package's own
directory decides, read with bounds. Sources: ECMA-376 part 2 (Open Packaging Conventions), OASIS
OpenDocument 1.3 part 2, [MS-OFFCRYPTO] for the encrypted form of OOXML. iWork's format is not published.
"""

import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Final
from xml.parsers import expat

from service.core.errors import TypeNotAllowed
from service.core.outcome import Answer, Obstacle, Unscannable

_LONGEST_MEMBER: Final = 1 << 20
_ZIP_MAGIC: Final = b"PK\x03\x04"
#: The only two that OPC and ODF allow; Python's bzip2 and LZMA readers have no bound on what they unpack.
_COMPRESSIONS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
#: What iWork puts beside the parts that it encrypted: the password's verifier and its hint.
_IWORK_PASSWORD: Final = frozenset({".iwpv2", ".iwph"})
_MAIN: Final = ".main+xml"
_OLE2_MAGIC: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED_PACKAGE: Final = "EncryptedPackage".encode("utf-16-le")
_OLE2_WINDOW: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Container:
    """What a package must hold: for ``ooxml`` the main part's content type, for ``odf`` the text of its
    ``mimetype`` member, for ``parts`` the name of one member.
    """

    kind: str
    main: str

    def __post_init__(self) -> None:
        if self.kind not in {"ooxml", "odf", "parts"} or not self.main:
            raise ValueError("kind must be ooxml, odf or parts, and main a text")


def inspect(container: Container, content: IO[bytes]) -> Answer | None:
    """Check that the seekable ``content`` is the package that ``container`` describes.

    Returns ``None`` if it is, or an answer that overrules a clean scan (an encrypted package, into which
    clamd 1.4 does not look). Raises ``TypeNotAllowed`` if it is something else or cannot be read.
    """
    if container.kind == "ooxml" and _is_encrypted_ooxml(content):
        return Unscannable(Obstacle.ENCRYPTED, "Greenroom.Encrypted.OOXML")
    content.seek(0)
    if content.read(len(_ZIP_MAGIC)) != _ZIP_MAGIC:
        # A directory at the end makes a zip of anything: other readers would go by what stands in front.
        raise TypeNotAllowed("The file is not the kind of document its extension says.")
    try:
        with zipfile.ZipFile(content) as package:
            found = _declares(container, package)
            locked = found and _locked(container, package)
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        ValueError,
        EOFError,
        OSError,
        zlib.error,
    ) as error:
        if isinstance(error, PackageTooComplex):
            raise
        raise TypeNotAllowed("The file is damaged or not the document its extension says.") from error
    if not found:
        raise TypeNotAllowed("The file is not the kind of document its extension says.")
    if locked:
        return Unscannable(Obstacle.ENCRYPTED, "Greenroom.Encrypted.Package")
    return None


class PackageTooComplex(OSError):
    """Raised by a bounded reader when a package's directory is larger than any real document's."""


def _is_encrypted_ooxml(content: IO[bytes]) -> bool:
    """Tell whether an OLE2 file holds the stream that [MS-OFFCRYPTO] 2.3.4.4 puts the package in."""
    content.seek(0)
    head = content.read(_OLE2_WINDOW)
    if not head.startswith(_OLE2_MAGIC):
        return False
    size = content.seek(0, 2)
    content.seek(max(0, size - _OLE2_WINDOW))
    return _ENCRYPTED_PACKAGE in head or _ENCRYPTED_PACKAGE in content.read(_OLE2_WINDOW)


def _declares(container: Container, package: zipfile.ZipFile) -> bool:
    match container.kind:
        case "ooxml":
            types = _content_types(_member(package, "[Content_Types].xml"))
            # One main part: with two, whoever opens the document chooses.
            return {kind for kind in types if kind.endswith(_MAIN)} == {container.main.lower()}
        case "odf":
            return _member(package, "mimetype").strip() == container.main.encode()
        case _:
            return container.main in package.namelist()


def _locked(container: Container, package: zipfile.ZipFile) -> bool:
    """Tell whether parts of a package are encrypted, which ODF and iWork do under the zip's own eyes."""
    names = package.namelist()
    if container.kind == "parts":
        return any(name.rpartition("/")[2] in _IWORK_PASSWORD for name in names)
    if container.kind != "odf" or "META-INF/manifest.xml" not in names:
        return False
    found: set[str] = set()
    _walk(_member(package, "META-INF/manifest.xml"), lambda name, _: found.add(name), doctype_allowed=True)
    return "encryption-data" in found


def _member(package: zipfile.ZipFile, name: str) -> bytes:
    if package.namelist().count(name) != 1:
        raise ValueError(f"no {name}, or more than one")
    if package.getinfo(name).compress_type not in _COMPRESSIONS:
        raise ValueError(f"{name} is packed in a way that documents are not")
    with package.open(name) as member:
        data = member.read(_LONGEST_MEMBER + 1)
    if len(data) > _LONGEST_MEMBER:
        raise ValueError(f"{name} is too long")
    return data


def _content_types(xml: bytes) -> set[str]:
    """Return the content types that the package names, in lower case, for parts or for whole extensions.

    The main part's may be either: Microsoft's own SDK names it as the default of ``xml``.
    """
    found: set[str] = set()

    def element(name: str, attributes: dict[str, str]) -> None:
        if name in {"Override", "Default"}:
            found.add(attributes.get("ContentType", "").strip().lower())

    _walk(xml, element, doctype_allowed=False)
    return found


def _walk(xml: bytes, element: Callable[[str, dict[str, str]], None], *, doctype_allowed: bool) -> None:
    """Call ``element`` with each element's local name and attributes. Raises ``ValueError``.

    OPC forbids a document type; old ODF manifests have one. Nobody needs entities of their own.
    """

    def forbidden(*_: object) -> None:
        raise ValueError("a document type or entity is not allowed here")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: element(name.rpartition(" ")[2], attributes)
    parser.EntityDeclHandler = forbidden
    if not doctype_allowed:
        parser.StartDoctypeDeclHandler = forbidden
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, LookupError) as error:  # LookupError: an encoding that Python does not know
        raise ValueError(str(error)) from None
