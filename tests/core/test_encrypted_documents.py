import pytest

from tests.core.compounds import compound_file
from tests.core.documents import BOMB, ENCRYPTED_OOXML, ENCRYPTED_PACKAGE, MAINS, ODFS, assert_refused, look
from tests.core.packages import (
    MANIFEST,
    keynote,
    manifest,
    odf,
    package,
)

# clamd 1.4 looks into none of these and answers OK.

#: What OpenOffice.org 2 put in front of its manifests.
OLD_PROLOG = '<!DOCTYPE m PUBLIC "-//OpenOffice.org//DTD Manifest 1.0//EN" "M.dtd">'


@pytest.mark.parametrize("extension", MAINS)
@pytest.mark.parametrize(
    ("before", "behind"),
    [(0, 0), (0, 2000), (2000, 0), (500, 500), (20_000, 0)],
    ids=["small", "front", "end", "middle", "long"],
)
def test_an_encrypted_ooxml_is_unscannable(extension: str, before: int, behind: int) -> None:
    """A document with a password is a compound file with an ``EncryptedPackage``: unscannable, wherever its
    directory stands."""
    content = compound_file("EncryptionInfo", "EncryptedPackage", before=before, behind=behind)
    assert look(extension, content) == ENCRYPTED_OOXML


@pytest.mark.parametrize("extension", MAINS)
@pytest.mark.parametrize(
    "content",
    [
        compound_file("Workbook"),
        compound_file("WordDocument", "1Table"),
        compound_file(),
        compound_file("EncryptedPackages"),
        compound_file("EncryptedPackage")[:-512],
        compound_file("EncryptedPackage")[1:],
        b"EncryptedPackage",
        "EncryptedPackage".encode("utf-16"),
    ],
    ids=["xls", "doc", "empty", "other name", "cut", "no magic", "text", "utf-16 text"],
)
def test_another_compound_file_is_refused(extension: str, content: bytes) -> None:
    """A compound file that is no encrypted OOXML, or cannot be read, has no place under its extension."""
    assert_refused(extension, content)


@pytest.mark.parametrize("extension", [*ODFS, "key"])
def test_only_ooxml_is_encrypted_as_a_compound_file(extension: str) -> None:
    """For other packages a compound file is just another type."""
    assert_refused(extension, compound_file("EncryptedPackage"))


@pytest.mark.parametrize("extension", ODFS)
@pytest.mark.parametrize(
    "prolog", ["", '<!DOCTYPE m PUBLIC "-//OpenOffice.org//DTD Manifest 1.0//EN" "M.dtd">']
)
def test_an_encrypted_odf_is_unscannable(extension: str, prolog: str) -> None:
    """ODF encrypts the members' bytes and says so in its manifest only: unscannable."""
    inside = "<manifest:encryption-data manifest:checksum='x'/>"
    xml = manifest(ODFS[extension], inside=inside, prolog=prolog)
    assert look(extension, odf(ODFS[extension], xml)) == ENCRYPTED_PACKAGE
    assert look(extension, odf(ODFS[extension], manifest(ODFS[extension], prolog=prolog))) is None


@pytest.mark.parametrize("extension", ODFS)
def test_an_odf_manifest_that_cannot_be_read_is_refused(extension: str) -> None:
    """Whether a document is encrypted must be known: an odd manifest is refused, a missing one is none."""
    media_type = ODFS[extension]
    for odd in (b"", b"<x", manifest(media_type, prolog=BOMB, inside="&a8;")):
        assert_refused(extension, odf(media_type, odd))
    assert look(extension, package({"mimetype": media_type.encode()})) is None
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = package([("mimetype", media_type.encode()), (MANIFEST, b"<x/>"), (MANIFEST, b"<x/>")])
    assert_refused(extension, twice)


@pytest.mark.parametrize("name", [".iwpv2", ".iwph", "Metadata/.iwpv2"])
def test_an_encrypted_keynote_is_unscannable(name: str) -> None:
    """Keynote encrypts its parts under their own names and puts a password verifier beside them."""
    assert look("key", keynote(name)) == ENCRYPTED_PACKAGE
