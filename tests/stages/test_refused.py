"""What is refused, broken off or cut: nothing of it is kept, and its row says why."""

import hashlib
from collections.abc import Callable
from typing import Final

import pytest

from service.core.errors import (
    BadRequest,
    ContentRefused,
    DigestMismatch,
    LedgerUnavailable,
    StoreUnavailable,
    TooLarge,
    TooSlow,
    Truncated,
    TypeNotAllowed,
)
from service.core.upload import Event, Leftover, State
from tests.stages.world import PDF, Scripted, World, deck

OVER: Final = 80 * 1024 * 1024 + 1
TWO_SEGMENTS: Final = 66 * 1024 * 1024

Attempt = Callable[[World], object]
REFUSED: Final[dict[str, tuple[type[ContentRefused], Attempt]]] = {
    "content is not what the extension says": (TypeNotAllowed, lambda w: w.upload(PDF, "deck.png")),
    "package of another kind": (TypeNotAllowed, lambda w: w.upload(deck(main="slideshow"), "deck.pptx")),
    "damaged package": (TypeNotAllowed, lambda w: w.upload(deck()[:-30], "deck.pptx")),
    "larger than allowed, by count": (
        TooLarge,
        lambda w: w.upload(Scripted(PDF + bytes(OVER - len(PDF)), step=1 << 20)),
    ),
    "another digest": (DigestMismatch, lambda w: w.upload(PDF, expected_sha256="0" * 64)),
    "another digest, length unknown": (
        DigestMismatch,
        lambda w: w.upload(Scripted(PDF), expected_sha256="0" * 64),
    ),
}
BROKEN_OFF: Final[dict[str, tuple[type[ContentRefused], Attempt]]] = {
    "shorter than announced": (Truncated, lambda w: w.upload(PDF, announced=len(PDF) + 1)),
    "ends after two segments": (
        Truncated,
        lambda w: w.upload(PDF + bytes(TWO_SEGMENTS), announced=TWO_SEGMENTS + len(PDF) + 1),
    ),
    "connection lost": (Truncated, lambda w: w.upload(Scripted(PDF, ending=Truncated("broke off")))),
    "too slow": (TooSlow, lambda w: w.upload(Scripted(PDF, ending=TooSlow("slow")), announced=len(PDF) + 9)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_content_leaves_a_row_and_a_line_and_no_object(world: World, case: str) -> None:
    """The row is REFUSED with the reason's code, the log says so, the store is empty."""
    error, attempt = REFUSED[case]
    with pytest.raises(error):
        attempt(world)
    row = world.row()
    assert (row.state, row.reason) == (State.REFUSED, error.code)
    assert world.events() == [Event.REFUSED]
    told = [(entry.event, entry.detail["code"]) for entry in world.journal.entries]
    assert told == [("refused", error.code)]
    assert world.keys() == set()


@pytest.mark.parametrize("case", BROKEN_OFF)
def test_a_body_that_ends_early_is_abandoned(world: World, case: str) -> None:
    """A short body is never accepted: ABANDONED with the reason's code, and the store is empty."""
    error, attempt = BROKEN_OFF[case]
    with pytest.raises(error):
        attempt(world)
    row = world.row()
    assert (row.state, row.reason, row.leftover) == (State.ABANDONED, error.code, Leftover.EVERYTHING)
    assert world.events() == [Event.GAVE_UP]
    assert world.keys() == set()


def test_a_body_that_ends_within_its_first_bytes_is_truncated_whatever_its_type(world: World) -> None:
    """The sender is told that the body was short, not that the half of it has the wrong type."""
    with pytest.raises(Truncated):
        world.upload(b"", "deck.pdf", announced=1000)
    assert world.row().state is State.ABANDONED


def test_every_cut_of_a_package_is_refused_or_abandoned(world: World) -> None:
    """No prefix of a document passes for the document, announced or not."""
    content = deck(filler=300)
    for length in range(0, len(content), 7):
        for announced in (None, len(content)):
            with pytest.raises(ContentRefused):
                world.upload(Scripted(content[:length]), "deck.pptx", announced=announced)
    assert {row.state for row in world.ledger.rows()} <= {State.REFUSED, State.ABANDONED}
    assert world.keys() == set()


def unread() -> None:
    """Fail a test that reads a body which was to be refused unread."""
    raise AssertionError("the body was read")


@pytest.mark.parametrize(
    ("error", "name", "announced"),
    [
        (TypeNotAllowed, "tool.exe", 10),
        (TypeNotAllowed, "no extension", 10),
        (TooLarge, "deck.pdf", OVER),
        (BadRequest, "\u202e\u0007", 10),
    ],
)
def test_what_is_refused_at_the_door_is_not_read(
    world: World, error: type[Exception], name: str, announced: int
) -> None:
    """An extension off the list or an announced length over the limit is refused before the first byte."""
    with pytest.raises(error):
        world.upload(Scripted(PDF, between=unread), name, announced=announced)
    assert world.keys() == set()
    assert world.faults.count("scanner.open") == 0


def test_the_right_digest_is_accepted(world: World) -> None:
    """The announced SHA-256 is compared with the body's own."""
    upload = world.upload(PDF, expected_sha256=hashlib.sha256(PDF).hexdigest())
    assert upload.state is State.RELEASED


def test_a_store_that_is_away_keeps_nothing_and_says_so(world: World) -> None:
    """Without the store nothing is acknowledged; the row is ABANDONED at once, not when its lease ends."""
    world.faults.take_away("store", StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable):
        world.upload(PDF)
    assert (world.row().state, world.row().leftover) == (State.ABANDONED, Leftover.EVERYTHING)
    world.faults.give_back("store")
    world.settle()
    assert world.broken_laws() == []


def test_a_ledger_that_is_away_refuses_before_any_byte_is_stored(world: World) -> None:
    """Without the row RECEIVING nothing is put into the store."""
    world.faults.take_away("ledger", LedgerUnavailable("away"))
    with pytest.raises(LedgerUnavailable):
        world.upload(PDF)
    assert world.faults.count("store.put_part") == 0


def test_a_refusal_stays_a_refusal_when_the_store_cannot_delete_now(world: World) -> None:
    """The sender hears why it was refused; the ledger remembers what has to go until it went."""
    world.faults.take_away("store.discard", StoreUnavailable("away"))
    with pytest.raises(DigestMismatch):
        world.upload(PDF, expected_sha256="0" * 64)
    world.faults.give_back("store.discard")
    world.settle()
    assert world.keys() == set()
    assert world.broken_laws() == []
