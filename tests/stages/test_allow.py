"""The allow-list: one finding in one content, for a time, and never a word more."""

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest

from service.core.canary import EICAR
from service.core.decision import Choice
from service.core.errors import LedgerUnavailable, NotFound, ScannerUnavailable
from service.core.outcome import Clean, Failed, Failure, Infected, Outcome, Suspicious
from service.core.upload import Event, State, Upload
from service.core.verdict import Kind
from service.stages.advance import advance
from service.stages.desk.allow import revoke
from tests.fakes.faults import Moment
from tests.fakes.scanner import MACROS
from tests.stages.reviewing import (
    BEN,
    CAT,
    FINDING,
    ODD,
    allowance,
    asked,
    confirm,
    decided,
    find,
    fresh_signatures,
    held,
    proposal,
)
from tests.stages.world import PDF, World, deck

AWAY: Final = ScannerUnavailable("away")


def moves(world: World, upload: Upload) -> list[tuple[Event, str | None]]:
    """Return what happened to an upload after it was stored, and who did it."""
    return [(line.event, line.actor) for line in world.ledger.lines(upload.id)][1:]


THROUGH: Final = [
    (Event.SCAN_BEGUN, None),
    (Event.NOT_SCANNABLE, None),
    (Event.REVIEWER_CLEARED, "reviewer:rv_b"),
    (Event.COPIED_OUT, None),
]


def in_one_pass(world: World, content: bytes) -> Upload:
    """Upload a content that is scanned while it comes."""
    return world.upload(content)


def read_back(world: World, content: bytes) -> Upload:
    """Upload a content while the scanner is away, and let the worker scan it."""
    world.faults.take_away("scanner", AWAY)
    upload = world.upload(content, patience=0)
    world.faults.give_back("scanner")
    advance(world.parts, upload.id)
    return find(world, upload)


def in_pieces(world: World, content: bytes) -> Upload:
    """Upload a content piece by piece, whose digest comes with its scan."""
    begun = world.begin(len(content))
    world.send(begun.id, 0, content[:1000])
    world.send(begun.id, 1000, content[1000:])
    advance(world.parts, begun.id)
    return find(world, begun)


WAYS = pytest.mark.parametrize("way", [in_one_pass, read_back, in_pieces])
Way = Callable[[World, bytes], Upload]


@WAYS
def test_what_is_allowed_is_released_and_called_what_it_is(world: World, way: Way) -> None:
    """Held and cleared in one transaction, by who confirmed it, for that decision; the verdict stays."""
    allowed = allowance(world)
    upload = way(world, ODD)
    assert (upload.state, world.content(upload)) == (State.RELEASED, ODD)
    assert upload.verdict
    assert (upload.verdict.kind, upload.verdict.signature) == (Kind.SUSPICIOUS, FINDING)
    assert upload.reason == "allow_listed"
    assert moves(world, upload)[-4:] == THROUGH
    line = world.ledger.lines(upload.id)[-2]
    assert (line.detail["allowance"], line.detail["decision"]) == (allowed.id, allowed.decision_id)
    world.settle()
    assert world.broken_laws() == []


@WAYS
@pytest.mark.parametrize("flip", [0, len(PDF) // 2, -1])
def test_one_byte_more_or_less_or_other_is_not_allowed(world: World, way: Way, flip: int) -> None:
    """The finding is the same, the content is not."""
    allowance(world)
    changed = bytearray(ODD + b"tail")
    changed[flip if flip < 0 else flip + 9] ^= 1
    for content in (bytes(changed), ODD + b"\0", ODD[:-1] + b"s" + MACROS):
        assert way(world, content).state is State.HELD
    world.settle()
    assert world.broken_laws() == []


OTHERWISE: Final[dict[str, tuple[Outcome, State]]] = {
    "another finding": (Suspicious("Heuristics.OLE2.ContainsMacros.VBA"), State.HELD),
    "a part of its name": (Suspicious("Heuristics.OLE2"), State.HELD),
    "malware": (Infected("Win.Trojan.X"), State.BLOCKED),
    "no answer": (Failed(Failure.SCANNER_ERROR), State.QUARANTINED),
    "nothing": (Clean(), State.RELEASED),
}


@WAYS
@pytest.mark.parametrize("case", OTHERWISE)
def test_the_same_content_with_another_outcome_is_not_concerned(world: World, way: Way, case: str) -> None:
    """New signatures may call it something else: that is news, and nobody allowed it."""
    allowance(world)
    outcome, state = OTHERWISE[case]
    world.scanner.script.append(outcome)
    upload = way(world, ODD)
    assert upload.state is state
    assert upload.reason != "allow_listed"
    assert (Event.REVIEWER_CLEARED, "reviewer:rv_b") not in moves(world, upload)


def test_an_infection_can_be_allowed(world: World) -> None:
    """A false alarm is an infection like any other, until two people say of that content what it is."""
    blocked = world.upload(EICAR, "a.txt")
    decided(world, blocked, Choice.ALLOW)
    released = world.upload(EICAR, "b.txt")
    assert released.state is State.RELEASED
    assert released.verdict
    assert released.verdict.kind is Kind.INFECTED
    assert "clean" not in str(world.ledger.lines(released.id))
    asked(world, blocked)
    world.settle()
    assert find(world, blocked).state is State.RELEASED
    assert world.broken_laws() == []


def test_what_the_look_into_the_package_found_can_be_allowed(world: World) -> None:
    """The scanner said clean, we did not; two people may. If the scanner finds something too, nobody did."""
    content = io.BytesIO(deck())
    with zipfile.ZipFile(content, "a") as package:
        package.writestr("notes.rar", b"Rar!\x1a\x07\0" + bytes(64))
    data = content.getvalue()
    world.scanner.script += [Clean(), Clean()]
    first = world.upload(data, "deck.pptx")
    assert first.state is State.HELD
    assert first.verdict
    assert first.verdict.signature == "Greenroom.Package.Archive"
    decided(world, first, Choice.ALLOW)
    assert world.upload(data, "deck.pptx").state is State.RELEASED
    world.scanner.script.append(Suspicious(first.verdict.signature))
    both = world.upload(data, "deck.pptx")
    assert both.state is State.HELD


ENDS: Final[dict[str, Callable[[World, str], object]]] = {
    "revoked": lambda world, entry: revoke(world.parts, CAT, entry),
    "expired": lambda world, _: world.clock.jump(timedelta(days=1)),
}


@WAYS
@pytest.mark.parametrize("end", ENDS)
def test_an_allowance_that_ended_allows_nothing(world: World, way: Way, end: str) -> None:
    """Revoked by one person, or by its time."""
    allowed = allowance(world, days=1)
    assert way(world, ODD).state is State.RELEASED
    ENDS[end](world, allowed.id)
    fresh_signatures(world)
    assert way(world, ODD).state is State.HELD
    world.settle()
    assert world.broken_laws() == []


DURING: Final = {
    "while it is scanned": "scanner.finish",
    "when it was looked up": "allowances.excusing",
    "when the verdict is saved": "ledger.save",
}


@WAYS
@pytest.mark.parametrize("moment", DURING)
def test_an_allowance_that_is_revoked_during_a_scan_allows_nothing(
    world: World, way: Way, moment: str
) -> None:
    """The revocation returned before the verdict was saved, so the verdict is what the scanner said."""
    allowed = allowance(world)
    revoked: list[str] = []

    def end() -> None:
        """Revoke it, once: the last time that is still before the verdict is durable."""
        revoke(world.parts, CAT, allowed.id)
        revoked.append(moment)

    operation = DURING[moment]
    if operation == "ledger.save":
        world.faults.arm(
            "allowances.excusing",
            1,
            Moment.AFTER,
            lambda: world.faults.arm("ledger.save", 1, Moment.BEFORE, end),
        )
    else:
        world.faults.arm(operation, 1, Moment.AFTER, end)
    upload = way(world, ODD)
    assert revoked
    assert (upload.state, upload.reason) == (State.HELD, "suspicious")
    assert moves(world, upload)[-1] == (Event.NOT_SCANNABLE, None)
    assert world.store.released == {}
    world.settle()
    assert world.broken_laws() == []


def test_an_allowance_that_expires_during_a_scan_allows_nothing(world: World) -> None:
    """Its time is asked about when the verdict is reached."""
    allowance(world, days=1)
    world.clock.advance(timedelta(days=1).total_seconds() - 10)
    fresh_signatures(world)
    world.scanner.takes = 11
    assert world.upload(ODD).state is State.HELD


@WAYS
def test_what_is_allowed_needs_a_scanner_that_may_be_believed(world: World, way: Way) -> None:
    """Who is blind sees no second finding either: what is excused waits like what is clean."""
    allowance(world)

    def blind() -> None:
        world.report_canaries("plain: not so")

    world.faults.arm("scanner.finish", 1, Moment.AFTER, blind)
    upload = way(world, ODD)
    assert upload.state is State.QUARANTINED
    world.settle()
    assert find(world, upload).state is State.RELEASED
    assert world.broken_laws() == []


@WAYS
@pytest.mark.parametrize("moment", list(Moment))
def test_a_list_that_cannot_be_asked_allows_nothing(world: World, way: Way, moment: Moment) -> None:
    """The verdict waits; nothing is released unasked, and nothing that was acknowledged is lost."""
    allowance(world)
    first = world.row()
    world.faults.fail("allowances.excusing", 1, moment, LedgerUnavailable("away"))
    with pytest.raises(LedgerUnavailable):
        way(world, ODD)
    assert world.store.released == {}
    world.settle()
    assert world.broken_laws() == []
    ended = {row.state for row in world.ledger.rows() if row.id != first.id}
    assert ended == ({State.ABANDONED} if way is in_one_pass else {State.RELEASED})


def test_a_slow_scan_s_sender_is_not_told_of_a_failure_that_is_none(world: World) -> None:
    """The content is safe and shown as being scanned: the worker goes on when the list can be asked."""
    allowance(world)
    world.scanner.takes = 5
    world.faults.fail("allowances.excusing", 1, Moment.BEFORE, LedgerUnavailable("away"))
    upload = world.upload(ODD)
    assert upload.state is State.SCANNING
    world.settle()
    assert find(world, upload).state is State.RELEASED
    assert world.broken_laws() == []


def test_the_list_is_not_asked_about_what_is_clean(world: World) -> None:
    """The usual way costs no question more."""
    world.upload(PDF)
    assert world.faults.count("allowances.excusing") == 0


def test_revoking_twice_is_revoking_once(world: World) -> None:
    """The first is named; what was released stays released; an unknown one is not found."""
    allowed = allowance(world)
    upload = world.upload(ODD)
    first = revoke(world.parts, CAT, allowed.id)
    world.clock.advance(10)
    assert revoke(world.parts, BEN, allowed.id) == first
    assert (first.revoked_by, first.is_live(world.clock.now())) == (CAT, False)
    entries = [entry for entry in world.journal.entries if entry.event == "allowance_revoked"]
    assert [(entry.actor, entry.detail["allowance"]) for entry in entries] == [("reviewer:rv_c", allowed.id)]
    assert find(world, upload).state is State.RELEASED
    with pytest.raises(NotFound):
        revoke(world.parts, CAT, "al_unknown")


def test_a_held_file_is_let_go_by_an_allowance_and_a_new_scan(world: World) -> None:
    """The way for what is sent again and again: allow, scan again."""
    upload = held(world)
    confirm(world.parts, BEN, proposal(world, upload, Choice.ALLOW).id)
    asked(world, upload, by=CAT)
    world.settle()
    released = find(world, upload)
    assert (released.state, world.content(released)) == (State.RELEASED, ODD)
    assert moves(world, released) == [
        (Event.SCAN_BEGUN, None),
        (Event.NOT_SCANNABLE, None),
        (Event.RESCAN_ASKED, "reviewer:rv_c"),
        *THROUGH,
    ]
    assert world.broken_laws() == []
