"""What a packaged document says about itself: OOXML content types, ODF's mimetype, iWork's parts.

libmagic sees only the first bytes of a package, and a stranger chooses those. Here the package's own
directory decides, read with bounds. Sources: ECMA-376 part 2 (Open Packaging Conventions), OASIS
OpenDocument 1.3 part 2, [MS-OFFCRYPTO] for the encrypted form of OOXML.
"""

import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, Final
from xml.parsers import expat

from service.core.errors import TypeNotAllowed
from service.core.outcome import Answer, Obstacle, Unscannable

_LONGEST_MEMBER: Final = 1 << 20
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
    try:
        with zipfile.ZipFile(content) as package:
            found = _declares(container, package)
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
            return container.main in _content_types(_member(package, "[Content_Types].xml"))
        case "odf":
            return _member(package, "mimetype").strip() == container.main.encode()
        case _:
            return container.main in package.namelist()


def _member(package: zipfile.ZipFile, name: str) -> bytes:
    try:
        with package.open(name) as member:
            data = member.read(_LONGEST_MEMBER + 1)
    except KeyError:
        raise ValueError(f"no {name}") from None
    if len(data) > _LONGEST_MEMBER:
        raise ValueError(f"{name} is too long")
    return data


def _content_types(xml: bytes) -> set[str]:
    """Return the content types that the ``Override`` elements name. A DTD is an error."""
    found: set[str] = set()

    def element(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(" ")[2] == "Override" and "ContentType" in attributes:
            found.add(attributes["ContentType"])

    def doctype(*_: object) -> None:
        raise ValueError("a document type is not allowed here")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = element
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from None
    return found
