"""Exports: what is in them, what never is, and that they go again."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.core.account import OPERATOR
from service.core.byterange import ByteRange
from service.core.caller import Caller, Scope
from service.core.canary import EICAR
from service.core.errors import (
    AccountRemoved,
    BadRequest,
    Conflict,
    ContentLost,
    ExportNotReady,
    Gone,
    LedgerUnavailable,
    NotFound,
    StoreUnavailable,
)
from service.core.export import KEPT, REMEMBERED, Export, Phase
from service.core.grant import Grant, GrantKind
from service.core.journal import Act, of_upload
from service.core.representation import rfc3339
from service.core.upload import Event, Leftover, State, Upload
from service.jobs.exporter import Exporter
from service.jobs.reconcile import tidy as tidy_all
from service.stages import accounts
from service.stages.access import SCOPES
from service.stages.exporting import build, hand_out, keep
from service.stages.exporting.archive import Member, zipped
from service.stages.exporting.ask import ask, known_export
from service.stages.meetings import set_meeting
from service.stages.sweep import erase
from service.stages.take_in import Arrival, take_in
from tests.fakes.faults import Crash, Moment
from tests.fakes.scanner import MACROS
from tests.stages.reviewing import asked, decided, held
from tests.stages.world import CALLER, KIBI, PDF, Scripted, World

ANN, BEN = "ann@example.org", "ben|2"
OPERATORS = Caller(OPERATOR, "gr_222222222222", frozenset({Scope.ADMIN}))
STRANGER = Caller("other", "gr_111111111111", SCOPES)
NOTES = b"minutes of the meeting"


def send(
    world: World,
    content: bytes,
    name: str = "notes.txt",
    person: str | None = None,
    caller: Caller = CALLER,
    meeting: str = "m1",
) -> Upload:
    """Take one upload in."""
    world.clock.advance(1)
    world.report_canaries()
    arrival = Arrival(
        caller, meeting, name, "", len(content), None, None, 30.0, "r-1", untrusted_person=person
    )
    return take_in(world.parts, arrival, Scripted(content))


def wanted(world: World, person: str | None = None) -> Export:
    """Ask for an export."""
    world.clock.advance(1)
    return ask(world.parts, CALLER, CALLER.account_id, person)


def built(world: World, person: str | None = None) -> Export:
    """Ask for an export and build it."""
    export = wanted(world, person)
    assert build.build_next(world.parts, lambda: False)
    return found(world, export)


def found(world: World, export: Export) -> Export:
    """Return an export as it is now."""
    known = world.exports.find(export.id)
    assert known is not None
    return known


def content(world: World, export: Export, part: ByteRange | None = None) -> bytes:
    """Return the bytes of an export."""
    return b"".join(hand_out.content(world.parts, export, part, "key:gr_1"))


def opened(world: World, export: Export) -> zipfile.ZipFile:
    """Return an export as the zip that it is, every member of it whole."""
    archive = zipfile.ZipFile(io.BytesIO(content(world, export)))
    assert archive.testzip() is None
    assert len(set(archive.namelist())) == len(archive.namelist())
    return archive


def exported(world: World, prefix: str = "ex_") -> set[str]:
    """Return the keys of what exports have in the store."""
    keys = world.keys()
    return {key for key in keys if key.startswith(prefix)}


def record(archive: zipfile.ZipFile, name: str) -> Any:
    """Return one of the records."""
    return json.loads(archive.read(f"{name}.json"))


def files(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Return the files, by their places."""
    return {name: archive.read(name) for name in archive.namelist() if name.startswith("files/")}


def test_an_account_gets_its_released_files_and_all_its_records(world: World) -> None:
    """Byte for byte, with what was said of each upload; of what is not released only that."""
    released = send(world, PDF, "deck.pdf", ANN)
    blocked = send(world, EICAR, "bad.txt", BEN)
    macros = held(world)
    decision = decided(world, macros)
    gone = erase(world.parts, send(world, NOTES))
    world.journal.append([of_upload(released, Act.DOWNLOADED, world.clock.now(), "grant:gt_1")])
    export = built(world)
    assert (export.phase, export.progress, export.person) == (Phase.READY, 1.0, None)
    archive = opened(world, export)
    place = f"files/m1/{released.id}/deck.pdf"
    assert files(archive) == {place: PDF}
    assert record(archive, "files") == [
        {"upload": released.id, "file": place, "size": len(PDF), "sha256": released.sha256, "whole": True}
    ]
    told = {one["id"]: one for one in record(archive, "uploads")}
    assert list(told) == sorted([released.id, blocked.id, macros.id, gone.id])
    assert [told[one.id]["file"] for one in (released, blocked, macros, gone)] == [place, None, None, None]
    assert told[blocked.id]["verdict"]["kind"] == "infected"
    assert (told[blocked.id]["person"], told[gone.id]["state"]) == (BEN, "erased")
    assert [one["by"] for one in told[released.id]["downloads"]] == ["grant:gt_1"]
    assert [one["reason"] for one in told[macros.id]["decisions"]] == [decision.reason]
    assert record(archive, "export")["account"] == "acme"
    assert "the account acme" in archive.read("README.txt").decode()
    assert world.violations == []


def test_no_reviewer_is_named(world: World) -> None:
    """Who decided is the host's own business: an account is told what and why."""
    decision = decided(world, held(world))
    whole = content(world, built(world))
    archive = zipfile.ZipFile(io.BytesIO(whole))
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert decision.reason.encode() in everything
    for reviewer in (decision.proposed_by, str(decision.settled_by)):
        assert reviewer.encode() not in everything


def test_a_person_gets_what_is_theirs_and_nothing_of_anybody_else(world: World) -> None:
    """Not another's file, name, id or download; what they downloaded themselves is theirs."""
    grants = {}
    for person in (ANN, BEN):
        now = world.clock.now()
        grant = Grant(f"gt_{person[:3]}", "acme", GrantKind.DOWNLOAD, "m1", now, now, person=person)
        grants[person] = world.credentials.keep_grant(grant, now).grant
    hers = send(world, PDF, "annes deck.pdf", ANN)
    his = send(world, NOTES + b" of Ben", "bens notes.txt", BEN)
    nobodys = send(world, NOTES + b" of nobody", "nobodys notes.txt")
    _stranger(world)
    theirs = send(world, NOTES + b" elsewhere", "elsewhere.txt", ANN, STRANGER)
    for upload in (hers, his):
        for person in (ANN, BEN):
            actor = f"grant:{grants[person].id}"
            world.journal.append([of_upload(upload, Act.DOWNLOADED, world.clock.now(), actor)])
    archive = opened(world, built(world, ANN))
    assert files(archive) == {f"files/m1/{hers.id}/annes deck.pdf": PDF}
    assert [one["id"] for one in record(archive, "uploads")] == [hers.id]
    assert [one["id"] for one in record(archive, "grants")] == [grants[ANN].id]
    assert [one.get("by") for one in record(archive, "uploads")[0]["downloads"]] == ["grant:gt_ann", None]
    assert [one["upload"] for one in record(archive, "downloads")] == [hers.id, his.id]
    everything = b"".join(archive.read(name) for name in archive.namelist())
    others = (BEN, grants[BEN].id, "bens notes", "of Ben", "nobody", nobodys.id, "elsewhere", theirs.id)
    assert [one for one in others if one.encode() in everything] == []


def _stranger(world: World) -> None:
    world.accounts.known(STRANGER.account_id, world.clock.now())


def test_only_the_owner_may_ask(world: World) -> None:
    """Another account is told that there is none; odd people are refused."""
    _stranger(world)
    for account in ("other", "nobody"):
        with pytest.raises(NotFound):
            ask(world.parts, CALLER, account, None)
    with pytest.raises(BadRequest):
        ask(world.parts, CALLER, "acme", "a/b")
    assert world.exports.rows() == []


def test_a_request_is_due_in_a_month_and_stands_in_the_log(world: World) -> None:
    """The log says that it was asked for, built and taken, and names nobody."""
    export = built(world, ANN)
    assert export.due_at == export.asked_at + timedelta(days=30)
    content(world, export)
    assert found(world, export).taken_at == world.clock.now()
    content(world, found(world, export), ByteRange(1, 2, export.size or 0))
    lines = [line for line in world.journal.entries if line.event.startswith("export_")]
    assert [line.event for line in lines] == ["export_asked", "export_built", *["export_taken"] * 2]
    assert all(line.detail["of"] == "person" and line.account_id == "acme" for line in lines)
    assert ANN not in str([line.detail for line in lines])
    assert (lines[3].detail["first"], lines[3].detail["last"]) == (1, 2)


def test_an_empty_account_gets_an_empty_export(world: World) -> None:
    """With the records that there is nothing."""
    archive = opened(world, built(world))
    assert [record(archive, name) for name in ("uploads", "grants", "files")] == [[], [], []]


def test_hostile_names_stay_in_their_folder(world: World) -> None:
    """Two files of one name do not meet, and a meeting's id cannot climb."""
    for number in range(2):
        send(world, NOTES + bytes([65 + number]), "..\\..\\con.txt", meeting="a..:b")
    archive = opened(world, built(world))
    assert sorted(files(archive).values()) == [NOTES + b"A", NOTES + b"B"]
    for name in archive.namelist():
        assert ".." not in name.split("/")
        assert not {":", "\\"} & set(name)


def test_an_account_is_told_its_meetings(world: World) -> None:
    """All of them, and no other account's; a person's export has none."""
    _stranger(world)
    at = world.clock.now()
    for number in range(201):
        days = {"released": 7} if number == 0 else {}
        set_meeting(world.parts, CALLER, f"m{number:03}", at if number == 0 else None, days)
    set_meeting(world.parts, STRANGER, "elsewhere", at, {})
    told = record(opened(world, built(world)), "meetings")
    assert [one["id"] for one in told] == [f"m{number:03}" for number in range(201)]
    assert [one["starts_at"] for one in told[:2]] == [rfc3339(at), None]
    assert [one["retention"] for one in told[:2]] == [{"released": 7}, {}]
    assert "meetings.json" not in opened(world, built(world, ANN)).namelist()


@pytest.mark.parametrize("person", [None, ANN], ids=["account", "person"])
def test_a_removed_account_is_handed_its_data(world: World, person: str | None) -> None:
    """By an administrator, as long as it is held; once it was erased there is nothing to hand back."""
    send(world, PDF, "deck.pdf", ANN)
    accounts.remove(world.parts, "acme", "operator:command")
    world.clock.advance(1)
    export = ask(world.parts, OPERATORS, "acme", person)
    assert build.build_next(world.parts, lambda: False)
    assert list(files(opened(world, found(world, export))).values()) == [PDF]
    assert known_export(world.parts, OPERATORS, export.id).id == export.id
    assert [line.actor for line in world.journal.entries if line.event == Act.EXPORT_ASKED] == [
        OPERATORS.actor
    ]
    known = world.accounts.find("acme")
    assert known is not None
    world.accounts.change(replace(known, erased_at=world.clock.now()), None)
    with pytest.raises(AccountRemoved):
        ask(world.parts, OPERATORS, "acme", person)


def test_an_export_of_several_segments(world: World) -> None:
    """It is cut as uploads are, and any range of it is what a zip of the whole has there."""
    large = bytes(70 * KIBI * KIBI)
    send(world, b"%PDF-1.7\n" + large, "large.pdf")
    export = built(world)
    border = 64 * KIBI * KIBI
    assert [segment.size for segment in export.segments] == [border, (export.size or 0) - border]
    whole = content(world, export)
    assert (len(whole), hashlib.sha256(whole).hexdigest()) == (export.size, export.sha256)
    for first, last in ((0, 0), (border - 3, border + 3), (border, border), (len(whole) - 1, len(whole) - 1)):
        part = ByteRange(first, last, len(whole))
        assert content(world, found(world, export), part) == whole[first : last + 1]


def test_memory_does_not_grow_with_what_is_in_it() -> None:
    """The zip is made as it is read: no more is held than a chunk of it."""
    most = 0
    given = 0

    def chunks() -> Iterator[bytes]:
        nonlocal given
        for _ in range(64):
            given += 256 * KIBI
            yield bytes(256 * KIBI)

    taken = 0
    for piece in zipped([Member("a", World().clock.now(), chunks(), 64 * 256 * KIBI)]):
        taken += len(piece)
        most = max(most, given - taken, len(piece))
    assert most <= 2 * 256 * KIBI
    assert taken > 64 * 256 * KIBI


def test_what_is_recalled_is_not_handed_out(world: World) -> None:
    """From the moment on; the export is withdrawn, its bytes go, and it is built again without the file."""
    upload = send(world, PDF, "deck.pdf")
    export = built(world)
    hand_out.check_ready(world.parts, export)
    world.ledger.save(upload.moved(Event.RECALLED, world.clock.now()))
    with pytest.raises(ExportNotReady):
        hand_out.check_ready(world.parts, export)
    keep.tidy(world.parts)
    assert found(world, export).phase is Phase.QUEUED
    assert build.build_next(world.parts, lambda: False)
    again = found(world, export)
    assert files(opened(world, again)) == {}
    assert {segment.key for segment in export.segments} & world.keys() == set()


def test_a_download_under_way_ends_with_a_recall(world: World) -> None:
    """Of an export with a file that is recalled just then, the end is not given."""
    upload = send(world, PDF, "deck.pdf")
    export = built(world)
    chunks = hand_out.content(world.parts, export, None, "key:gr_1")
    next(chunks)
    world.ledger.save(upload.moved(Event.RECALLED, world.clock.now()))
    with pytest.raises(ExportNotReady):
        list(chunks)


def test_what_is_erased_meanwhile_is_not_in_it(world: World) -> None:
    """A file that goes while the export is built: that build is not kept, the next one is without it."""
    upload = send(world, PDF, "deck.pdf")
    export = wanted(world)
    world.faults.arm("exports.finish", 1, Moment.BEFORE, lambda: _erased(world, upload))
    with pytest.raises(Conflict):
        build.build_next(world.parts, lambda: False)
    assert not build.build_next(world.parts, lambda: False), "until the lease has run out"
    world.clock.advance(61)
    assert build.build_next(world.parts, lambda: False)
    assert files(opened(world, found(world, export))) == {}


def _erased(world: World, upload: Upload) -> None:
    erase(world.parts, upload)


def test_a_file_that_the_store_lost_does_not_keep_the_others(world: World) -> None:
    """It is told of as not whole."""
    lost, kept = send(world, PDF, "lost.pdf"), send(world, NOTES)
    key = lost.segments[0].key
    world.store.released[key] = world.store.released[key][:-1] + b"!"
    archive = opened(world, built(world))
    assert [one["whole"] for one in record(archive, "files")] == [False, True]
    assert archive.read(f"files/m1/{kept.id}/notes.txt") == NOTES


def test_a_changed_export_never_arrives_whole(world: World) -> None:
    """Its last chunk is only given when the digest is right."""
    export = built(world)
    key = export.segments[0].key
    world.store.released[key] = world.store.released[key][:-1] + b"!"
    with pytest.raises(ContentLost):
        content(world, export)


def test_an_export_goes_after_its_time(world: World) -> None:
    """Gone at once, deleted in the next round, forgotten a year later."""
    send(world, PDF, "deck.pdf")
    export = built(world)
    keep.tidy(world.parts)
    assert not [key for key in world.store.quarantined if key.startswith(export.id)]
    assert found(world, export).leftover is Leftover.NOTHING
    world.clock.advance(KEPT.total_seconds())
    with pytest.raises(Gone):
        hand_out.check_ready(world.parts, export)
    keep.tidy(world.parts)
    assert found(world, export).phase is Phase.EXPIRED
    assert not exported(world)
    with pytest.raises(Gone):
        hand_out.check_ready(world.parts, found(world, export))
    world.clock.advance(REMEMBERED.total_seconds() + 1)
    tidy_all(world.parts, world.queue)
    assert world.exports.find(export.id) is None


@pytest.mark.parametrize("person", [None, ANN], ids=["account", "person"])
@pytest.mark.parametrize("phase", [Phase.QUEUED, Phase.BUILDING, Phase.READY])
def test_an_erased_person_or_account_has_no_export(world: World, person: str | None, phase: Phase) -> None:
    """Whatever an export was doing, after `drop` nothing of it is in the store, and nobody is named."""
    send(world, PDF, "deck.pdf", ANN)
    export, other = wanted(world, ANN), wanted(world, BEN)
    if phase is Phase.BUILDING:
        assert world.exports.claim(world.clock.now(), world.clock.now() + timedelta(minutes=1)) is not None
    elif phase is Phase.READY:
        assert build.build_next(world.parts, lambda: False)
    meant = world.exports.of("acme", person)
    assert len(meant) == (1 if person else 2)
    keep.drop(world.parts, meant)
    assert not exported(world, export.id)
    assert (found(world, export).phase, found(world, export).person) == (Phase.EXPIRED, None)
    assert (found(world, other).person is None) == (person is None)
    world.clock.advance(301)
    keep.tidy(world.parts)
    assert found(world, export).leftover is Leftover.NOTHING
    assert keep.is_dropped(found(world, export))


def test_dropping_while_it_is_built_leaves_nothing(world: World) -> None:
    """Who builds finds that it is no longer theirs, and what was on its way goes with the next sweep."""
    send(world, PDF, "deck.pdf", ANN)
    wanted(world, ANN)
    world.faults.arm("store.put", 1, Moment.BEFORE, lambda: _dropped(world))
    with pytest.raises(Conflict):
        build.build_next(world.parts, lambda: False)
    world.clock.advance(301)
    keep.tidy(world.parts)
    assert not exported(world)


def _dropped(world: World) -> None:
    keep.drop(world.parts, world.exports.of("acme", ANN))


OPERATIONS = (
    *("exports.claim", "exports.renew", "exports.finish", "exports.save", "exports.with_leftovers"),
    *("ledger.belonging", "ledger.count", "ledger.history", "credentials.grants_of", "journal.of_upload"),
    "meetings.page",
    *("store.put", "store.put_part", "store.release", "store.read_released", "store.discard_quarantined"),
)


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("kill", [True, False], ids=["killed", "failed"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_it_is_built_once_whatever_happens(world: World, operation: str, kill: bool, moment: Moment) -> None:  # noqa: FBT001
    """Every step fails or ends the process once: in the end there is one export, whole, and nothing else."""
    send(world, PDF, "deck.pdf", ANN)
    export = wanted(world, None if operation == "meetings.page" else ANN)
    if kill:
        world.faults.kill(operation, 1, moment)
    else:
        away = StoreUnavailable if operation.startswith("store") else LedgerUnavailable
        world.faults.fail(operation, 1, moment, away("away"))
    exporter = Exporter(world.parts)
    for _ in range(6):
        try:
            exporter.round()
        except Crash:
            world.faults.revive()
            exporter = Exporter(world.parts)
        world.clock.advance(61)
    assert not world.faults.armed()
    # Parts of an object that nobody finished go when they are a day old, as those of uploads.
    world.clock.advance(timedelta(hours=25).total_seconds())
    tidy_all(world.parts, world.queue)
    done = found(world, export)
    assert (done.phase, done.leftover) == (Phase.READY, Leftover.NOTHING)
    assert list(files(opened(world, done)).values()) == [PDF]
    ours = exported(world)
    assert ours == {segment.key for segment in done.segments}
    assert world.violations == []


def test_a_worker_that_is_told_to_stop_lets_go(world: World) -> None:
    """In the middle of an export; the next one begins it anew when the lease has run out."""
    send(world, PDF, "deck.pdf")
    export = wanted(world)
    with pytest.raises(build.Stopping):
        build.build_next(world.parts, lambda: True)
    world.clock.advance(61)
    assert build.build_next(world.parts, lambda: False)
    assert (found(world, export).phase, found(world, export).attempts) == (Phase.READY, 2)


def test_what_comes_while_it_is_built_is_not_waited_for(world: World) -> None:
    """An account that goes on sending gets its export all the same, as of when it was begun."""
    send(world, NOTES)
    export = wanted(world)
    world.faults.arm("ledger.belonging", 1, Moment.AFTER, lambda: _send_late(world))
    assert build.build_next(world.parts, lambda: False)
    assert len(record(opened(world, found(world, export)), "uploads")) == 1


def _send_late(world: World) -> None:
    late = replace(world.row(), id=f"up_{'f' * 32}", version=0, state=State.REFUSED, segments=())
    world.ledger.save(late)


def test_a_held_file_that_is_asked_about_again_is_not_in_it(world: World) -> None:
    """Whatever is not released at that moment is a record alone."""
    upload = asked(world, held(world))
    assert upload.state is State.QUARANTINED
    whole = content(world, built(world))
    assert MACROS not in whole
