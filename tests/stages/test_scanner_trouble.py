"""The scanner dies, is away, may not be believed: the upload survives and nothing becomes clean by it."""

from datetime import timedelta
from typing import Final

import pytest

from service.core.canary import EICAR
from service.core.errors import ScannerUnavailable
from service.core.outcome import Engine, Failed, Failure
from service.core.upload import Event, State
from service.core.verdict import Kind, Protection
from service.stages.advance import advance
from service.stages.judge import MOST_ATTEMPTS
from tests.fakes.faults import Moment
from tests.stages.world import PDF, World

AWAY: Final = ScannerUnavailable("away")
FEEDS: Final = 6
ERROR: Final = Failed(Failure.SCANNER_ERROR, "Can't allocate memory ERROR")


def test_the_leg_takes_that_many_feeds(world: World) -> None:
    """The tests below strike at every feed: this is how many there are."""
    world.upload(PDF)
    assert world.faults.count("scanner.feed") == FEEDS


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize(
    ("operation", "occurrence"),
    [("scanner.engine", 1), ("scanner.open", 1), ("scanner.finish", 1), ("scanner.outcome", 1)]
    + [("scanner.feed", number + 1) for number in range(FEEDS)],
)
def test_an_upload_survives_its_scanner_and_is_scanned_later(
    world: World, operation: str, occurrence: int, moment: Moment
) -> None:
    """Wherever the scanner's leg breaks, all bytes are kept, the sender is told that they wait, and the
    worker scans the stored bytes: exactly those that were received."""
    world.faults.fail(operation, occurrence, moment, AWAY)
    upload = world.upload(PDF, patience=0)
    assert upload.state is State.QUARANTINED
    assert world.store.released == {}
    world.settle()
    assert (world.row().state, world.content(world.row())) == (State.RELEASED, PDF)
    assert world.scanner.scanned[-1] == PDF
    assert world.broken_laws() == []


@pytest.mark.parametrize("occurrence", range(1, FEEDS + 1))
def test_eicar_is_found_by_the_worker_where_the_leg_broke(world: World, occurrence: int) -> None:
    """A broken leg never lets an infected file pass."""
    world.faults.fail("scanner.feed", occurrence, Moment.BEFORE, AWAY)
    world.upload(PDF + EICAR, patience=0)
    world.settle()
    assert world.row().state is State.BLOCKED
    assert world.broken_laws() == []


def test_uploads_wait_while_the_scanner_is_away_and_spend_no_attempt(world: World) -> None:
    """An outage of ten minutes: the upload waits in quarantine, untouched, and is then done."""
    world.faults.take_away("scanner", AWAY)
    upload = world.upload(PDF, patience=0)
    assert upload.state is State.QUARANTINED
    for _ in range(120):
        world.clock.advance(5)
        world.work()
    row = world.row()
    assert (row.state, row.attempts, row.version) == (State.QUARANTINED, 0, 2)
    world.faults.give_back("scanner")
    world.settle(rounds=3)
    assert world.row().state is State.RELEASED


def test_a_scanner_that_never_comes_back_holds_the_upload_after_a_day(world: World) -> None:
    """An upload always reaches a resting state: after 24 h a person has to look."""
    world.faults.take_away("scanner", AWAY)
    world.upload(PDF, patience=0)
    world.clock.advance(timedelta(hours=23, minutes=59).total_seconds())
    world.work()
    assert world.row().state is State.QUARANTINED
    world.clock.advance(120)
    world.work()
    row = world.row()
    assert (row.state, row.reason) == (State.HELD, "scan_exhausted")
    assert row.verdict
    assert row.verdict.kind is Kind.ERROR


def test_failed_scans_are_tried_again_with_growing_pauses_and_then_held(world: World) -> None:
    """Five attempts, each later than the one before; then HELD, never clean, and no sixth scan."""
    world.scanner.script.extend([ERROR] * (MOST_ATTEMPTS + 5))
    world.upload(PDF, patience=0)
    pauses = []
    while (row := world.row()).state is State.QUARANTINED:
        assert row.due_at
        pauses.append((row.due_at - row.updated_at).total_seconds())
        world.clock.advance(pauses[-1])
        advance(world.parts, row.id)
    assert pauses == [2, 4, 8, 16]
    assert (row.state, row.reason, row.lease_until) == (State.HELD, "scan_exhausted", None)
    world.settle()
    assert len(world.scanner.scanned) == MOST_ATTEMPTS
    assert world.broken_laws() == []


@pytest.mark.parametrize("trouble", ["canaries failed", "canaries silent", "canaries from the future"])
@pytest.mark.parametrize("protection", list(Protection))
def test_a_scanner_that_may_not_be_believed_gets_nothing_and_clears_nothing(
    protection: Protection, trouble: str
) -> None:
    """While canaries fail, or have not reported for 150 s, no content is cleared: not under demo either."""
    world = World(protection=protection)
    spoil(world, trouble)
    upload = world.upload(PDF, patience=0)
    assert upload.state is State.QUARANTINED
    assert advance(world.parts, upload.id) == upload
    assert world.scanner.scanned == []
    world.settle()
    assert world.row().state is State.RELEASED


@pytest.mark.parametrize("trouble", ["canaries failed", "canaries silent", "canaries from the future"])
def test_trust_lost_during_the_scan_clears_nothing(world: World, trouble: str) -> None:
    """The scanner is believed by what is known when its answer comes, not when it was asked."""
    world.faults.arm("scanner.finish", 1, Moment.AFTER, lambda: spoil(world, trouble))
    upload = world.upload(PDF, patience=0)
    assert upload.state is State.QUARANTINED
    assert Event.FOUND_CLEAN not in world.events()


def test_what_a_distrusted_scanner_finds_still_counts(world: World) -> None:
    """A finding can only hold a file back, so it is believed at once."""
    world.faults.arm("scanner.finish", 1, Moment.AFTER, lambda: spoil(world, "canaries failed"))
    assert world.upload(EICAR, "a.txt", patience=0).state is State.BLOCKED


def spoil(world: World, trouble: str) -> None:
    """Give the canaries' word a reason not to be believed."""
    if trouble == "canaries failed":
        world.report_canaries("plain: not so that EICAR is found (clean)")
    elif trouble == "canaries silent":
        world.clock.advance(151)
    else:
        world.clock.jump(timedelta(seconds=-151))


def with_signatures(protection: Protection, age: timedelta | None) -> World:
    """Return a world whose signatures are that old, ``None`` for unknown."""
    world = World(protection=protection)
    made_at = None if age is None else world.clock.now() - age
    world.scanner.signatures = Engine("1.4.6", None if age is None else 1, made_at)
    world.report_canaries()
    return world


STALE: Final = {"unknown": None, "48 h and a bit": timedelta(hours=48, seconds=1)}


@pytest.mark.parametrize("age", STALE)
def test_stale_or_unknown_signatures_make_no_file_clean(age: str) -> None:
    """Over 48 h or unknown: no clean, the content waits; what is found is still blocked at once later on."""
    world = with_signatures(Protection.OFFICIAL, STALE[age])
    assert world.upload(PDF, patience=0).state is State.QUARANTINED
    world.settle(rounds=5)
    assert world.store.released == {}
    assert Event.FOUND_CLEAN not in world.events()


def test_signatures_just_fresh_enough_make_clean(world: World) -> None:
    """At 48 h exactly they still count."""
    fresh = with_signatures(Protection.OFFICIAL, timedelta(hours=48))
    assert fresh.upload(PDF).state is State.RELEASED


@pytest.mark.parametrize("age", STALE)
def test_the_operators_demo_setting_excuses_stale_signatures_and_says_so(age: str) -> None:
    """Only the explicit setting does, and the verdict names it."""
    world = with_signatures(Protection.DEMO, STALE[age])
    upload = world.upload(PDF)
    assert upload.state is State.RELEASED
    assert upload.verdict
    assert upload.verdict.protection is Protection.DEMO


def test_the_verdict_names_the_engine_as_it_was_before_the_scan(world: World) -> None:
    """Signatures that came during the scan are not claimed by its verdict."""
    before = world.scanner.signatures

    def update() -> None:
        world.scanner.signatures = Engine("1.4.6", 99999, world.clock.now())

    world.faults.arm("scanner.feed", 1, Moment.BEFORE, update)
    upload = world.upload(PDF)
    assert upload.verdict
    assert upload.verdict.engine == before
