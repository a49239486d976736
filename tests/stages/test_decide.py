"""Two people decide about a held file: what they say is done once, and nothing less lets it go."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from service.core.canary import EICAR
from service.core.decision import Choice, Decision, Standing
from service.core.errors import (
    AlreadyAllowed,
    AlreadyProposed,
    BadRequest,
    Busy,
    Conflict,
    DecisionClosed,
    GreenroomError,
    NotDecidable,
    NotFound,
    OwnProposal,
    ProposerGone,
    StoreUnavailable,
)
from service.core.journal import Entry
from service.core.reviewer import Reviewer, Role
from service.core.upload import Event, Leftover, State, Upload
from service.core.verdict import Kind
from service.stages import accounts, webhooks
from service.stages.desk import decide
from service.stages.desk.decide import Wanted, propose, reject
from service.stages.desk.rescan import rescan
from service.stages.sweep import SETTLED_AFTER, erase, sweep
from tests.fakes.faults import Faults, Moment
from tests.fakes.journal import FakeJournal
from tests.fakes.reviewers import FakeReviewers
from tests.fakes.scanner import BROKEN
from tests.stages.reviewing import (
    ANA,
    BEN,
    CAT,
    FINDING,
    MORNING,
    ODD,
    REASON,
    asked,
    confirm,
    decided,
    find,
    held,
    held_unread,
    proposal,
)
from tests.stages.world import CALLER, PDF, World


def test_two_people_release_a_held_file(world: World) -> None:
    """Byte for byte, by the worker; the verdict stays what it was, and the log names both of them."""
    upload = held(world)
    decision = proposal(world, upload)
    assert find(world, upload) == upload
    confirmed = confirm(world.parts, BEN, decision.id)
    assert confirmed == decision.settled(Standing.CONFIRMED, BEN, world.clock.now())
    assert find(world, upload).state is State.CLEARED
    world.work()
    released = find(world, upload)
    assert (released.state, world.content(released)) == (State.RELEASED, ODD)
    assert released.verdict == upload.verdict
    (line,) = (line for line in world.ledger.lines(upload.id) if line.event is Event.REVIEWER_CLEARED)
    assert (line.actor, line.detail["proposed_by"]) == ("reviewer:rv_b", ANA)
    assert line.detail["sha256"] == upload.sha256
    assert REASON not in str(world.ledger.lines(upload.id)) + str(world.journal.entries)
    world.settle()
    assert world.broken_laws() == []


def test_two_people_block_a_held_file(world: World) -> None:
    """Its sender is not told of malware, and no scan undoes it."""
    upload = held(world)
    decided(world, upload, Choice.BLOCK)
    blocked = find(world, upload)
    assert (blocked.state, blocked.reason) == (State.BLOCKED, "reviewer_blocked")
    with pytest.raises(NotDecidable):
        asked(world, blocked)
    with pytest.raises(NotDecidable):
        proposal(world, blocked, Choice.ALLOW)
    world.settle()
    assert world.broken_laws() == []


def test_nobody_confirms_or_rejects_their_own(world: World) -> None:
    """Not before, not after somebody else did, not for any choice."""
    for number, choice in enumerate(Choice):
        upload = held(world, ODD + bytes([number]))
        decision = proposal(world, upload, choice)
        for settle in (confirm, reject):
            with pytest.raises(OwnProposal):
                settle(world.parts, ANA, decision.id)
        assert world.decisions.known(decision.id) == decision
        confirm(world.parts, BEN, decision.id)
        with pytest.raises(OwnProposal):
            confirm(world.parts, ANA, decision.id)


@pytest.mark.parametrize(
    "proposer",
    [
        None,
        Reviewer(ANA, "a", Role.READER, MORNING),
        Reviewer(ANA, "a", Role.ADMINISTRATOR, MORNING, disabled_at=MORNING),
    ],
    ids=["gone", "only a reader", "disabled"],
)
def test_one_who_may_decide_no_more_is_no_second_person(world: World, proposer: Reviewer | None) -> None:
    """Their proposal is confirmed by nobody; it can be rejected, and made by another."""
    people = FakeReviewers(Faults(), FakeJournal(Faults()))
    if proposer is not None:
        people.add(proposer, Entry(MORNING, "reviewer_added"))
    upload = held(world)
    decision = proposal(world, upload)
    with pytest.raises(ProposerGone):
        decide.confirm(world.parts, people, BEN, decision.id)
    assert find(world, upload) == upload
    reject(world.parts, BEN, decision.id)
    assert proposal(world, upload, by=BEN).standing is Standing.OPEN


def test_a_rejected_proposal_changes_nothing_and_makes_room(world: World) -> None:
    """The file stays held; the same person may propose anew; what was rejected is never confirmed."""
    upload = held(world)
    first = proposal(world, upload)
    with pytest.raises(AlreadyProposed):
        proposal(world, upload, by=CAT)
    reject(world.parts, BEN, first.id)
    assert find(world, upload) == upload
    with pytest.raises(DecisionClosed, match="rejected"):
        confirm(world.parts, CAT, first.id)
    confirm(world.parts, BEN, proposal(world, upload).id)
    assert find(world, upload).state is State.CLEARED


def test_a_button_pressed_twice_does_it_once(world: World) -> None:
    """Whoever confirmed or rejected hears the same again; anybody else hears that it is settled."""
    upload = held(world)
    decision = proposal(world, upload)
    first = confirm(world.parts, BEN, decision.id)
    world.work()
    assert confirm(world.parts, BEN, decision.id) == first
    for settle in (confirm, reject):
        with pytest.raises(DecisionClosed, match="confirmed by somebody else"):
            settle(world.parts, CAT, decision.id)
    assert world.events(upload).count(Event.REVIEWER_CLEARED) == 1
    assert world.events(upload).count(Event.COPIED_OUT) == 1
    other = proposal(world, held(world), Choice.BLOCK)
    assert reject(world.parts, BEN, other.id) == reject(world.parts, BEN, other.id)
    assert [entry.event for entry in world.journal.entries].count("decision_rejected") == 1


def test_a_proposal_expires(world: World) -> None:
    """After seven days, to the moment, nobody confirms it, and another may be made."""
    upload = held(world)
    decision = proposal(world, upload)
    world.clock.jump(timedelta(days=7))
    for settle in (confirm, reject):
        with pytest.raises(DecisionClosed, match="expired"):
            settle(world.parts, BEN, decision.id)
    assert find(world, upload) == upload
    confirm(world.parts, BEN, proposal(world, upload).id)
    assert find(world, upload).state is State.CLEARED


def erased(world: World, upload: Upload) -> None:
    """Delete it for its owner."""
    erase(world.parts, upload)


def scanned_again(world: World, upload: Upload) -> None:
    """Have it scanned again, to the same finding."""
    asked(world, upload)
    world.work()
    assert find(world, upload).state is State.HELD


MEANWHILE: Final[dict[str, Callable[[World, Upload], object]]] = {
    "deleted by its owner": erased,
    "on its way to the scanner": asked,
    "scanned again, and held again": scanned_again,
}


@pytest.mark.parametrize("choice", list(Choice))
@pytest.mark.parametrize("case", MEANWHILE)
def test_a_proposal_is_about_the_file_as_it_was_shown(world: World, case: str, choice: Choice) -> None:
    """Whatever moved it since, though it is held again for the same: nobody confirms what was said before."""
    upload = held(world)
    decision = proposal(world, upload, choice)
    MEANWHILE[case](world, upload)
    now = find(world, upload)
    with pytest.raises(DecisionClosed, match=f"it is {now.state} now"):
        confirm(world.parts, BEN, decision.id)
    assert find(world, upload) == now
    assert world.decisions.allowances.page(None, 1) == []
    with pytest.raises(Conflict, match="changed since you looked"):
        proposal(world, upload, choice, by=BEN)
    world.settle()
    assert world.broken_laws() == []


RACES: Final[dict[str, Callable[[World, Upload, Decision], object]]] = {
    "confirmed by another": lambda world, _, decision: confirm(world.parts, CAT, decision.id),
    "rejected by another": lambda world, _, decision: reject(world.parts, CAT, decision.id),
    "deleted by its owner": lambda world, upload, _: erase(world.parts, upload),
    "sent to be scanned again": lambda world, upload, _: asked(world, upload),
    "expired": lambda world, _, __: world.clock.jump(timedelta(days=7)),
}


@pytest.mark.parametrize("choice", list(Choice))
@pytest.mark.parametrize("case", RACES)
def test_the_loser_of_a_race_changes_nothing_and_is_told_why(world: World, case: str, choice: Choice) -> None:
    """What happens between the look and the save is found by the save. One that expires in that instant was
    confirmed in time.
    """
    upload = held(world)
    decision = proposal(world, upload, choice)

    def lost() -> None:
        RACES[case](world, upload, decision)

    operation = "decisions.allow" if choice is Choice.ALLOW else "ledger.save"
    world.faults.arm(operation, 1, Moment.BEFORE, lost)
    if case == "expired":
        assert confirm(world.parts, BEN, decision.id).standing is Standing.CONFIRMED
        return
    with pytest.raises(DecisionClosed):
        confirm(world.parts, BEN, decision.id)
    settled = world.decisions.known(decision.id)
    assert settled
    assert settled.settled_by != BEN
    world.settle()
    row = find(world, upload)
    released = case == "confirmed by another" and choice is Choice.RELEASE
    assert (row.state is State.RELEASED) == released
    assert world.broken_laws() == []


@pytest.mark.parametrize("case", RACES)
def test_the_loser_of_a_race_to_reject_is_told_why(world: World, case: str) -> None:
    """Only a move of the file does not keep a proposal from being rejected: it lapsed all the same."""
    upload = held(world)
    decision = proposal(world, upload)

    def lost() -> None:
        RACES[case](world, upload, decision)

    world.faults.arm("decisions.reject", 1, Moment.BEFORE, lost)
    if case.endswith("by another"):
        with pytest.raises(DecisionClosed, match="by somebody else"):
            reject(world.parts, BEN, decision.id)
    else:
        assert reject(world.parts, BEN, decision.id).standing is Standing.REJECTED
    world.settle()
    assert world.broken_laws() == []


@pytest.mark.parametrize("state", [state for state in State if state is not State.HELD])
def test_only_what_is_held_is_released_or_blocked(world: World, state: State) -> None:
    """And only what is held or blocked can have its finding allowed. A proposal is not even kept."""
    upload = held(world)
    other = world.ledger.save(replace(upload, state=state))
    for choice in Choice:
        if choice is Choice.ALLOW and state is State.BLOCKED:
            continue
        with pytest.raises(NotDecidable, match=state):
            proposal(world, other, choice)
    assert world.decisions.of_upload(upload.id) == []


def test_what_nobody_read_as_a_whole_is_not_released(world: World) -> None:
    """There is no digest that a decision could be about. It may be blocked, or scanned again first."""
    upload = held_unread(world)
    for choice in (Choice.RELEASE, Choice.ALLOW):
        with pytest.raises(NotDecidable, match=r"never read|Nothing was found"):
            proposal(world, upload, choice)
    asked(world, upload)
    world.work()
    again = find(world, upload)
    assert again.sha256
    decided(world, again)
    world.settle()
    assert find(world, upload).state is State.RELEASED
    assert world.broken_laws() == []


def test_what_changed_in_quarantine_is_not_released(world: World) -> None:
    """A content that is not what was received stays held, whoever decides."""
    upload = held(world)
    (key,) = world.store.quarantined
    world.store.quarantined[key] = PDF
    decided(world, upload)
    world.work()
    lost = find(world, upload)
    assert (lost.state, lost.reason) == (State.HELD, "content_lost")
    assert world.store.released == {}
    with pytest.raises(NotDecidable, match="changed or lost"):
        proposal(world, lost)
    world.settle()
    assert world.store.released == {}
    assert world.broken_laws() == []


def not_copied(world: World) -> Upload:
    """Return an upload that was found clean and is held because the store was away for a day."""
    world.faults.take_away("store.release", StoreUnavailable("away"))
    world.upload(PDF)
    world.clock.advance(25 * 3600)
    world.work()
    world.faults.give_back("store.release")
    upload = world.row()
    assert (upload.state, upload.reason) == (State.HELD, "store_unavailable")
    return upload


def test_copies_that_are_still_to_be_deleted_keep_a_release_waiting(world: World) -> None:
    """A copy made before the sweep would go with it; after the sweep the same proposal is good."""
    upload = not_copied(world)
    decision = proposal(world, upload)
    assert upload.leftover is Leftover.COPIES
    with pytest.raises(Busy):
        confirm(world.parts, BEN, decision.id)
    assert world.decisions.known(decision.id) == decision
    world.clock.advance(SETTLED_AFTER.total_seconds() + 1)
    world.work()
    confirm(world.parts, BEN, decision.id)
    world.settle()
    row = find(world, upload)
    assert (row.state, world.content(row)) == (State.RELEASED, PDF)


@pytest.mark.parametrize("way", ["released", "scanned again"])
def test_a_slow_sweep_deletes_no_copy_that_was_made_after_it(world: World, way: str) -> None:
    """Two workers sweep at once; people let the file go as soon as the faster one is done. The slower one,
    about to delete, or in the middle of it, is waited for.
    """
    upload = not_copied(world)
    world.clock.advance(SETTLED_AFTER.total_seconds() + 1)

    def the_rest() -> None:
        """What happens while the slower one is at the store."""
        sweep(world.parts, 10)
        row = find(world, upload)
        assert row.leftover is Leftover.NOTHING
        if way == "released":
            decided(world, row)
        else:
            asked(world, row)
        for _ in range(20):
            world.clock.advance(10)
            world.work()
        assert find(world, upload).state in {State.CLEARED, State.QUARANTINED}

    world.faults.arm("store.discard_released", 1, Moment.BEFORE, the_rest)
    sweep(world.parts, 10)
    assert not world.faults.armed()
    world.settle()
    row = find(world, upload)
    assert (row.state, world.content(row)) == (State.RELEASED, PDF)
    assert world.broken_laws() == []


def test_a_sweep_that_comes_late_looks_again_before_it_deletes(world: World) -> None:
    """What another worker swept, and people let go since, is not touched."""
    upload = not_copied(world)
    world.clock.advance(SETTLED_AFTER.total_seconds() + 1)

    def the_rest() -> None:
        """What happens between this worker's question and its first deletion."""
        sweep(world.parts, 10)
        decided(world, find(world, upload))
        world.clock.advance(SETTLED_AFTER.total_seconds() + 1)
        world.work()
        assert find(world, upload).state is State.RELEASED

    world.faults.arm("ledger.with_leftovers", 1, Moment.AFTER, the_rest)
    sweep(world.parts, 10)
    assert not world.faults.armed()
    assert world.content(find(world, upload)) == PDF


def test_a_decision_after_days_is_carried_out_like_one_at_once(world: World) -> None:
    """The wait for the store is counted from the decision, not from the upload."""
    upload = held(world)
    world.clock.jump(timedelta(days=30))
    world.report_canaries()
    world.faults.take_away("store.release", StoreUnavailable("away"))
    decided(world, upload)
    for _ in range(10):
        world.clock.advance(60)
        world.work()
    assert find(world, upload).state is State.CLEARED
    world.faults.give_back("store.release")
    world.settle()
    assert find(world, upload).state is State.RELEASED


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (EICAR, "a.txt", Kind.INFECTED),
        (ODD, "a.pdf", Kind.SUSPICIOUS),
        (PDF + BROKEN, "a.pdf", Kind.MALFORMED),
    ],
)
def test_any_finding_can_be_allowed_and_moves_nothing(
    world: World, content: bytes, name: str, kind: Kind
) -> None:
    """In exactly this content, under exactly this name, for so many days; the file stays where it is."""
    upload = world.upload(content, name)
    decision = proposal(world, upload, Choice.ALLOW, days=3)
    confirm(world.parts, BEN, decision.id)
    assert find(world, upload) == upload
    (there,) = world.decisions.allowances.page(None, 10)
    assert upload.verdict
    assert upload.verdict.kind is kind
    assert (there.sha256, there.signature) == (upload.sha256, upload.verdict.signature)
    assert (there.proposed_by, there.confirmed_by, there.decision_id) == (ANA, BEN, decision.id)
    assert there.expires_at == world.clock.now() + timedelta(days=3)
    entry = world.journal.entries[-1]
    assert (entry.event, entry.actor, entry.upload_id) == ("decision_confirmed", "reviewer:rv_b", upload.id)
    with pytest.raises(AlreadyAllowed):
        decided(world, upload, Choice.ALLOW)


def test_what_was_not_found_cannot_be_allowed(world: World) -> None:
    """Neither a scan that failed nor a content that was lost after it was found clean."""
    unread = held_unread(world)
    assert unread.verdict
    for verdict in (None, unread.verdict, replace(unread.verdict, kind=Kind.CLEAN, signature="X")):
        odd = world.ledger.save(replace(find(world, unread), verdict=verdict, sha256="f" * 64))
        with pytest.raises(NotDecidable, match="Nothing was found"):
            proposal(world, odd, Choice.ALLOW)
    other = replace(unread.verdict, kind=Kind.INFECTED, signature="X", sha256="e" * 64)
    odd = world.ledger.save(replace(find(world, unread), verdict=other))
    with pytest.raises(NotDecidable, match="never read"):
        proposal(world, odd, Choice.ALLOW)


REFUSED: Final[dict[str, tuple[dict[str, Any], type[GreenroomError]]]] = {
    "no reason": ({"untrusted_reason": "  \n "}, BadRequest),
    "a short reason": ({"untrusted_reason": "it is ok"}, BadRequest),
    "no days": ({"choice": Choice.ALLOW, "days": None}, BadRequest),
    "zero days": ({"choice": Choice.ALLOW, "days": 0}, BadRequest),
    "more than a year": ({"choice": Choice.ALLOW, "days": 366}, BadRequest),
    "no such upload": ({"upload_id": "up_unknown"}, NotFound),
    "an older version": ({"version": 1}, Conflict),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_odd_proposal_is_refused_and_leaves_no_trace(world: World, case: str) -> None:
    """Not in the decisions, not in the log."""
    upload = held(world)
    before = list(world.journal.entries)
    changes, error = REFUSED[case]
    wanted = Wanted(upload.id, upload.version, Choice.RELEASE, REASON)
    with pytest.raises(error):
        propose(world.parts, ANA, replace(wanted, **changes))
    assert world.decisions.of_upload(upload.id) == []
    assert world.journal.entries == before
    for settle in (confirm, reject):
        with pytest.raises(NotFound):
            settle(world.parts, BEN, "de_unknown")


def test_the_proposal_s_line_tells_what_is_proposed(world: World) -> None:
    """Who, which choice, on which bytes and finding, until when; the reason by its digest alone."""
    upload = held(world)
    decision = proposal(world, upload, Choice.ALLOW, days=7)
    *_, entry = world.journal.entries
    assert (entry.event, entry.actor, entry.upload_id) == ("decision_proposed", "reviewer:rv_a", upload.id)
    assert (entry.account_id, entry.meeting_id) == (upload.account_id, upload.meeting_id)
    assert entry.detail == decision.detail() | {"days": 7, "expires_at": decision.expires_at.isoformat()}
    assert (entry.detail["sha256"], entry.detail["signature"]) == (upload.sha256, FINDING)
    assert REASON not in str(entry)


def test_webhooks_are_told_of_what_people_decided(world: World) -> None:
    """A release when it can be downloaded, a block at once; each once, and with what may be said of it."""
    webhooks.create(world.parts, CALLER, "https://a.example.com/", frozenset(), "")
    first, second = held(world), held(world, ODD + b"2")
    decided(world, first)
    decided(world, second, Choice.BLOCK)
    world.settle()
    told = [json.loads(message.body) for _, message, *_ in world.sender.sent]
    for upload, types in ((first, ["held", "released"]), (second, ["held", "blocked"])):
        mine = sorted(one["type"] for one in told if one["data"]["id"] == upload.id)
        assert mine == sorted(f"upload.{kind}" for kind in types)
    (released,) = (one["data"] for one in told if one["type"] == "upload.released")
    assert (released["reason"], released["verdict"]["kind"]) == ("reviewer_cleared", "suspicious")
    assert "clean" not in released["advice"]


def test_nothing_is_decided_in_a_removed_account(world: World) -> None:
    """Not proposed, not confirmed, not scanned again: the file waits as it is for its account."""
    upload = held(world)
    decision = proposal(world, upload)
    accounts.remove(world.parts, CALLER.account_id, "operator:command")
    for act in (
        lambda: proposal(world, upload, Choice.BLOCK),
        lambda: confirm(world.parts, BEN, decision.id),
        lambda: rescan(world.parts, ANA, upload.id, upload.version),
    ):
        with pytest.raises(NotDecidable, match="removed"):
            act()
    assert find(world, upload) == upload
    accounts.reactivate(world.parts, CALLER.account_id, "operator:command")
    confirm(world.parts, BEN, decision.id)
    world.settle()
    assert find(world, upload).state is State.RELEASED
