"""The seekable view of stored segments through which a package is looked into."""

import hashlib
import io
import random
from itertools import pairwise
from typing import Final

import pytest

from service.core.errors import ContentLost, StoreUnavailable, TypeNotAllowed
from service.core.upload import Segment, State
from service.stages.sniff import OverBudget, StoredContent, check_package
from tests.contract.conftest import make_upload
from tests.core.tiny_store import ranges
from tests.fakes.faults import Moment
from tests.fakes.store import etag
from tests.stages.world import World, deck

CONTENT: Final = bytes(range(256)) * 4
CUTS: Final = (0, 1, 200, 201, 700, 1024)


def stored(world: World, content: bytes = CONTENT, cuts: tuple[int, ...] = CUTS) -> list[Segment]:
    """Put a content into the store, cut into segments at these places."""
    segments = []
    for number, (start, end) in enumerate(pairwise(cuts)):
        piece, key = content[start:end], f"up_1/{number}"
        world.store.put(key, io.BytesIO(piece), len(piece))
        segments.append(Segment(number, key, len(piece), hashlib.sha256(piece).hexdigest(), etag(piece)))
    return segments


@pytest.mark.parametrize("ends", [0, 1, 150, 600, 1024])
def test_every_stretch_reads_as_if_the_content_were_one_file(world: World, ends: int) -> None:
    """Across the segments' borders, with any part of both ends known beforehand, at and behind the end."""
    view = StoredContent(ranges(world.store), stored(world), CONTENT[:ends], CONTENT[-ends:] if ends else b"")
    plain = io.BytesIO(CONTENT)
    rng = random.Random(7)
    for _ in range(20):
        offset, length = rng.randrange(1100), rng.randrange(1100)
        assert view.seek(offset) == plain.seek(offset)
        assert view.read(length) == plain.read(length)
        assert view.tell() == plain.tell()
    assert view.seek(-10, io.SEEK_END) == 1014
    assert view.read() == CONTENT[-10:]


def test_known_ends_cost_no_request(world: World) -> None:
    """Most packages are looked into without asking the store at all."""
    view = StoredContent(ranges(world.store), stored(world), CONTENT[:64], CONTENT[-64:])
    view.seek(10)
    view.read(54)
    view.seek(-64, io.SEEK_END)
    view.read(64)
    assert world.faults.count("store.read_quarantined") == 0


def test_a_reader_that_leads_to_and_fro_is_stopped(world: World) -> None:
    """A package whose directory jumps about without end is no real document."""
    content = bytes(1 << 20)
    view = StoredContent(ranges(world.store), stored(world, content, (0, 1 << 19, 1 << 20)))

    def jump_about() -> None:
        for number in range(200):
            view.seek((number % 2) << 19)
            assert view.read(1) == b"\0"

    with pytest.raises(OverBudget):
        jump_about()
    assert 120 < world.faults.count("store.read_quarantined") < 140


@pytest.mark.parametrize("error", [StoreUnavailable("away"), ContentLost("gone")])
@pytest.mark.parametrize("operation", ["store.read_quarantined", "store.read"])
def test_the_stores_failure_is_not_the_documents(world: World, operation: str, error: Exception) -> None:
    """At whichever read of the look the store fails, the document is not called damaged for it."""
    content = deck()
    segments = stored(world, content, (0, 150_000, 300_000, len(content)))
    kind = world.policy.types["pptx"]
    assert check_package(world.parts, make_upload(1, segments=tuple(segments)), kind) is None
    reads = world.faults.count(operation)
    assert reads >= 3
    for occurrence in range(1, reads + 1):
        world.faults.fail(operation, occurrence, Moment.BEFORE, error)
        with pytest.raises(type(error)):
            check_package(world.parts, make_upload(1, segments=tuple(segments)), kind)
        assert not world.faults.armed()


@pytest.mark.parametrize("extension", ["docx", "odt", "key"])
def test_a_package_of_another_kind_is_not_allowed(world: World, extension: str) -> None:
    """The package's own directory decides, not its name."""
    segments = stored(world, deck(), (0, len(deck())))
    with pytest.raises(TypeNotAllowed):
        check_package(world.parts, make_upload(1, segments=tuple(segments)), world.policy.types[extension])


def test_a_package_over_two_segments_is_looked_into(world: World) -> None:
    """A deck larger than one segment, its content types in the second one, is released whole."""
    content = deck(filler=33 << 20)
    upload = world.upload(content, "deck.pptx")
    assert (upload.state, len(upload.segments)) == (State.RELEASED, 2)
    assert world.content(upload) == content
