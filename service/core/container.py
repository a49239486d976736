"""What a packaged document says about itself: OOXML content types, ODF's mimetype, iWork's parts.

libmagic sees only the first bytes of a package, and a stranger chooses those. Here the package's own
directory decides, and all of the package must be something that the scanner can look into. Sources:
ECMA-376 part 2 (Open Packaging Conventions), OASIS OpenDocument 1.3 part 2, [MS-OFFCRYPTO] for the
encrypted form of OOXML. iWork's format is not published.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Final
from xml.parsers import expat

from service.core import compound, legacy
from service.core.errors import TypeNotAllowed
from service.core.objection import Objection
from service.core.outcome import Answer, Obstacle, Unscannable
from service.core.zipdirectory import Directory, read_directory
from service.core.zipwalk import ENCRYPTED, check_members, read_member, walk

_LONGEST_MEMBER: Final = 1 << 20
_ZIP_MAGIC: Final = b"PK\x03\x04"
#: What iWork puts beside the parts that it encrypted: the password's verifier and its hint.
_IWORK_PASSWORD: Final = frozenset({b".iwpv2", b".iwph"})
_MANIFEST: Final = b"META-INF/manifest.xml"
_MAIN: Final = ".main+xml"
_ENCRYPTED_OOXML: Final = Unscannable(Obstacle.ENCRYPTED, "Greenroom.Encrypted.OOXML")
_ENCRYPTED_LEGACY: Final = Unscannable(Obstacle.ENCRYPTED, "Greenroom.Encrypted.Document")
_KINDS: Final = frozenset({"ooxml", "odf", "parts", "zip", "ole2"})


@dataclass(frozen=True, slots=True)
class Container:
    """What a package must hold: for ``ooxml`` the main part's content type, for ``odf`` the text of its
    ``mimetype`` member, for ``parts`` the name of one member, for ``ole2`` the names of the main streams
    that it may have, with ``/`` between them, for ``zip`` nothing in particular.
    """

    kind: str
    main: str = ""

    def __post_init__(self) -> None:
        if self.kind not in _KINDS or bool(self.main) == (self.kind == "zip"):
            raise ValueError("kind must be ooxml, odf, parts, ole2, each with a text for main, or zip alone")


def inspect(container: Container, content: IO[bytes]) -> Answer | None:
    """Check that the seekable ``content`` is the package that ``container`` describes, and all of it.

    Returns ``None`` if it is, or an answer that overrules a clean scan, because clamd 1.4 says ``OK`` to
    what it did not look into: encrypted packages, members that it cannot unpack, damage, too much. Raises
    ``TypeNotAllowed`` if it is something else or its directory cannot be read.
    """
    content.seek(0)
    magic = content.read(len(compound.MAGIC))
    try:
        if container.kind == "ole2":
            return _inspect_legacy(container, content)
        if container.kind == "ooxml" and magic == compound.MAGIC:
            return _inspect_encrypted_ooxml(content)
        if not magic.startswith(_ZIP_MAGIC):
            # A directory at the end makes a zip of anything: other readers would go by what stands in front.
            raise _wrong()
        return _inspect_package(container, content)
    except Objection as objection:
        return objection.answer


def _wrong() -> TypeNotAllowed:
    return TypeNotAllowed("The file is not the kind of document its extension says.")


def _inspect_encrypted_ooxml(content: IO[bytes]) -> Answer:
    """An OOXML document is a compound file only if it is encrypted ([MS-OFFCRYPTO] 2.3.4.4)."""
    if legacy.has_lock(compound.CompoundFile(content)):
        return _ENCRYPTED_OOXML
    raise _wrong()


def _inspect_legacy(container: Container, content: IO[bytes]) -> Answer | None:
    file = compound.CompoundFile(content)
    if legacy.has_lock(file):
        return _ENCRYPTED_LEGACY
    # The main streams of one program only: with two, whoever opens the document chooses.
    mains = legacy.MAINS & file.top.keys()
    if not mains or not mains <= set(container.main.upper().split("/")):
        raise _wrong()
    return _ENCRYPTED_LEGACY if legacy.is_locked(file) else None


def _inspect_package(container: Container, content: IO[bytes]) -> Answer | None:
    directory = read_directory(content, comment_allowed=container.kind == "zip")
    check_members(directory)
    try:
        found, locked = _declares(container, directory, content), _is_locked(container, directory, content)
    except ValueError as error:
        raise _wrong() from error
    if not found:
        raise _wrong()
    if locked:
        return ENCRYPTED
    walk(directory, content)
    return None


def _declares(container: Container, directory: Directory, content: IO[bytes]) -> bool:
    match container.kind:
        case "ooxml":
            types = _content_types(_member(directory, content, b"[Content_Types].xml"))
            # One main part: with two, whoever opens the document chooses.
            return {kind for kind in types if kind.endswith(_MAIN)} == {container.main.lower()}
        case "odf":
            return _member(directory, content, b"mimetype").strip() == container.main.encode()
        case "parts":
            return any(member.name == container.main.encode() for member in directory.members)
        case _:
            return True


def _is_locked(container: Container, directory: Directory, content: IO[bytes]) -> bool:
    """Tell whether parts of a package are encrypted, which ODF and iWork do under the zip's own eyes."""
    names = {member.name for member in directory.members}
    if container.kind == "parts":
        return any(name.rpartition(b"/")[2] in _IWORK_PASSWORD for name in names)
    if container.kind != "odf" or _MANIFEST not in names:
        return False
    found: set[str] = set()
    manifest = _member(directory, content, _MANIFEST)
    _walk(manifest, lambda name, _: found.add(name), doctype_allowed=True)
    return "encryption-data" in found


def _member(directory: Directory, content: IO[bytes], name: bytes) -> bytes:
    """Return a member that decides. Raises ``ValueError`` if there is none or it is too long."""
    for member in directory.members:
        if member.name == name and member.size <= _LONGEST_MEMBER:
            return read_member(content, member)
    raise ValueError(f"no {name!r}, or one that is too long")


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
