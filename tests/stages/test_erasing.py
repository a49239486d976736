"""What was asked to be erased is gone for good, and a line of the log proves it."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from service.core.account import Standing
from service.core.canary import EICAR
from service.core.erasure import Erasure, Reach
from service.core.errors import (
    NotErasedYet,
    NotFound,
    NotRemoved,
    NotSignedYet,
    StoreUnavailable,
    UnderHold,
)
from service.core.export import Phase
from service.core.grant import Grant, GrantKind
from service.core.upload import Event, Leftover, State, Upload
from service.stages.access import create_key
from service.stages.erasing.ask import ask, ask_for_account, ask_for_ended, known_erasure, own_erasure
from service.stages.erasing.certificate import make_certificate
from service.stages.erasing.work import finish, work
from service.stages.exporting.ask import ask as ask_export
from service.stages.exporting.build import build_next
from service.stages.holds import Wanted
from service.stages.holds import lift as lift_hold
from service.stages.holds import place as place_hold
from service.stages.log.checkpoint import sign
from service.stages.log.keys import public_key
from service.stages.log.place import place
from service.stages.sweep import erase
from service.verify.certificate import check_certificate
from tests.stages.world import CALLER, PDF, World

ASKED_BY: Final = "key:gr_000000000000"


def seconds(world: World, rounds: int = 10) -> None:
    """Let the worker's threads do their rounds: lines get their places, erasures go on."""
    for _ in range(rounds):
        while place(world.parts):
            pass
        work(world.parts)
        finish(world.parts)
        world.clock.advance(0.5)


def asked(world: World, reach: Reach, subject: str) -> Erasure:
    """Ask, let time pass, and return what became of it."""
    erasure = ask(world.parts, CALLER.account_id, reach, subject, ASKED_BY)
    seconds(world)
    done = world.erasures.find(erasure.id)
    assert done is not None
    return done


def person(world: World, upload: Upload, name: str) -> Upload:
    """Say who uploaded a file."""
    row = replace(upload, person=name)
    world.ledger.put(row)
    return row


def test_a_meeting_is_erased_with_its_files_and_its_name(world: World) -> None:
    """Its uploads are ERASED, their contents gone, and nothing but the mark says which meeting it was."""
    first, second = world.upload(PDF), world.upload(EICAR, "a.txt")
    done = asked(world, Reach.MEETING, "m1")
    assert (done.uploads, done.size, done.subject) == (2, first.size + second.size, None)  # type: ignore[operator]
    assert world.keys() == set()
    for row in world.ledger.rows():
        assert (row.state, row.name, row.meeting_id) == (State.ERASED, "", done.mark)
        assert row.segments == ()
    assert all(entry.meeting_id is None for entry in world.journal.entries)
    assert all("request" not in entry.detail for entry in world.journal.entries)


def test_only_what_is_meant_is_erased(world: World) -> None:
    """Another meeting, another person's file and what comes later under the same name are not touched."""
    mine = person(world, world.upload(PDF), "ada")
    theirs = person(world, world.upload(PDF), "grace")
    world.clock.advance(1)
    erasure = ask(world.parts, CALLER.account_id, Reach.PERSON, "ada", ASKED_BY)
    world.clock.advance(1)
    later = person(world, world.upload(PDF), "ada")
    seconds(world)
    states = {row.id: row.state for row in world.ledger.rows()}
    assert states == {mine.id: State.ERASED, theirs.id: State.RELEASED, later.id: State.RELEASED}
    assert known_erasure(world.parts, erasure.id).uploads == 1
    assert asked(world, Reach.MEETING, "m2").uploads == 0


@pytest.mark.parametrize("state", [State.RECEIVING, State.SCANNING, State.CLEARED])
def test_an_upload_in_the_middle_of_a_step_is_erased_all_the_same(world: World, state: State) -> None:
    """Nobody can keep a file from being erased by sending it slowly: whoever is at work on it gives up."""
    upload = world.begin(100) if state is State.RECEIVING else world.upload(PDF)
    world.ledger.put(replace(upload, state=state, expires_at=None))
    assert asked(world, Reach.MEETING, "m1").uploads == 1
    assert world.row().state is State.ERASED
    assert world.keys() == set()


def test_an_account_is_erased_with_all_that_opens_it(world: World) -> None:
    """Keys, grants, its pseudonyms' key: what stays are rows under the mark that the log has for it."""
    create_key(world.parts, CALLER.account_id, "a person's name", frozenset({"read"}), None)
    world.upload(PDF)
    world.credentials.keep_grant(grant(world), world.clock.now())
    seconds(world)
    erasure = ask_for_account(world.parts, CALLER.account_id, "operator:command", active_too=True)
    seconds(world)
    done = known_erasure(world.parts, erasure.id)
    assert (done.account_id, done.subject) == (done.mark, None)
    assert world.accounts.find(CALLER.account_id) is None
    gone = world.accounts.find(done.mark)
    assert gone is not None
    assert gone.standing is Standing.ERASED
    assert world.credentials.keys() == []
    assert world.credentials.grant(CALLER.account_id, "gt_1") is None
    assert world.checkpoints.pseudonym_key(CALLER.account_id) is None
    assert all(row.account_id == row.meeting_id == done.mark for row in world.ledger.rows())
    assert all(entry.account_id is None for entry in world.journal.entries)


def test_an_account_in_use_is_not_erased_by_mistake(world: World) -> None:
    """Only one that was removed, unless it is said outright; and one that is not there is not found."""
    with pytest.raises(NotRemoved):
        ask_for_account(world.parts, CALLER.account_id, "operator:command")
    with pytest.raises(NotFound):
        ask_for_account(world.parts, "nobody", "operator:command")
    account = world.accounts.find(CALLER.account_id)
    assert account is not None
    world.accounts.change(replace(account, removed_at=world.clock.now()), None)
    ask_for_account(world.parts, CALLER.account_id, "operator:command")


def test_asking_twice_is_one_erasure(world: World) -> None:
    """While it is under way; done and asked for again it is another, which finds what came since."""
    first = ask(world.parts, CALLER.account_id, Reach.MEETING, "m1", ASKED_BY)
    again = ask(world.parts, CALLER.account_id, Reach.MEETING, "m1", "operator:command")
    assert again == first
    seconds(world)
    world.clock.advance(1)
    assert asked(world, Reach.MEETING, "m1").id != first.id


def test_whoever_erases_one_upload_need_not_ask(world: World) -> None:
    """What was erased by its owner, or at the end of its time, is forgotten and certified as the rest is."""
    upload = world.upload(PDF)
    erase(world.parts, upload, actor=ASKED_BY)
    seconds(world)
    done = world.erasures.of_upload(upload.id)
    assert done is not None
    assert (done.asked_by, done.uploads) == (ASKED_BY, 1)
    assert done.done_at is not None
    assert world.row().meeting_id == "m1"
    assert len(world.erasures.all()) == 1


def test_erasing_is_done_within_a_minute(world: World) -> None:
    """Of time that passes in the worker, whatever the sweep has to look for again later."""
    world.upload(PDF)
    asked_at = world.clock.now()
    done = asked(world, Reach.MEETING, "m1")
    assert done.done_at is not None
    assert done.done_at - asked_at < timedelta(seconds=60)
    assert world.row().leftover is Leftover.EVERYTHING


def test_a_store_that_is_away_is_waited_for(world: World) -> None:
    """Nothing is said to be erased before the store did it, and one that cannot be keeps no other."""
    world.upload(PDF)
    other = ask(world.parts, CALLER.account_id, Reach.MEETING, "m2", ASKED_BY)
    mine = ask(world.parts, CALLER.account_id, Reach.MEETING, "m1", ASKED_BY)
    world.faults.take_away("store", StoreUnavailable("away"))
    for _ in range(5):
        while place(world.parts):
            pass
        with pytest.raises(StoreUnavailable):
            work(world.parts)
        finish(world.parts)
    assert world.row().state is State.ERASED
    assert known_erasure(world.parts, mine.id).done_at is None
    assert known_erasure(world.parts, other.id).done_at is not None
    world.faults.give_back("store")
    seconds(world)
    assert known_erasure(world.parts, mine.id).done_at is not None
    assert world.keys() == set()


def proved(world: World, erasure: Erasure) -> dict[str, Any]:
    """Return the line that a certificate proves."""
    receipt = make_certificate(world.parts, known_erasure(world.parts, erasure.id))
    return dict(check_certificate(receipt, public_key(world.parts)).line)


@pytest.mark.parametrize("reach", list(Reach))
def test_the_certificate_says_what_was_erased_and_the_log_proves_it(world: World, reach: Reach) -> None:
    """What, how much, when, and who asked; a name of a meeting, person or account is not in it."""
    upload = person(world, world.upload(PDF), "ada@example.test")
    names = {
        Reach.UPLOAD: upload.id,
        Reach.MEETING: "m1",
        Reach.PERSON: "ada@example.test",
        Reach.ACCOUNT: CALLER.account_id,
    }
    erasure = ask(world.parts, CALLER.account_id, reach, names[reach], ASKED_BY)
    with pytest.raises(NotErasedYet):
        make_certificate(world.parts, erasure)
    seconds(world)
    with pytest.raises(NotSignedYet):
        make_certificate(world.parts, known_erasure(world.parts, erasure.id))
    sign(world.parts)
    line = proved(world, erasure)
    assert (line["event"], line["actor"]) == ("erasure_done", ASKED_BY)
    said = line["detail"]
    assert (said["reach"], said["mark"], said["uploads"], said["bytes"]) == (reach, erasure.mark, 1, len(PDF))
    told = json.dumps(line)
    assert "ada@" not in told
    assert '"m1"' not in told
    assert '"acme"' not in told


def test_the_log_is_whole_afterwards(world: World) -> None:
    """What is forgotten are the rows' own columns: every line that was published is proved as before."""
    world.upload(PDF)
    while place(world.parts):
        pass
    before = {row: text for row, (_, text) in world.journal.places.items()}
    first = sign(world.parts)
    done = ask_for_account(world.parts, CALLER.account_id, "operator:command", active_too=True)
    seconds(world)
    assert sign(world.parts, first) is not None
    assert {row: world.journal.places[row][1] for row in before} == before
    assert proved(world, done)["detail"]["mark"] in before[1]


def test_an_erasure_is_known_to_its_account_alone(world: World) -> None:
    """Another account's is not found, and neither is one that is none."""
    erasure = ask(world.parts, CALLER.account_id, Reach.MEETING, "m1", ASKED_BY)
    assert own_erasure(world.parts, CALLER, erasure.id) == erasure
    for caller, erasure_id in ((replace(CALLER, account_id="other"), erasure.id), (CALLER, "er_x")):
        with pytest.raises(NotFound):
            own_erasure(world.parts, caller, erasure_id)


def grant(world: World) -> Grant:
    """Return a grant for m1."""
    now = world.clock.now()
    return Grant(
        id="gt_1",
        account_id=CALLER.account_id,
        kind=GrantKind.UPLOAD,
        meeting_id="m1",
        issued_at=now,
        expires_at=now + timedelta(hours=1),
        upload_id=None,
        max_files=3,
        max_bytes=1000,
        types=frozenset(),
    )


def test_the_grants_of_an_erased_meeting_open_nothing(world: World) -> None:
    """They are revoked as of then; one that is made later is for another meeting of that name."""
    world.credentials.keep_grant(grant(world), world.clock.now())
    done = asked(world, Reach.MEETING, "m1")
    known = world.credentials.grant(CALLER.account_id, "gt_1")
    assert known is not None
    assert (known.revoked_at, known.grant.meeting_id) == (done.asked_at, done.mark)
    world.credentials.keep_grant(replace(grant(world), id="gt_2"), world.clock.now())
    seconds(world)
    later = world.credentials.grant(CALLER.account_id, "gt_2")
    assert later is not None
    assert later.revoked_at is None


def test_a_write_that_lands_late_is_deleted_all_the_same(world: World) -> None:
    """What was on its way to the store when the upload was torn out of its step is found by the sweep."""
    upload = world.begin(100)
    asked(world, Reach.MEETING, "m1")
    world.store.quarantined[f"{upload.id}/late"] = PDF
    world.settle()
    assert world.keys() == set()
    assert world.row().leftover is Leftover.NOTHING
    assert world.events()[-1] is Event.DELETED


def test_what_is_forgotten_is_forgotten_once(world: World) -> None:
    """A round that finds nothing changes nothing and compacts nothing."""
    world.upload(PDF)
    asked(world, Reach.MEETING, "m1")
    compacted, entries = world.erasures.compacted, list(world.journal.entries)
    seconds(world)
    assert (world.erasures.compacted, world.journal.entries) == (compacted, entries)


def test_what_must_stay_is_erased_when_the_hold_is_lifted(world: World) -> None:
    """Asked for before the hold was placed, it waits; asked for under it, it is refused."""
    mine, other = person(world, world.upload(PDF), "ada"), world.upload(PDF)
    meeting = ask(world.parts, CALLER.account_id, Reach.MEETING, "m1", ASKED_BY)
    theirs = ask(world.parts, CALLER.account_id, Reach.PERSON, "ada", ASKED_BY)
    wanted = Wanted(CALLER.account_id, "An order to keep it", untrusted_upload=mine.id)
    hold = place_hold(world.parts, wanted, "operator:command")
    with pytest.raises(UnderHold):
        ask_for_account(world.parts, CALLER.account_id, "operator:command", active_too=True)
    with pytest.raises(UnderHold):
        ask(world.parts, CALLER.account_id, Reach.ACCOUNT, CALLER.account_id, ASKED_BY)
    seconds(world)
    assert {row.state for row in world.ledger.rows()} == {State.RELEASED}
    lift_hold(world.parts, hold.id, "operator:command")
    seconds(world)
    assert {row.id for row in world.ledger.rows() if row.state is State.ERASED} == {mine.id, other.id}
    assert known_erasure(world.parts, meeting.id).done_at is not None
    assert known_erasure(world.parts, theirs.id).done_at is not None


@pytest.mark.parametrize("reach", [Reach.MEETING, Reach.PERSON, Reach.ACCOUNT])
def test_exports_go_with_what_is_in_them(world: World, reach: Reach) -> None:
    """Nothing that was erased can be had from an export; one of somebody else is not touched."""
    person(world, world.upload(PDF), "ada")
    names = {Reach.MEETING: "m1", Reach.PERSON: "ada", Reach.ACCOUNT: CALLER.account_id}
    exports = [ask_export(world.parts, CALLER, CALLER.account_id, who) for who in ("ada", "ben", None)]
    while build_next(world.parts, lambda: False):
        pass
    world.clock.advance(1)
    asked(world, reach, names[reach])
    left = {one.id: world.exports.find(one.id) for one in exports}
    phases = [one.phase for one in left.values() if one]
    ben = Phase.READY if reach is Reach.PERSON else Phase.EXPIRED
    assert phases == [Phase.EXPIRED, ben, Phase.EXPIRED]
    assert {key.partition("/")[0] for key in sorted(world.keys())} <= {exports[1].id}


def test_an_account_whose_time_is_over_is_erased(world: World) -> None:
    """Not an hour before, and only while nothing in it is under hold."""
    account = world.parts.accounts.find(CALLER.account_id)
    assert account is not None
    end = world.clock.now() + timedelta(days=60)
    world.parts.accounts.change(replace(account, removed_at=world.clock.now(), erase_at=end), None)
    hold = place_hold(world.parts, Wanted(CALLER.account_id, "An order to keep"), ASKED_BY)
    standing = []
    for act in (
        lambda: None,
        lambda: world.clock.advance(61 * 86400),
        lambda: lift_hold(world.parts, hold.id, ""),
    ):
        act()
        ask_for_ended(world.parts)
        seconds(world)
        found = world.parts.accounts.find(CALLER.account_id)
        standing.append(found.standing if found else Standing.ERASED)
    assert standing == [Standing.REMOVED, Standing.REMOVED, Standing.ERASED]
