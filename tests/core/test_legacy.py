import struct

import pytest

from service.core.compound import DAMAGED
from service.core.outcome import Obstacle, Unscannable
from tests.core.compounds import (
    BEGINNING,
    FILE_PASS,
    PART_END,
    compound,
    patched,
    presentation,
    record,
    word,
    workbook,
)
from tests.core.documents import assert_refused, look
from tests.core.effort import at_most

# clamd 1.4 answers OK to every locked document here.

LOCKED = Unscannable(Obstacle.ENCRYPTED, "Greenroom.Encrypted.Document")
LEGACY = ("doc", "xls", "ppt")
GOOD = {
    "word": ("doc", {"WordDocument": word(), "1Table": b"t" * 5000}),
    "small word": ("doc", {"WordDocument": word(size=1500)}),
    "excel": ("xls", {"Workbook": workbook(record(0x0042, b"\xb0\4"), size=5000)}),
    "small excel": ("xls", {"Workbook": workbook()}),
    "excel 5": ("xls", {"Book": workbook(size=5000)}),
    "excel 5 and 97": ("xls", {"Book": workbook(), "Workbook": workbook(size=5000)}),
    "excel 4": ("xls", {"Book": record(0x0409, bytes(6)) + PART_END}),
    "powerpoint": ("ppt", presentation()),
    "taken in": ("doc", {"WordDocument": word(), "Workbook2": b"x"}),
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_document_passes_under_its_own_extension_alone(kind: str) -> None:
    """The main stream decides which of the three a compound file is."""
    extension, streams = GOOD[kind]
    for other in LEGACY:
        if other == extension:
            assert look(extension, compound(streams)) is None
            assert look(extension, compound(streams, version=4)) is None
        else:
            assert_refused(other, compound(streams))


@pytest.mark.parametrize("extension", LEGACY)
def test_another_compound_file_is_refused(extension: str) -> None:
    """One without a main stream, with two programs' main streams, or with one that is not at the top."""
    assert_refused(extension, compound({}))
    assert_refused(extension, compound({"VisioDocument": b"x" * 5000}))
    assert_refused(extension, compound({"WordDocument": word(), "Workbook": workbook()}))
    assert_refused(extension, compound({"WordDocument": word(), **presentation()}))
    assert_refused(extension, compound({"WordDocument": word()}, nested="ObjectPool"))
    assert_refused(extension, b"{\\rtf1 hello}")
    assert_refused(extension, b"")


MARKS = ("EncryptedPackage", "EncryptionInfo", "EncryptedSummary", "\6DataSpaces", "\tDRMContent")


@pytest.mark.parametrize("extension", LEGACY)
@pytest.mark.parametrize("mark", [*MARKS, "encryptedpackage"])
def test_an_encrypted_package_under_a_legacy_name_is_unscannable(extension: str, mark: str) -> None:
    """A newer document with a password is opened under the old extensions too; so are documents under
    rights management: unscannable wherever the stream that gives them away stands, and in any case."""
    assert look(extension, compound({mark: b"x" * 5000})) == LOCKED
    assert look(extension, compound({"WordDocument": word(), mark: b"x"}, before=300)) == LOCKED
    assert look(extension, compound({mark: b"x"}, nested="ObjectPool")) == LOCKED


def test_an_encrypted_word_document_is_unscannable() -> None:
    """[MS-DOC] 2.5.1: fEncrypted says so, for all three ways of encrypting."""
    for size in (1500, 4096, 100_000):
        assert look("doc", compound({"WordDocument": word(encrypted=True, size=size)})) == LOCKED


@pytest.mark.parametrize("name", ["Workbook", "Book"])
@pytest.mark.parametrize("front", [b"", record(0x0086), record(0x0042, b"\xb0\4") * 300])
def test_an_encrypted_workbook_is_unscannable(name: str, front: bytes) -> None:
    """[MS-XLS] 2.4.117: FilePass in the first part of either workbook stream, wherever in it."""
    locked = workbook(front, FILE_PASS, record(0x00FC, b"?" * 8000), size=20_000)
    assert look("xls", compound({name: locked})) == LOCKED
    assert look("xls", compound({"Workbook": workbook(), "Book": locked})) == LOCKED
    assert look("xls", compound({name: workbook(front, size=20_000)})) is None


def test_file_pass_is_a_record_and_not_its_bytes() -> None:
    """The bytes of FilePass within another record, or behind the first part, lock nothing."""
    assert look("xls", compound({"Workbook": workbook(record(0x00FC, FILE_PASS * 20))})) is None
    assert look("xls", compound({"Workbook": BEGINNING + PART_END + FILE_PASS})) is None


def test_an_encrypted_presentation_is_unscannable() -> None:
    """[MS-PPT] 2.3.2 and 2.3.3: the user's token says so; and where it was changed, the last edit."""
    assert look("ppt", compound(presentation(token=0xF3D1C4DF, edit=0x20))) == LOCKED
    assert look("ppt", compound(presentation(token=0xF3D1C4DF))) == LOCKED
    assert look("ppt", compound(presentation(edit=0x20))) == LOCKED


def test_a_taken_in_document_counts_too() -> None:
    """A locked workbook, text or presentation within a document is as unscannable as one alone."""
    good = {"WordDocument": word()}
    inside = (
        {"Workbook": workbook(FILE_PASS)},
        {"Current User": presentation(token=0xF3D1C4DF)["Current User"]},
    )
    for streams in inside:
        hidden = compound(good | streams)
        name = next(iter(streams)).encode("utf-16-le")
        # The last entry of the root's level is cut off from it, as entries of deeper levels are.
        assert look("doc", patched(hidden, hidden.index(name) - 128 + 72, "<L", 0xFFFFFFFF)) == LOCKED


@pytest.mark.parametrize(
    ("extension", "streams"),
    [
        ("doc", {"WordDocument": b""}),
        ("doc", {"WordDocument": b"\xec\xa5"}),
        ("xls", {"Workbook": b""}),
        ("xls", {"Workbook": b"PK\3\4" * 100}),
        ("xls", {"Workbook": BEGINNING}),
        ("xls", {"Workbook": BEGINNING + record(0x0042, b"ab")}),
        ("ppt", {"PowerPoint Document": bytes(5000)}),
        ("ppt", presentation(token=0)),
        ("ppt", presentation(kind=0)),
        ("ppt", presentation() | {"PowerPoint Document": bytes(5000)}),
        ("ppt", presentation() | {"Current User": bytes(19)}),
    ],
    ids=[
        "no text",
        "a cut text",
        "no workbook",
        "another workbook",
        "a cut workbook",
        "a workbook without an end",
        "no user",
        "another token",
        "another record",
        "an edit behind the end",
        "a cut user",
    ],
)
def test_a_document_that_does_not_say_is_malformed(extension: str, streams: dict[str, bytes]) -> None:
    """Whether it is encrypted must be known: where a document is too damaged to say, it is held."""
    assert look(extension, compound(streams)) == DAMAGED


def test_a_workbook_of_very_many_records_is_unscannable() -> None:
    """A first part of a million empty records is no real workbook's: it ends in less than 2 s of processor
    time, and never clean."""
    bomb = compound({"Workbook": workbook(struct.pack("<2H", 0x0042, 0) * 1_000_000)})
    with at_most(seconds=2):
        assert look("xls", bomb) == Unscannable(Obstacle.LIMITS, "Greenroom.Limits.Document")
