import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from service.core.container import PackageTooComplex
from service.core.errors import ContentLost, StoreUnavailable, TypeNotAllowed
from service.core.outcome import Answer, Obstacle, Unscannable
from service.core.upload import State, Upload
from service.ports import ObjectStore
from service.stages.parts import Parts
from service.stages.receive import WINDOW
from service.stages.sniff import check_head, check_package, check_upload
from tests.core.packages import (
    CONTENT_TYPES,
    OOXML,
    compound_file,
    content_types,
    crowded_zip,
    ooxml,
    package,
)
from tests.core.shipped import POLICY
from tests.core.tiny_store import TinyStore, stored

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
    return Parts(
        ledger=absent,
        store=cast("ObjectStore", store),
        scanner=absent,
        sniffer=OneType(media_type),
        clock=absent,
        heartbeat=absent,
        log=absent,
        policy=POLICY,
        protection=absent,
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
    return check_package(parts(store), POLICY.types[extension], segments, *ends)


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
    """A document of 20 MiB and 2000 parts, larger than the budget, passes: only its directory is read."""
    parts_of_it = {f"ppt/media/image{number}.png": bytes(10_000) for number in range(2000)}
    deck = package({CONTENT_TYPES: content_types(PRESENTATION), **parts_of_it}, compression=0)
    assert len(deck) > 16 * 1024 * 1024
    assert look("pptx", deck, windows=windows, cuts=[len(deck) // 2]) is None


@pytest.mark.parametrize("extension", ["pptx", "odp", "key"])
@pytest.mark.parametrize("windows", [True, False], ids=["with its ends", "from the store"])
def test_a_huge_directory_is_refused(extension: str, windows: bool) -> None:  # noqa: FBT001
    """A directory of 200 000 members that is longer than the budget is refused before any of them is made an
    object: in no time, and as the sender's fault."""
    bomb = crowded_zip(200_000, b"ppt/slides/_rels/slide000000.xml.rels".rjust(64, b"x"))
    begun = time.process_time()
    with pytest.raises(TypeNotAllowed, match="no real document") as caught:
        look(extension, bomb, windows=windows)
    assert isinstance(caught.value.__cause__, PackageTooComplex)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("error", [StoreUnavailable("away"), ContentLost("gone")], ids=repr)
@pytest.mark.parametrize("extension", ["pptx", "odp", "key"])
def test_the_stores_failure_is_not_the_senders(extension: str, error: Exception) -> None:
    """A store that is away or has lost the bytes makes no wrong document: its own error comes out."""
    with pytest.raises(type(error)):
        look(extension, ooxml(PRESENTATION), windows=False, error=error)


def test_a_stored_upload_is_looked_into_again() -> None:
    """A scan that reads the content back looks into the package by the upload's own name and segments."""
    store, segments = stored(compound_file("EncryptedPackage"), [700])
    now = datetime(2026, 11, 21, tzinfo=UTC)
    upload = Upload("up_1", "acme", "monday", "deck.pptx", "", "", State.SCANNING, now, now)
    answer = check_upload(parts(store), replace(upload, segments=tuple(segments)))
    assert answer == Unscannable(Obstacle.ENCRYPTED, "Greenroom.Encrypted.OOXML")
    with pytest.raises(TypeNotAllowed):
        check_upload(parts(store), replace(upload, segments=tuple(segments), name="deck.odp"))


def test_other_types_are_not_looked_into() -> None:
    """What is no package passes without a read."""
    for kind in POLICY.types.values():
        if kind.container is None:
            assert check_package(parts(), kind, []) is None


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
