import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.container import Container
from service.core.errors import TypeNotAllowed
from service.core.outcome import Malformed, Unscannable
from tests.core.compounds import compound_file, patched
from tests.core.documents import (
    COMPRESSION,
    DAMAGED,
    ENCRYPTED_PACKAGE,
    GOOD,
    MAINS,
    ODFS,
    assert_refused,
    look,
)
from tests.core.packages import CONTENT_TYPES, content_types, package
from tests.core.shipped import POLICY


def test_every_packaged_type_is_tried_here() -> None:
    """The documents here and in test_legacy are of all the types that the shipped policy looks into."""
    packaged = {kind.extension for kind in POLICY.types.values() if kind.container}
    assert {*GOOD, "doc", "xls", "ppt"} == packaged


@pytest.mark.parametrize("extension", GOOD)
def test_a_good_document_passes(extension: str) -> None:
    """A small real document of each packaged type is what it says."""
    assert look(extension, GOOD[extension]) is None


@pytest.mark.parametrize("extension", GOOD)
@pytest.mark.parametrize("other", GOOD)
def test_a_document_passes_as_nothing_else(extension: str, other: str) -> None:
    """No document passes under the extension of another type."""
    if other != extension:
        assert_refused(extension, GOOD[other])


@pytest.mark.parametrize("extension", GOOD)
def test_a_package_without_its_say_is_refused(extension: str) -> None:
    """A zip that says nothing of itself, or is empty, is no document."""
    assert_refused(extension, package({"hello.txt": b"hello"}))
    assert_refused(extension, package({}))


@pytest.mark.parametrize("extension", ["pptx", "odp"])
def test_an_oversize_member_is_refused(extension: str) -> None:
    """A member that unpacks to more than 1 MiB, whatever its header says, is not read to its end."""
    filler = b" " * (2 << 20)
    if extension == "pptx":
        whole = package({CONTENT_TYPES: content_types(MAINS["pptx"]) + filler})
    else:
        whole = package({"mimetype": ODFS["odp"].encode() + filler})
    assert len(whole) < 1 << 14
    assert_refused(extension, whole)
    for magic, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        whole = patched(whole, whole.index(magic) + offset, "<L", 500)
    assert look(extension, whole) == DAMAGED


def test_the_largest_member_is_read() -> None:
    """A member of exactly 1 MiB is still read."""
    types = content_types(MAINS["pptx"])
    assert look("pptx", package({CONTENT_TYPES: types.ljust(1 << 20)})) is None
    assert_refused("pptx", package({CONTENT_TYPES: types.ljust((1 << 20) + 1)}))


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "lzma"])
@pytest.mark.parametrize("extension", ["pptx", "odp"])
def test_only_the_compressions_of_documents_are_unpacked(extension: str, compression: int) -> None:
    """OPC and ODF know stored and deflated members only; other methods, whose readers here would have no
    bound and clamd's say OK to damage, are unscannable before a byte is unpacked, damaged or not."""
    member, content = (
        (CONTENT_TYPES, content_types(MAINS["pptx"]))
        if extension == "pptx"
        else ("mimetype", ODFS["odp"].encode())
    )
    whole = package({member: content}, compression)
    assert look(extension, whole) == COMPRESSION
    start = whole.index(member.encode()) + len(member)
    assert look(extension, whole[:start] + b"\xff" * 12 + whole[start + 12 :]) == COMPRESSION


@pytest.mark.parametrize("extension", GOOD)
def test_a_member_twice_is_refused(extension: str) -> None:
    """Where the deciding member is there twice, readers disagree about which counts."""
    if extension == "key":
        return
    member = CONTENT_TYPES if extension in MAINS else "mimetype"
    said = content_types(MAINS[extension]) if extension in MAINS else ODFS[extension].encode()
    with pytest.warns(UserWarning, match="Duplicate name"):
        whole = package([(member, b"<other/>"), (member, said)])
    assert_refused(extension, whole)


@pytest.mark.parametrize("extension", GOOD)
def test_damaged_packages_are_refused(extension: str) -> None:
    """A package cut at any place, emptied or without its directory is refused and raises nothing else."""
    whole = GOOD[extension]
    for place in range(0, len(whole) - 1, 7):
        assert_refused(extension, whole[:place])
    assert_refused(extension, whole[:-1])


@pytest.mark.parametrize("extension", GOOD)
@pytest.mark.parametrize(
    "front",
    [b"junk", b"\0", b"MZ" + bytes(62), b"<html>", b"%PDF-1.7\n", compound_file("Workbook"), b"PK\x05\x06"],
    ids=["junk", "zero", "program", "page", "pdf", "compound file", "end of a zip"],
)
def test_something_in_front_of_a_package_is_refused(extension: str, front: bytes) -> None:
    """A polyglot, a good package behind something else, is not the document: others read its front."""
    assert_refused(extension, front + GOOD[extension])


@pytest.mark.parametrize("extension", GOOD)
def test_an_encrypted_member_is_unscannable(extension: str) -> None:
    """A member that the zip's own encryption hides makes the document unscannable, whatever it hides."""
    whole = bytearray(GOOD[extension])
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        whole[whole.index(signature) + offset] |= 1
    assert look(extension, bytes(whole)) == ENCRYPTED_PACKAGE


@given(st.sampled_from(sorted(GOOD)), st.data())
@settings(max_examples=300)
def test_a_damaged_package_never_surprises(extension: str, data: st.DataObject) -> None:
    """Whatever bytes of a package are overwritten, the answer is a good document, an unscannable or malformed
    one or ``TypeNotAllowed``: no other error comes out."""
    whole = bytearray(GOOD[extension])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] = data.draw(st.integers(0, 255))
    try:
        answer = look(extension, bytes(whole))
    except TypeNotAllowed:
        return
    assert answer is None or isinstance(answer, Unscannable | Malformed)


@given(
    st.sampled_from(sorted(GOOD)), st.binary(max_size=400), st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf"])
)
@settings(max_examples=200)
def test_arbitrary_bytes_are_refused(extension: str, content: bytes, front: bytes) -> None:
    """Bytes that nobody packed are no document."""
    assert_refused(extension, front + content)


def test_a_media_type_may_end_in_a_line() -> None:
    """Some writers end ODF's ``mimetype`` with a line feed; anything else there is another type."""
    assert look("odp", package({"mimetype": f"{ODFS['odp']}\n".encode()})) is None
    for other in (f"{ODFS['odp']}-template", f"x{ODFS['odp']}", ODFS["odp"].upper(), ""):
        assert_refused("odp", package({"mimetype": other.encode()}))


@pytest.mark.parametrize(
    ("kind", "main"),
    [("", "x"), ("OOXML", "x"), ("zip", "x"), ("ooxml", ""), ("odf", ""), ("parts", ""), ("ole2", "")],
)
def test_an_odd_container_cannot_be_made(kind: str, main: str) -> None:
    """A container is of one of five kinds; all but a plain zip look for something."""
    with pytest.raises(ValueError, match="kind must be"):
        Container(kind, main)
