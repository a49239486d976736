"""What reviewers do in the worlds of these tests."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from service.core.decision import Allowance, Choice, Decision
from service.core.errors import ScannerUnavailable
from service.core.journal import Entry
from service.core.reviewer import Reviewer, Role
from service.core.upload import State, Upload
from service.stages.desk import decide
from service.stages.desk.decide import Wanted, propose
from service.stages.desk.rescan import rescan
from service.stages.parts import Parts
from tests.fakes.faults import Faults
from tests.fakes.journal import FakeJournal
from tests.fakes.reviewers import FakeReviewers
from tests.fakes.scanner import MACROS
from tests.stages.world import PDF, World

ANA: Final = "rv_a"
BEN: Final = "rv_b"
CAT: Final = "rv_c"
MORNING: Final = datetime(2026, 11, 22, 8, tzinfo=UTC)
#: A content in which the scanner finds macros, and what it calls them.
ODD: Final = PDF + MACROS
FINDING: Final = "Heuristics.OLE2.ContainsMacros"
REASON: Final = "Our own template, seen by both of us."


def staff() -> FakeReviewers:
    """Return the three of them as reviewers who may decide."""
    people = FakeReviewers(Faults(), FakeJournal(Faults()))
    for person in (ANA, BEN, CAT):
        people.add(Reviewer(person, person[3:], Role.REVIEWER, MORNING), Entry(MORNING, "reviewer_added"))
    return people


_STAFF: Final = staff()


def confirm(parts: Parts, reviewer_id: str, decision_id: str) -> Decision:
    """Confirm a proposal of one of the three."""
    return decide.confirm(parts, _STAFF, reviewer_id, decision_id)


def held(world: World, content: bytes = ODD, name: str = "deck.pdf") -> Upload:
    """Take in an upload that is held for what was found in it."""
    upload = world.upload(content, name)
    assert upload.state is State.HELD
    return upload


def held_unread(world: World) -> Upload:
    """Return an upload that came in pieces and was held before it was ever read as a whole."""
    begun = world.begin(len(ODD))
    world.send(begun.id, 0, ODD[:1000])
    world.faults.take_away("scanner", ScannerUnavailable("away"))
    world.send(begun.id, 1000, ODD[1000:])
    world.clock.advance(25 * 3600)
    world.work()
    world.faults.give_back("scanner")
    fresh_signatures(world)
    upload = find(world, begun)
    assert (upload.state, upload.sha256) == (State.HELD, None)
    return upload


def fresh_signatures(world: World) -> None:
    """Let the scanner's signatures be of now, after days went by."""
    world.scanner.signatures = replace(world.scanner.signatures, signatures_made_at=world.clock.now())
    world.report_canaries()


def find(world: World, upload: Upload) -> Upload:
    """Return an upload as it is now."""
    (row,) = (row for row in world.ledger.rows() if row.id == upload.id)
    return row


def proposal(
    world: World,
    upload: Upload,
    choice: Choice = Choice.RELEASE,
    by: str = ANA,
    days: int | None = None,
    reason: str = REASON,
) -> Decision:
    """Propose a decision about an upload as it was given."""
    lasting = 30 if choice is Choice.ALLOW and days is None else days
    return propose(world.parts, by, Wanted(upload.id, upload.version, choice, reason, lasting))


def decided(world: World, upload: Upload, choice: Choice = Choice.RELEASE) -> Decision:
    """Propose and confirm a decision."""
    return confirm(world.parts, BEN, proposal(world, upload, choice).id)


def allowance(world: World, days: int = 30) -> Allowance:
    """Bring about an allowance for what is found in ``ODD``, by an upload that stays held."""
    upload = held(world)
    confirm(world.parts, BEN, proposal(world, upload, Choice.ALLOW, days=days).id)
    return world.decisions.allowances.page(None, 1)[0]


def asked(world: World, upload: Upload, by: str = ANA) -> Upload:
    """Have an upload scanned again."""
    return rescan(world.parts, by, upload.id, upload.version)
