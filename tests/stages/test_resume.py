"""Uploads that come in pieces: what is acknowledged is kept, and only the whole is scanned and released."""

import hashlib
import itertools
import random
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from service.core.canary import EICAR
from service.core.errors import (
    BadRequest,
    ChecksumMismatch,
    Conflict,
    GreenroomError,
    Interrupted,
    LedgerUnavailable,
    NotFound,
    QuotaExceeded,
    StoreUnavailable,
    TooLarge,
    TooSlow,
    Truncated,
    TypeNotAllowed,
    UploadEnded,
    WrongOffset,
)
from service.core.grant import Grant, GrantKind
from service.core.upload import Event, Leftover, State
from service.jobs.reconcile import reconcile
from service.stages.piece import Checksum, Piece
from service.stages.receive import SEGMENT_SIZE
from service.stages.resume import MOST_SEGMENTS, Creation, at_rest, create, go_on, own_resumable
from service.stages.sweep import erase
from tests.fakes.faults import Moment
from tests.stages.world import CALLER, KIBI, PDF, Scripted, World, deck, policy

DAY: Final = timedelta(hours=24)
SIZE: Final = len(PDF)
MEBI: Final = KIBI * KIBI


def broken(data: bytes, error: type[Exception] = Truncated, step: int = 1000) -> Scripted:
    """A body that breaks off after ``data``."""
    return Scripted(data, step, ending=error("broke off"))


def sha1(data: bytes) -> Checksum:
    """The checksum of a piece."""
    return Checksum("sha1", hashlib.sha1(data, usedforsecurity=False).digest())


def test_one_piece_is_judged_and_released_at_once(world: World) -> None:
    """A piece that holds the whole content goes the way of a plain upload: one pass, the same moves."""
    upload = world.send(world.begin(SIZE).id, 0, PDF)
    assert upload.state is State.RELEASED
    assert world.content(upload) == PDF == b"".join(world.scanner.scanned)
    assert (upload.size, upload.sha256) == (SIZE, hashlib.sha256(PDF).hexdigest())
    assert world.faults.count("store.read_quarantined") == 0
    assert world.events() == [Event.STORED, Event.SCAN_BEGUN, Event.FOUND_CLEAN, Event.COPIED_OUT]
    # Begun, claimed, stored with its verdict, released.
    assert world.faults.count("ledger.save") == 4
    world.settle()
    assert world.broken_laws() == []


@pytest.mark.parametrize("content", [PDF, deck()], ids=["pdf", "package"])
@pytest.mark.parametrize("cuts", [[1], [10, 20, 70_000], [SIZE - 1], [65_535, 65_536, 65_537]])
def test_pieces_become_the_content(world: World, content: bytes, cuts: list[int]) -> None:
    """However it is cut, the released bytes are the pieces in their order, with the digest of the whole."""
    name = "deck.pdf" if content == PDF else "deck.pptx"
    upload = world.begin(len(content), name)
    places = [0, *(min(cut, len(content) - 1) for cut in cuts), len(content)]
    for start, end in itertools.pairwise(places):
        assert world.row().state is State.RECEIVING
        upload = world.send(upload.id, start, content[start:end])
        assert upload.offset == end
    assert (upload.state, upload.size, upload.sha256) == (State.QUARANTINED, len(content), None)
    world.settle(rounds=2)
    row = world.row()
    assert (row.state, row.sha256) == (State.RELEASED, hashlib.sha256(content).hexdigest())
    assert world.content(row) == content == world.scanner.scanned[-1]
    assert row.verdict
    assert (row.verdict.sha256, row.verdict.size) == (row.sha256, len(content))
    assert row.detected_type == world.parts.sniffer.media_type(content[: 64 * KIBI])
    assert world.broken_laws() == []


def test_eicar_in_pieces_is_blocked(world: World) -> None:
    """No piece holds it whole: the content does."""
    upload = world.begin(len(EICAR), "notes.txt")
    world.send(upload.id, 0, EICAR[:30])
    world.send(upload.id, 30, EICAR[30:])
    world.settle()
    assert (world.row().state, world.store.released) == (State.BLOCKED, {})
    assert world.broken_laws() == []


def test_an_empty_file_is_whole_from_the_start(world: World) -> None:
    """Nothing to come: it is scanned and released as an empty plain upload is."""
    upload = world.send(world.begin(0, "notes.txt").id, 0, b"")
    assert (upload.state, upload.size) == (State.RELEASED, 0)


@pytest.mark.parametrize("error", [Truncated, TooSlow])
@pytest.mark.parametrize("came", [0, 1, 70_000, SIZE - 1])
def test_what_came_before_a_drop_is_kept(world: World, error: type[Exception], came: int) -> None:
    """The segment under way ends with what came and is durable before the request ends; the rest goes on."""
    upload = world.begin(SIZE)
    with pytest.raises(Interrupted):
        world.send(upload.id, 0, broken(PDF[:came], error), announced=SIZE)
    row, stored = world.row(), world.store.quarantined
    assert {segment.key for segment in row.segments} == set(stored)
    kept = b"".join(world.opened(row, segment, stored[segment.key]) for segment in row.segments)
    assert (row.offset, kept) == (came, PDF[:came])
    world.send(upload.id, came, PDF[came:])
    world.settle()
    assert world.row().state is State.RELEASED
    assert world.content(world.row()) == PDF


def test_bytes_beyond_the_whole_are_refused_and_change_nothing(world: World) -> None:
    """Announced or counted, more than the announced length is too large; the upload can still be finished."""
    upload = world.begin(SIZE)
    world.send(upload.id, 0, PDF[:100])
    for announced in (SIZE - 99, None):
        before = world.row()
        with pytest.raises(TooLarge):
            world.send(upload.id, 100, Scripted(PDF[100:] + b"x"), announced=announced)
        assert (world.row().offset, world.row().state) == (100, State.RECEIVING)
        assert world.row().segments == before.segments
    assert len(world.store.quarantined) == 1
    world.send(upload.id, 100, PDF[100:])
    world.settle()
    assert world.content(world.row()) == PDF


@pytest.mark.parametrize("offset", [0, 99, 101, SIZE, 10**12])
def test_a_wrong_offset_changes_nothing(world: World, offset: int) -> None:
    """Neither the row nor the store: not even the lease."""
    upload = world.begin(SIZE)
    world.send(upload.id, 0, PDF[:100])
    before, keys = world.row(), world.keys()
    with pytest.raises(WrongOffset):
        world.send(upload.id, offset, PDF[100:])
    assert (world.row(), world.keys()) == (before, keys)


@pytest.mark.parametrize("came", [PDF[:70_000], PDF])
def test_a_piece_with_another_checksum_is_not_kept(world: World, came: bytes) -> None:
    """Mismatch or a drop before it could be checked: the offset stays and the store is as it was."""
    upload = world.begin(SIZE)
    for body, announced, expected in (
        (Scripted(came), len(came), ChecksumMismatch),
        (broken(came[:-1]), len(came), Interrupted),
    ):
        with pytest.raises(expected):
            world.send(upload.id, 0, body, announced=announced, checksum=sha1(b"other"))
        assert (world.row().offset, world.row().state) == (0, State.RECEIVING)
        assert world.keys() == set()
    world.send(upload.id, 0, came, checksum=sha1(came))
    assert world.row().offset == len(came)


def test_a_piece_that_was_changed_on_its_way_is_not_judged_by_its_first_bytes(world: World) -> None:
    """They are not what was sent: the upload is refused only for bytes that are."""
    upload = world.begin(SIZE)
    with pytest.raises(ChecksumMismatch):
        world.send(upload.id, 0, bytes(SIZE), checksum=sha1(PDF))
    assert (world.row().offset, world.row().state) == (0, State.RECEIVING)
    with pytest.raises(TypeNotAllowed):
        world.send(upload.id, 0, bytes(SIZE), checksum=sha1(bytes(SIZE)))
    assert (world.row().state, world.keys()) == (State.REFUSED, set())


def test_segments_end_by_time(world: World) -> None:
    """A slow sender's bytes are durable after 30 s, and after 10 s where they are 5 MiB, without a pause in
    the piece; a fast one's come in segments of 64 MiB.
    """
    content = b"%PDF-1.7\n" + b" " * (20 * MEBI - 9)
    offsets: list[int] = []
    leases: list[bool] = []

    def a_second() -> None:
        world.clock.advance(1)
        world.heartbeat.beat()
        offsets.append(world.row().offset)
        leases.append(world.row().lease_until >= world.clock.now())  # type: ignore[operator]

    upload = world.begin(len(content))
    with pytest.raises(Interrupted):
        # 256 KiB each second: 5 MiB in 20 s.
        world.send(upload.id, 0, Scripted(content[: 12 * MEBI], MEBI, a_second, Truncated("cut")))
    slow = Scripted(content[12 * MEBI : 13 * MEBI], MEBI // 50, a_second, Truncated("cut"))
    with pytest.raises(Interrupted):
        world.send(upload.id, 12 * MEBI, slow)
    sizes = [segment.size for segment in world.row().segments]
    assert sizes[:3] == [5 * MEBI, 5 * MEBI, 2 * MEBI]
    # It is as old as its first bytes.
    assert sizes[3:] == [31 * (MEBI // 50), MEBI - 31 * (MEBI // 50)]
    assert offsets == sorted(offsets)
    assert world.row().offset == 13 * MEBI
    assert all(leases)


def test_large_pieces_are_durable_segment_by_segment(world: World) -> None:
    """While one piece of 70 MiB still comes, its first 64 MiB are acknowledged already."""
    content = b"%PDF-1.7\n" + bytes(70 * MEBI - 9)
    seen: set[int] = set()
    body = Scripted(content, MEBI, lambda: seen.add(world.row().offset))
    upload = world.send(world.begin(len(content)).id, 0, body, announced=len(content))
    assert seen == {0, SEGMENT_SIZE}
    assert upload.state is State.RELEASED
    assert world.content(upload) == content


# ----------------------------------------------------------------------------- who may write


def test_a_newer_writer_overtakes_an_older_one(world: World) -> None:
    """Two pieces at one offset: the newer is taken, the older conflicts at its next save, nothing of it is
    acknowledged, and what it stored is gone.
    """
    upload = world.begin(SIZE)

    def overtake() -> None:
        world.send(upload.id, 0, PDF[:1000])

    older = Scripted(PDF[:70_000][::-1].replace(b"\xff", b"P"), 50_000)
    world.faults.arm("store.put", 1, Moment.BEFORE, overtake)
    with pytest.raises(Conflict):
        world.send(upload.id, 0, Scripted(PDF[:9] + older.data), announced=70_009)
    assert world.row().offset == 1000
    assert world.keys() == {segment.key for segment in world.row().segments}
    world.send(upload.id, 1000, PDF[1000:])
    world.settle()
    assert world.content(world.row()) == PDF
    assert world.broken_laws() == []


def test_the_older_of_two_that_hold_the_whole_ends_nothing(world: World) -> None:
    """Also where its bytes would have made the content whole."""
    upload = world.begin(SIZE)

    def overtake() -> None:
        world.send(upload.id, 0, PDF)

    world.faults.arm("store.put", 1, Moment.AFTER, overtake)
    with pytest.raises(Conflict):
        world.send(upload.id, 0, PDF)
    assert (world.row().state, world.content(world.row())) == (State.RELEASED, PDF)
    assert world.events().count(Event.STORED) == 1
    assert set(world.store.quarantined) == {segment.key for segment in world.row().segments}


def test_going_on_from_a_stale_view_is_a_conflict(world: World) -> None:
    """Two that saw the same row: compare-and-swap lets one of them claim it."""
    seen = world.begin(SIZE)
    world.send(seen.id, 0, b"")
    piece = Piece(0, 10, None, 0.0, "r")
    with pytest.raises(Conflict):
        go_on(world.parts, seen, piece, Scripted(PDF[:10]))
    assert world.keys() == set()


def test_strays_are_left_where_the_ledger_does_not_answer(world: World) -> None:
    """A save whose answer was lost may have been made: nothing that it names may be deleted."""
    upload = world.begin(SIZE)
    world.faults.fail("ledger.save", 2, Moment.AFTER, LedgerUnavailable("away"))
    with pytest.raises(LedgerUnavailable):
        world.send(upload.id, 0, PDF[:100])
    assert world.row().offset == 100
    assert world.keys() == {world.row().segments[0].key}


# ----------------------------------------------------------------------------- how it ends


def test_an_unfinished_upload_lives_for_a_day_and_not_longer(world: World) -> None:
    """No process holds it, and yet it is not abandoned before it has expired; then all of it goes."""
    upload = world.begin(SIZE)
    world.send(upload.id, 0, PDF[:100])
    for _ in range(23):
        world.clock.advance(3600)
        world.work()
    assert world.row().state is State.RECEIVING
    assert own_resumable(world.parts, CALLER, upload.id).offset == 100
    world.clock.advance(3600)
    with pytest.raises(UploadEnded):
        own_resumable(world.parts, CALLER, upload.id)
    world.settle()
    assert (world.row().state, world.row().reason) == (State.ABANDONED, "expired")
    assert world.keys() == set()


def test_going_on_prolongs_its_life(world: World) -> None:
    """It expires a day after somebody last went on with it."""
    upload = world.begin(SIZE)
    for offset in range(3):
        world.clock.advance(20 * 3600)
        world.work()
        world.send(upload.id, offset, PDF[offset : offset + 1])
    assert world.row().expires_at == world.clock.now() + DAY


def test_a_writer_at_work_is_not_abandoned_when_the_day_is_over(world: World) -> None:
    """Its lease counts."""
    upload = world.begin(SIZE)

    def hours() -> None:
        world.clock.advance(DAY.total_seconds() - 15)
        world.heartbeat.beat()
        world.clock.advance(16)
        reconcile(world.parts, world.queue)

    world.faults.arm("store.put", 1, Moment.BEFORE, hours)
    world.send(upload.id, 0, PDF[:100])
    assert (world.row().state, world.row().offset) == (State.RECEIVING, 100)


def test_who_asks_waits_for_a_writer_in_another_process(world: World) -> None:
    """As long as it has patience: what a broken line brought is acknowledged some moments after it broke."""
    upload = world.begin(SIZE)
    asked: list[tuple[int, float]] = []

    def ask(patience: float) -> None:
        begun = world.clock.monotonic()
        found = at_rest(world.parts, CALLER, upload.id, patience)
        asked.append((found.offset, world.clock.monotonic() - begun))

    world.faults.arm("store.put", 1, Moment.BEFORE, lambda: ask(2.0))
    world.send(upload.id, 0, PDF[:100])
    ask(2.0)
    assert asked == [(0, pytest.approx(2.0, abs=0.1)), (100, 0.0)]


@pytest.mark.parametrize(
    ("body", "checksum"),
    [(broken(PDF[:90_000]), None), (broken(b""), None), (Scripted(PDF), sha1(b"other"))],
    ids=["broken", "nothing came", "another checksum"],
)
def test_nobody_waits_for_a_writer_that_ended(
    world: World, body: Scripted, checksum: Checksum | None
) -> None:
    """However its piece ended: neither for one that has just begun."""
    upload = world.begin(SIZE)
    begun = world.clock.monotonic()
    at_rest(world.parts, CALLER, upload.id, 2.0)
    with pytest.raises((Interrupted, ChecksumMismatch)):
        world.send(upload.id, 0, body, announced=SIZE, checksum=checksum)
    at_rest(world.parts, CALLER, upload.id, 2.0)
    assert world.clock.monotonic() == begun


def test_what_took_a_day_to_come_is_not_held_for_having_waited(world: World) -> None:
    """The wait for the scanner counts from the last byte."""
    upload = world.begin(SIZE)
    for offset in (0, 1):
        world.send(upload.id, offset, PDF[offset : offset + 1])
        world.clock.advance(23 * 3600)
    world.send(upload.id, 2, PDF[2:])
    world.settle()
    assert world.row().state is State.RELEASED


def test_an_owner_may_delete_it_unfinished(world: World) -> None:
    """State, name and bytes go, also under the hands of a writer, whose bytes go too."""
    upload = world.begin(SIZE)
    world.send(upload.id, 0, PDF[:100])

    def delete() -> None:
        erase(world.parts, world.row())

    world.faults.arm("store.put", 1, Moment.AFTER, delete)
    with pytest.raises(Conflict):
        world.send(upload.id, 100, PDF[100:])
    assert (world.row().state, world.row().name, world.row().leftover) == (
        State.ERASED,
        "",
        Leftover.EVERYTHING,
    )
    assert world.events() == [Event.GAVE_UP, Event.DELETED]
    assert world.keys() == set()
    with pytest.raises(UploadEnded):
        world.send(upload.id, 100, PDF[100:])
    world.settle()
    assert world.broken_laws() == []


REFUSALS: Final[dict[str, tuple[str, bytes, list[int]]]] = {
    "by its first bytes": ("photo.png", PDF, []),
    "by first bytes that came in pieces": ("photo.png", PDF, [10, 2000]),
    "by its package": ("deck.pptx", deck(main="slideshow"), [100_000]),
    "by its package, in one piece": ("deck.pptx", deck(main="slideshow"), []),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_not_what_its_name_says_is_refused(world: World, case: str) -> None:
    """As for a plain upload: REFUSED, and nothing of it is kept."""
    name, content, cuts = REFUSALS[case]
    upload = world.begin(len(content), name)
    *pieces, last = itertools.pairwise([0, *cuts, len(content)])
    for start, end in pieces:
        world.send(upload.id, start, content[start:end])
    with pytest.raises(TypeNotAllowed):
        world.send(upload.id, last[0], content[last[0] :])
    assert (world.row().state, world.row().reason) == (State.REFUSED, "type_not_allowed")
    assert world.keys() == set()
    world.settle()
    assert world.broken_laws() == []


def test_a_type_that_is_not_accepted_any_more_is_refused(world: World) -> None:
    """By the policy that holds when the content is whole, and for good: it does not stay unfinished."""
    content = deck()
    upload = world.begin(len(content), "deck.pptx")
    world.send(upload.id, 0, content[:100_000])
    kinds = {name: kind for name, kind in world.policy.types.items() if name != "pptx"}
    world.parts = replace(world.parts, policy=replace(world.policy, types=kinds))
    with pytest.raises(TypeNotAllowed):
        world.send(upload.id, 100_000, content[100_000:])
    assert (world.row().state, world.keys()) == (State.REFUSED, set())


@pytest.mark.parametrize(
    ("name", "length", "error"), [("a.exe", 1, TypeNotAllowed), ("a.pdf", 80 * MEBI + 1, TooLarge)]
)
def test_what_can_be_refused_before_a_byte_is(
    world: World, name: str, length: int, error: type[GreenroomError]
) -> None:
    """By its name and its announced length, on record as for a plain upload."""
    with pytest.raises(error):
        world.begin(length, name)
    assert (world.row().state, world.events()) == (State.REFUSED, [Event.REFUSED])


def test_a_plain_upload_cannot_be_gone_on_with(world: World) -> None:
    """Only what began as resumable is."""
    plain = world.upload(PDF)
    with pytest.raises(NotFound):
        own_resumable(world.parts, CALLER, plain.id)


def test_a_finished_upload_takes_nothing_more(world: World) -> None:
    """Asking again at its end is no harm, and anything else is a wrong offset or too large."""
    upload = world.send(world.begin(SIZE).id, 0, PDF)
    assert world.send(upload.id, SIZE, b"") == upload
    for announced in (1, None):
        with pytest.raises(TooLarge):
            world.send(upload.id, SIZE, Scripted(b"x"), announced=announced)
    with pytest.raises(WrongOffset):
        world.send(upload.id, 0, PDF)
    assert world.row() == upload


def test_stored_pieces_are_read_again_only_when_the_start_is_whole(world: World) -> None:
    """Once, to know the type by: else each small piece, or empty one, would cost a fetch of all others."""
    upload = world.begin(SIZE)
    for offset in range(60):
        world.send(upload.id, offset, PDF[offset : offset + 1])
        world.send(upload.id, offset + 1, b"")
    assert world.faults.count("store.read_quarantined") == 0
    world.send(upload.id, 60, PDF[60:70_000])
    assert world.faults.count("store.read_quarantined") == 60
    world.send(upload.id, 70_000, PDF[70_000:])
    assert world.faults.count("store.read_quarantined") == 60


def test_pieces_are_not_endless(world: World) -> None:
    """A sender of single bytes is stopped before the ledger grows without bound."""
    upload = world.begin(SIZE)
    segment = world.send(upload.id, 0, PDF[:1]).segments[0]
    many = tuple(replace(segment, number=n, key=f"{upload.id}/{n}") for n in range(1, MOST_SEGMENTS))
    row = world.ledger.save(replace(world.row(), segments=(segment, *many)))
    with pytest.raises(BadRequest):
        world.send(upload.id, row.offset, PDF[:1])


def test_the_announced_length_counts_against_the_grant(world: World) -> None:
    """From the beginning, until it is stored, refused or given up."""
    now = world.clock.now()
    grant = Grant("g1", "acme", GrantKind.UPLOAD, "m1", now, now + timedelta(minutes=15), None, 2, SIZE + 10)
    world.credentials.keep_grant(grant, now)
    caller = replace(CALLER, grant=grant)

    def begin(length: int) -> str:
        return create(world.parts, Creation(caller, "m1", "a.pdf", "", length, "r")).id

    first = begin(SIZE)
    with pytest.raises(QuotaExceeded):
        begin(11)
    erase(world.parts, own_resumable(world.parts, caller, first))
    world.clock.advance(1)
    begin(SIZE + 10)


# ----------------------------------------------------------------------------- trouble


def test_a_content_that_changed_between_pieces_and_scan_is_held(world: World) -> None:
    """The digest of the whole is not known before the scan: those of the segments are."""
    upload = world.begin(SIZE)
    first = world.send(upload.id, 0, PDF[:100]).segments[0]
    world.send(upload.id, 100, PDF[100:])
    world.store.quarantined[first.key] = PDF[:99] + b"x"
    world.settle()
    assert (world.row().state, world.row().reason) == (State.HELD, "content_lost")
    assert world.store.released == {}


@pytest.mark.parametrize("moment", list(Moment))
def test_a_store_that_fails_costs_no_more_than_the_piece_under_way(world: World, moment: Moment) -> None:
    """What was acknowledged stays, and the upload goes on when the store is back."""
    upload = world.begin(SIZE)
    world.send(upload.id, 0, PDF[:100])
    world.faults.fail("store.put", 1, moment, StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable):
        world.send(upload.id, 100, PDF[100:])
    assert (world.row().offset, world.row().state) == (100, State.RECEIVING)
    world.send(upload.id, 100, PDF[100:])
    world.settle()
    assert world.content(world.row()) == PDF
    assert world.broken_laws() == []


def test_a_package_of_many_pieces_is_looked_into(world: World) -> None:
    """A package that came in many pieces is as good as one that came in one."""
    content = deck()
    upload = world.begin(len(content), "deck.pptx")
    for start in range(0, len(content), 1000):
        world.send(upload.id, start, content[start : start + 1000])
    world.settle()
    assert (world.row().state, world.row().reason) == (State.RELEASED, None)
    assert len(world.row().segments) > 400


@pytest.mark.parametrize("seed", range(20))
def test_any_rhythm_of_pieces_and_drops_gives_the_same_bytes(seed: int) -> None:
    """Random pieces, drops, wrong offsets, checksums and store failures: the offset is always what is stored,
    never falls, and the end is the very content.
    """
    chance = random.Random(seed)
    world = World(policy=policy())
    upload_id = world.begin(SIZE).id
    acknowledged = 0
    while world.row().state is State.RECEIVING:
        offset = world.row().offset
        assert offset >= acknowledged
        acknowledged = offset
        size = chance.choice([1, 100, 65_536, 200_000, SIZE])
        data = PDF[offset : offset + size]
        if chance.random() < 0.2:
            world.faults.fail("store.put", 1, chance.choice(list(Moment)), StoreUnavailable("away"))
        body = Scripted(data, chance.choice([7, 1000, 256 * KIBI]))
        if chance.random() < 0.3:
            body = broken(data[: chance.randrange(len(data))], step=body.step)
        checksum = sha1(data) if chance.random() < 0.3 else None
        try:
            sent = offset if chance.random() < 0.9 else chance.randrange(SIZE)
            acknowledged = world.send(upload_id, sent, body, announced=len(data), checksum=checksum).offset
        except GreenroomError:
            continue
    world.settle()
    assert world.content(world.row()) == PDF
    assert world.broken_laws() == []
