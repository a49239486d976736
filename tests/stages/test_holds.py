"""Legal holds on fakes: every way on which something is deleted, walked under hold and after it."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

import pytest

from service.core.canary import EICAR
from service.core.errors import AccountRemoved, BadRequest, ContentRefused, Gone, NotFound, UnderHold
from service.core.hold import Hold
from service.core.upload import Event, Leftover, State, Upload
from service.stages import accounts, holds, retention
from service.stages.holds import Wanted
from service.stages.sweep import erase
from tests.stages.reviewing import ODD, held
from tests.stages.world import CALLER, PDF, World

ADMIN: Final = "key:gr_ad"
REASON: Final = "Order 12/2026 of the district court"
#: What a hold names, by what it is on.
ON: Final[dict[str, Callable[[Upload], Wanted]]] = {
    "account": lambda _: Wanted(CALLER.account_id, REASON),
    "meeting": lambda upload: Wanted(CALLER.account_id, REASON, untrusted_meeting=upload.meeting_id),
    "upload": lambda upload: Wanted(CALLER.account_id, REASON, untrusted_upload=upload.id),
}


def unfinished(world: World) -> Upload:
    """Return a resumable upload of which one piece was acknowledged."""
    begun = world.begin(len(PDF))
    return world.send(begun.id, 0, PDF[:70_000])


def refuse(world: World, upload: Upload) -> None:
    """Send the rest of a file that is a package by its name alone."""
    content = PDF + bytes(9)
    with pytest.raises(ContentRefused):
        world.send(upload.id, 9, content[9:])


def begun_odd(world: World) -> Upload:
    """Return an unfinished upload whose content will be found to be of another type than its name says."""
    begun = world.begin(len(PDF) + 9, "deck.pptx")
    return world.send(begun.id, 0, PDF[:9])


def owner_deletes(world: World, upload: Upload) -> None:
    """What the API's, tus's and Jitsi's DELETE do."""
    erase(world.parts, world.ledger.find(upload.id) or upload)


def time_goes_by(world: World, _: Upload) -> None:
    """Let the worker work for two days."""
    world.settle()


def time_ends(world: World, upload: Upload) -> None:
    """Let more time go by than any plan gives, and the worker look for what is over, even if it did just
    before the hold was placed.
    """
    world.clock.advance(timedelta(days=400).total_seconds())
    with suppress(UnderHold):
        erase(world.parts, world.ledger.find(upload.id) or upload, Event.RETENTION_ENDED)
    assert retention.work(world.parts, "") is None


#: Way -> what there is first, what would delete it, and the state in which a hold leaves it.
WAYS: Final[dict[str, tuple[Callable[[World], Upload], Callable[[World, Upload], None], State]]] = {
    "owner deletes what is released": (lambda world: world.upload(PDF), owner_deletes, State.RELEASED),
    "owner deletes what is held": (held, owner_deletes, State.HELD),
    "owner deletes what is blocked": (
        lambda world: world.upload(EICAR, "a.txt"),
        owner_deletes,
        State.BLOCKED,
    ),
    "the time of what is released ends": (lambda world: world.upload(PDF), time_ends, State.RELEASED),
    "the time of what is held ends": (held, time_ends, State.HELD),
    "the time of what is blocked ends": (
        lambda world: world.upload(EICAR, "a.txt"),
        time_ends,
        State.BLOCKED,
    ),
    "sender gives up what is unfinished": (unfinished, owner_deletes, State.RECEIVING),
    "what is unfinished expires": (unfinished, time_goes_by, State.ABANDONED),
    "what was taken in is refused in the end": (begun_odd, refuse, State.REFUSED),
}


def bytes_of(world: World, upload: Upload) -> list[bytes]:
    """Return what lies in the store of an upload's segments, in whichever bucket."""
    there = world.store.quarantined | world.store.released
    now = world.ledger.find(upload.id) or upload
    return [there[segment.key] for segment in now.segments if segment.key in there]


def place(world: World, upload: Upload, on: str) -> Hold:
    """Place a hold."""
    return holds.place(world.parts, ON[on](upload), ADMIN)


@pytest.mark.parametrize("on", ON)
@pytest.mark.parametrize("way", WAYS)
def test_what_is_under_hold_stays_until_it_is_lifted(world: World, way: str, on: str) -> None:
    """Every byte that was taken in, with its name, whatever anybody does and however long it takes; and once
    the hold is lifted it goes as its owner wants.
    """
    make, delete, state = WAYS[way]
    upload = make(world)
    before = bytes_of(world, upload)
    assert before
    hold = place(world, upload, on)
    if delete is owner_deletes:
        with pytest.raises(UnderHold):
            delete(world, upload)
    else:
        delete(world, upload)
    row = world.ledger.find(upload.id)
    assert row
    assert (row.state, row.name) == (state, upload.name)
    world.clock.advance(timedelta(days=400).total_seconds())
    if state is not State.RECEIVING:
        world.settle()
    assert bytes_of(world, upload) == before
    assert world.ledger.find(upload.id) is not None
    holds.lift(world.parts, hold.id, ADMIN)
    owner_deletes(world, upload)
    assert bytes_of(world, upload) == []
    assert (world.row().state, world.row().name) == (State.ERASED, "")


def test_a_released_file_is_downloaded_as_before(world: World) -> None:
    """Its quarantined copy goes, as always: the released one is what stays."""
    upload = world.upload(PDF)
    assert upload.leftover is Leftover.QUARANTINE
    before = bytes_of(world, upload)
    place(world, upload, "upload")
    world.settle()
    assert list(world.store.released.values()) == before
    assert world.store.quarantined == {}


def test_what_the_hold_does_not_cover_goes(world: World) -> None:
    """Other uploads of the account are deleted as before."""
    upload = world.upload(PDF)
    world.clock.advance(1)
    other = world.upload(ODD)
    place(world, upload, "upload")
    erase(world.parts, other)
    assert bytes_of(world, other) == []


def test_who_placed_and_who_lifted_is_in_the_log(world: World) -> None:
    """With what it is on and the digest of the reason, which may name people. To lift it again is no line."""
    upload = world.upload(PDF)
    hold = place(world, upload, "upload")
    holds.lift(world.parts, hold.id, "key:gr_other")
    assert holds.lift(world.parts, hold.id, ADMIN).lifted_by == "key:gr_other"
    lines = [one for one in world.journal.entries if one.event.startswith("hold_")]
    assert [(one.event, one.actor) for one in lines] == [
        ("hold_placed", ADMIN),
        ("hold_lifted", "key:gr_other"),
    ]
    for line in lines:
        assert (line.account_id, line.meeting_id, line.upload_id) == ("acme", "m1", upload.id)
        assert line.detail["hold"] == hold.id
        assert REASON not in str(line)


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (Wanted("acme", "too short"), BadRequest),
        (Wanted("a b", REASON), BadRequest),
        (Wanted("acme", REASON, untrusted_meeting="a b"), BadRequest),
        (Wanted("acme", REASON, "m1", f"up_{1:032x}"), BadRequest),
        (Wanted("acme", REASON, untrusted_upload="up_"), NotFound),
        (Wanted("acme", REASON, untrusted_upload=f"up_{1:032x}"), NotFound),
        (Wanted("nobody", REASON), NotFound),
    ],
    ids=["reason", "account", "meeting", "two places", "no id", "no upload", "no account"],
)
def test_odd_holds_are_not_placed(world: World, wanted: Wanted, error: type[Exception]) -> None:
    """Nothing is kept or logged of them."""
    with pytest.raises(error):
        holds.place(world.parts, wanted, ADMIN)
    assert holds.page(world.parts, None, 9) == ([], None)
    assert [one for one in world.journal.entries if one.event.startswith("hold_")] == []


def test_what_is_gone_is_not_held(world: World) -> None:
    """Whoever orders it is told, and does not believe that something is kept."""
    upload = world.upload(PDF)
    erase(world.parts, upload)
    with pytest.raises(Gone):
        place(world, upload, "upload")
    # The record of it is in the account, which can be held.
    place(world, upload, "account")


def test_a_removed_account_can_be_held(world: World) -> None:
    """Until it is erased. A hold brings nobody in."""
    upload = world.upload(PDF)
    accounts.remove(world.parts, CALLER.account_id, ADMIN)
    place(world, upload, "account")
    with pytest.raises(AccountRemoved):
        accounts.present(world.parts, CALLER.account_id)


def test_holds_come_in_pages(world: World) -> None:
    """Newest first, and the last page says so."""
    made = []
    for _ in range(3):
        world.clock.advance(1)
        made.append(holds.place(world.parts, Wanted("acme", REASON), ADMIN))
    found, more = holds.page(world.parts, None, 2)
    assert (list(found), more) == ([made[2], made[1]], made[1].id)
    assert holds.page(world.parts, more, 2) == ([made[0]], None)
    with pytest.raises(NotFound):
        holds.find(world.parts, "hd_")
