import struct
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from service.core.account import HOME
from service.core.errors import ContentLost, StoreUnavailable, TypeNotAllowed
from service.core.outcome import Answer, Malformed, Obstacle, Unscannable
from service.core.upload import Segment, State, Upload
from service.stages.parts import Parts
from service.stages.receive import WINDOW
from service.stages.sniff import check_head, check_package, check_upload
from tests.core.compounds import compound, compound_file, patched, presentation, word, workbook
from tests.core.effort import at_most
from tests.core.packages import (
    CONTENT_TYPES,
    OOXML,
    content_types,
    crowded_zip,
    ooxml,
    package,
)
from tests.core.shipped import POLICY
from tests.core.tiny_store import ShortStore, TinyStore, stored

TOO_LARGE = Unscannable(Obstacle.LIMITS, "Greenroom.Limits.Package")
PRESENTATION = f"{OOXML}presentationml.presentation.main+xml"


class OneType:
    """A sniffer that sees the same in everything."""

    def __init__(self, media_type: str) -> None:
        """See ``media_type``."""
        self._media_type = media_type

    def media_type(self, head: bytes) -> str:
        """Return it."""
        return self._media_type


def parts(store: TinyStore | None = None, media_type: str = "") -> Parts:
    """Return the parts that sniffing asks for; the others are not there."""
    absent: Any = None
    there = {"stores": {HOME: store}, "sniffer": OneType(media_type), "policy": POLICY}
    return Parts(**dict.fromkeys((field.name for field in fields(Parts)), absent) | there)


def of(segments: Sequence[Segment]) -> Upload:
    """Return an upload of ``segments``, on its way."""
    now = datetime(2026, 11, 21, tzinfo=UTC)
    return Upload(
        "up_1", "acme", "monday", "deck.pptx", "", "", State.SCANNING, now, now, segments=tuple(segments)
    )


def look(
    extension: str,
    data: bytes,
    *,
    windows: bool = True,
    cuts: Sequence[int] = (),
    error: Exception | None = None,
) -> Answer | None:
    """Look into stored ``data`` as the pass does (with both ends at hand) or as a later scan does."""
    store, segments = stored(data, cuts, error)
    ends = (data[:WINDOW], data[-WINDOW:]) if windows else (b"", b"")
    return check_package(parts(store), of(segments), POLICY.types[extension], *ends)


@pytest.mark.parametrize("windows", [True, False], ids=["with its ends", "from the store"])
@pytest.mark.parametrize("cuts", [[], [10, 200, 400]], ids=["one segment", "segments"])
def test_stored_packages_are_looked_into(windows: bool, cuts: list[int]) -> None:  # noqa: FBT001
    """A good document passes, a wrong one is refused, an encrypted one unscannable: from the ends at hand as
    from the store, in one segment or in several."""
    good = ooxml(PRESENTATION)
    assert look("pptx", good, windows=windows, cuts=cuts) is None
    with pytest.raises(TypeNotAllowed):
        look("docx", good, windows=windows, cuts=cuts)
    locked = compound_file("EncryptionInfo", "EncryptedPackage", before=300)
    expected = Unscannable(Obstacle.ENCRYPTED, "Greenroom.Encrypted.OOXML")
    assert look("xlsx", locked, windows=windows, cuts=cuts) == expected


@pytest.mark.parametrize("windows", [True, False], ids=["with its ends", "from the store"])
def test_a_large_document_passes(windows: bool) -> None:  # noqa: FBT001
    """A document of 20 MiB and 2000 parts passes; it is read back once, in long stretches."""
    parts_of_it = {f"ppt/media/image{number}.png": bytes(10_000) for number in range(2000)}
    deck = package({CONTENT_TYPES: content_types(PRESENTATION), **parts_of_it}, compression=0)
    store, segments = stored(deck, [len(deck) // 2])
    ends = (deck[:WINDOW], deck[-WINDOW:]) if windows else (b"", b"")
    assert check_package(parts(store), of(segments), POLICY.types["pptx"], *ends) is None
    assert sum(length for _, _, length in store.ranges) < 1.2 * len(deck)
    assert len(store.ranges) < 20


@pytest.mark.parametrize("extension", ["pptx", "odp", "key"])
@pytest.mark.parametrize("windows", [True, False], ids=["with its ends", "from the store"])
def test_a_huge_directory_is_unscannable(extension: str, windows: bool) -> None:  # noqa: FBT001
    """A directory of 200 000 members is more than clamd looks into: said in no time, before one is read."""
    bomb = crowded_zip(200_000, b"ppt/slides/_rels/slide000000.xml.rels".rjust(64, b"x"))
    with at_most(seconds=1):
        assert look(extension, bomb, windows=windows) == TOO_LARGE


def test_a_file_that_leads_to_and_fro_is_unscannable() -> None:
    """A directory whose sectors lie as far apart as they can costs no more fetches than the budget has."""
    sectors = 40_000
    names = [f"s{number}" for number in range(2000)]
    data = bytearray(compound(dict.fromkeys(names, b""), before=sectors))
    directory = struct.unpack_from("<L", data, 48)[0]
    table = 512 * (struct.unpack_from("<L", data, 76)[0] + 1)
    # Every sector of the directory moves into the room in front, in turns to its beginning and its end.
    moved = [number * 10 if number % 2 else sectors - 1 - number * 10 for number in range(501)]
    for number, place in enumerate(moved):
        old = 512 * (directory + 1 + number)
        data[512 * (place + 1) : 512 * (place + 2)] = data[old : old + 512]
        follower = moved[number + 1] if number < 500 else 0xFFFFFFFE
        struct.pack_into("<L", data, table + 4 * place, follower)
    scattered = patched(bytes(data), 48, "<L", moved[0])
    assert look("doc", scattered, windows=False) == TOO_LARGE


@pytest.mark.parametrize("extension", ["doc", "xls", "ppt", "docx"])
def test_what_libmagic_calls_encrypted_is_never_clean(extension: str) -> None:
    """Where the look itself finds nothing, libmagic's word is enough: unscannable."""
    good = {
        "doc": compound({"WordDocument": word()}),
        "xls": compound({"Workbook": workbook()}),
        "ppt": compound(presentation()),
        "docx": ooxml(f"{OOXML}wordprocessingml.document.main+xml"),
    }[extension]
    store, segments = stored(good, [100])
    kind = POLICY.types[extension]
    assert check_package(parts(store, "application/CDFV2"), of(segments), kind) is None
    answer = check_package(parts(store, "application/encrypted"), of(segments), kind)
    assert answer == Unscannable(Obstacle.ENCRYPTED, "Greenroom.Encrypted.Document")


@pytest.mark.parametrize("error", [StoreUnavailable("away"), ContentLost("gone")], ids=repr)
@pytest.mark.parametrize("extension", ["pptx", "odp", "key", "doc"])
def test_the_stores_failure_is_not_the_senders(extension: str, error: Exception) -> None:
    """A store that is away or has lost the bytes makes no wrong document: its own error comes out."""
    with pytest.raises(type(error)):
        look(extension, ooxml(PRESENTATION), windows=False, error=error)


def test_a_stored_upload_is_looked_into_again() -> None:
    """A scan that reads the content back looks into the package by the upload's own name and segments."""
    store, segments = stored(compound_file("EncryptedPackage"), [700])
    answer = check_upload(parts(store), of(segments))
    assert answer == Unscannable(Obstacle.ENCRYPTED, "Greenroom.Encrypted.OOXML")
    odd = check_upload(parts(store), replace(of(segments), name="deck.odp"))
    assert odd == Malformed("Greenroom.Package.Mismatch")


@pytest.mark.parametrize("extension", ["pptx", "doc"])
def test_a_store_that_gives_too_little_has_lost_the_content(extension: str) -> None:
    """Bytes that are missing in the store are the store's fault: the document is not called damaged."""
    whole = ooxml(PRESENTATION)
    store, segments = stored(whole, [len(whole) // 2])
    segments[1] = replace(segments[1], size=segments[1].size + 1)
    with pytest.raises(ContentLost):
        check_package(parts(ShortStore(store)), of(segments), POLICY.types[extension])


def test_other_types_are_not_looked_into() -> None:
    """What is no package passes without a read."""
    for kind in POLICY.types.values():
        if kind.container is None:
            assert check_package(parts(), of([]), kind) is None


def test_an_empty_package_is_refused() -> None:
    """A content of no bytes is no package."""
    with pytest.raises(TypeNotAllowed):
        look("pptx", b"")


def test_the_head_is_checked_against_the_name() -> None:
    """Name and first bytes must both be on the list and fit each other."""
    kind, detected = check_head(parts(media_type="image/png"), "a.png", b"x")
    assert (kind, detected) == (POLICY.types["png"], "image/png")
    for name, media_type in (
        ("a.png", "application/x-dosexec"),
        ("a.exe", "image/png"),
        ("a.jpg", "image/png"),
        ("a", "image/png"),
    ):
        with pytest.raises(TypeNotAllowed):
            check_head(parts(media_type=media_type), name, b"x")
