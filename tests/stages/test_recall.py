"""What was released is scanned again when signatures change, and called back for what is found."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from service.adapters.tink_cipher import TinkCipher
from service.core.errors import (
    Busy,
    KeysUnavailable,
    NotReleased,
    ScannerUnavailable,
    StoreUnavailable,
)
from service.core.journal import Act, of_upload
from service.core.outcome import Failed, Failure, Malformed, Outcome
from service.core.rescan import Wanted
from service.core.upload import Event, Leftover, State
from service.core.verdict import Kind
from service.stages import outflow, read, webhooks
from service.stages.desk.allow import revoke
from service.stages.keyring import Keyring
from service.stages.recall.call_back import call_back
from service.stages.recall.rescan import begin_if_outdated, scan_next
from service.stages.sweep import SETTLED_AFTER, erase, sweep
from tests.fakes.faults import Moment
from tests.stages.recalling import (
    BAD,
    FOUND,
    MARK,
    ODDITY,
    TODAY,
    YESTERDAY,
    learn,
    newest,
    released,
    scan_again,
    settle,
)
from tests.stages.reviewing import BEN, CAT, ODD, allowance, asked, confirm, decided, find, held, proposal
from tests.stages.world import CALLER, PDF, World


@pytest.mark.parametrize(
    ("found", "state", "event", "kind"),
    [
        (FOUND, State.BLOCKED, Event.RECALLED, Kind.INFECTED),
        (ODDITY, State.HELD, Event.DOUBTED, Kind.SUSPICIOUS),
        (Malformed("Heuristics.Broken.News"), State.HELD, Event.DOUBTED, Kind.MALFORMED),
    ],
    ids=["infected", "suspicious", "malformed"],
)
def test_what_newer_signatures_find_is_called_back(
    world: World, found: Outcome, state: State, event: Event, kind: Kind
) -> None:
    """Downloads stop, the verdict names today's signatures, and the content is in quarantine again."""
    upload = released(world)
    world.clock.advance(3600)
    learn(world, found)
    assert scan_again(world) == 1
    recalled = find(world, upload)
    assert (recalled.state, recalled.reason) == (state, recalled.verdict and recalled.verdict.code)
    assert recalled.verdict
    assert recalled.verdict.kind is kind
    assert recalled.verdict.engine
    assert recalled.verdict.engine.signature_version == TODAY
    assert world.events(upload)[-1] is event
    assert world.ledger.lines(upload.id)[-1].detail["signature_version"] == TODAY
    with pytest.raises(NotReleased):
        read.check_released(recalled)
    world.work()
    assert set(world.store.quarantined) == {segment.key for segment in recalled.segments}
    assert world.store.released == {}
    world.settle()
    assert world.broken_laws() == []


def test_what_is_still_clean_stays_as_it_is_and_is_scanned_once(world: World) -> None:
    """Its row and its log say nothing new; the same signatures do not scan it again, newer ones do."""
    upload = released(world, PDF)
    learn(world)
    assert scan_again(world) == 1
    assert find(world, upload) == upload
    assert world.rescans.scanned_with[upload.id] == TODAY
    assert scan_again(world) == 0
    assert scan_again(world) == 0
    learn(world, version=TODAY + 1)
    assert scan_again(world) == 1
    acts = [entry.event for entry in world.journal.entries if entry.event.startswith("rescan_")]
    assert acts == [Act.RESCAN_BEGUN, Act.RESCAN_ENDED] * 2


def test_what_was_released_under_todays_signatures_is_not_scanned_again(world: World) -> None:
    """Only what is older is."""
    old = released(world, PDF)
    learn(world)
    world.clock.advance(1)
    released(world, PDF)
    before = len(world.scanner.scanned)
    assert scan_again(world) == 1
    assert world.scanner.scanned[before:] == [PDF]
    assert newest(world).total == 1
    assert world.rescans.scanned_with == {old.id: TODAY}


def test_the_counts_are_those_of_the_files(world: World) -> None:
    """How many there were, were dealt with, recalled and held; the log has them too."""
    for content in (BAD, PDF + b"doubt", PDF):
        world.clock.advance(1)
        released(world, content)
    learn(world)
    world.scanner.learned[b"doubt"] = ODDITY
    assert scan_again(world) == 3
    one = newest(world)
    assert (one.total, one.done, one.recalled, one.held, one.pending) == (3, 3, 1, 1, 0)
    assert one.ended_at is not None
    line = [entry for entry in world.journal.entries if entry.event == Act.RESCAN_ENDED][-1]
    assert line.detail == {
        "rescan": one.id, "signature_version": TODAY, "total": 3, "done": 3, "recalled": 1, "held": 1,
        "superseded": False,
    }  # fmt: skip


def test_newer_signatures_take_over_what_is_left(world: World) -> None:
    """A rescan under way ends as superseded, and nothing of it is forgotten or counted twice."""
    for _ in range(3):
        world.clock.advance(1)
        released(world, PDF)
    learn(world)
    begin_if_outdated(world.parts)
    assert scan_next(world.parts)
    learn(world, version=TODAY + 1)
    assert scan_again(world) == 3
    second, first = world.rescans.newest(2)
    assert (first.total, first.done, first.superseded, first.pending) == (3, 1, True, 0)
    assert (second.total, second.done, second.superseded) == (3, 3, False)


def test_an_older_scanner_does_not_work_on_a_rescan_for_newer_signatures(world: World) -> None:
    """A worker whose clamd has not taken the newer ones would prove nothing."""
    released(world)
    learn(world)
    begin_if_outdated(world.parts)
    world.scanner.signatures = replace(world.scanner.signatures, signature_version=YESTERDAY)
    assert not scan_next(world.parts)
    learn(world)
    assert scan_next(world.parts)


def test_signatures_without_a_version_begin_nothing(world: World) -> None:
    """There is nothing to compare. Asked for by people it is done, and says nothing of any version."""
    upload = released(world)
    learn(world)
    world.scanner.signatures = replace(world.scanner.signatures, signature_version=None)
    assert scan_again(world) == 0
    assert world.parts.rescans.begin(Wanted(asked_by="operator:command"), world.clock.now())
    assert scan_again(world) == 1
    assert find(world, upload).state is State.BLOCKED
    assert world.rescans.scanned_with == {}


#: What a re-scan can meet that is no finding.
TROUBLE: Final[dict[str, Callable[[World], None]]] = {
    "scanner away": lambda world: world.faults.fail(
        "scanner.open", 1, Moment.BEFORE, ScannerUnavailable("away")
    ),
    "scan fails": lambda world: world.scanner.script.append(Failed(Failure.SCANNER_ERROR, "no")),
    "scan times out": lambda world: world.scanner.script.append(Failed(Failure.TIMEOUT)),
    "store away": lambda world: world.faults.fail(
        "store.read_released", 1, Moment.BEFORE, StoreUnavailable("away")
    ),
    "connection lost": lambda world: world.faults.fail(
        "store.read", 3, Moment.BEFORE, StoreUnavailable("cut")
    ),
    "content lost": lambda world: world.store.released.clear(),
    "content changed": lambda world: world.store.released.update(
        {key: data[::-1] for key, data in world.store.released.items()}
    ),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_no_fault_calls_anything_back(world: World, trouble: str) -> None:
    """The file stays released, waits for a minute, and is scanned later, when the finding counts."""
    upload = released(world)
    learn(world)
    kept = dict(world.store.released)
    TROUBLE[trouble](world)
    assert scan_again(world) == 1
    assert find(world, upload) == upload
    assert newest(world).pending == 1
    assert scan_again(world) == 0
    world.store.released.update(kept)
    world.clock.advance(61)
    assert scan_again(world) == 1
    assert find(world, upload).state is State.BLOCKED
    settle(world)
    assert world.broken_laws() == []


def test_pauses_grow_up_to_an_hour(world: World) -> None:
    """What fails again and again is tried for ever, and does not keep the others."""
    released(world)
    learn(world)
    world.scanner.script.extend([Failed(Failure.SCANNER_ERROR)] * 12)
    pauses = []
    for _ in range(12):
        assert scan_again(world) == 1
        begun = world.clock.monotonic()
        while not world.rescans.due(world.clock.now()):
            world.clock.advance(30)
        pauses.append(world.clock.monotonic() - begun)
        world.scanner.signatures = replace(world.scanner.signatures, signatures_made_at=world.clock.now())
    assert pauses == [60, 120, 240, 480, 960, 1920, *[3600] * 6]
    assert newest(world).pending == 1


def test_a_scanner_that_may_not_be_believed_takes_nothing(world: World) -> None:
    """Not while it is away, nor while its canaries fail."""
    released(world)
    learn(world)
    begin_if_outdated(world.parts)
    world.report_canaries("eicar: clean")
    assert not scan_next(world.parts)
    assert begin_if_outdated(world.parts) is None
    world.report_canaries()
    world.faults.take_away("scanner", ScannerUnavailable("away"))
    assert not scan_next(world.parts)
    world.faults.give_back("scanner")
    assert scan_next(world.parts)


def test_what_just_came_in_goes_first(world: World) -> None:
    """While an upload waits for the scanner nothing is scanned again."""
    upload = released(world)
    learn(world)
    world.faults.take_away("scanner", ScannerUnavailable("away"))
    world.clock.advance(1)
    fresh = world.upload(PDF, patience=0)
    assert fresh.state is State.QUARANTINED
    world.faults.give_back("scanner")
    world.clock.advance(30)
    assert scan_again(world) == 0
    world.work()
    assert find(world, fresh).state is State.RELEASED
    assert scan_again(world) == 1
    assert find(world, upload).state is State.BLOCKED


def test_what_two_people_let_go_stays_for_what_they_let_it_go_with(world: World) -> None:
    """The finding that they decided about is no news; another one is."""
    upload = held(world, ODD + MARK)
    decided(world, upload)
    world.settle()
    assert find(world, upload).state is State.RELEASED
    world.scanner.learned = {}
    world.scanner.signatures = replace(
        world.scanner.signatures, signature_version=TODAY, signatures_made_at=world.clock.now()
    )
    assert scan_again(world) == 1
    assert find(world, upload).state is State.RELEASED
    learn(world, FOUND, TODAY + 1)
    assert scan_again(world) == 1
    assert find(world, upload).state is State.BLOCKED


def test_what_is_on_the_allow_list_stays_while_it_is(world: World) -> None:
    """An allowance excuses the finding in this content; once it is revoked the finding counts."""
    excused = allowance(world)
    world.clock.advance(1)
    upload = world.upload(ODD)
    assert upload.state is State.RELEASED
    world.settle()
    learn(world)
    assert scan_again(world) == 1
    assert find(world, upload).state is State.RELEASED
    revoke(world.parts, CAT, excused.id)
    learn(world, version=TODAY + 1)
    assert scan_again(world) == 1
    assert find(world, upload).state is State.HELD


def test_a_recall_is_told_with_who_downloaded(world: World) -> None:
    """By whom and when, newest first, as the log names them; and how many there were."""
    webhooks.create(world.parts, CALLER, "https://a.example.com/", frozenset(), "")
    upload = released(world)
    for number in range(3):
        world.clock.advance(1)
        line = of_upload(upload, Act.DOWNLOADED, world.clock.now(), f"grant:gt_{number}")
        world.ledger.downloaded(line)
    learn(world)
    scan_again(world)
    (body,) = [
        notice.body for notice, _ in world.webhooks.events.values() if notice.type == "upload.recalled"
    ]
    data = json.loads(body)["data"]
    assert (data["id"], data["state"]) == (upload.id, "blocked")
    assert data["downloads"]["total"] == 3
    assert [one["by"] for one in data["downloads"]["newest"]] == [
        f"grant:gt_{number}" for number in (2, 1, 0)
    ]
    assert data["downloads"]["newest"][0]["at"] == "2026-11-22T09:00:03.000Z"


def test_nobody_downloads_what_was_called_back(world: World) -> None:
    """Not even who asked before: no line of a download comes after the recall."""
    upload = released(world)
    learn(world)
    scan_again(world)
    with pytest.raises(NotReleased):
        world.ledger.downloaded(of_upload(upload, Act.DOWNLOADED, world.clock.now(), "grant:late"))
    assert [entry for entry in world.journal.entries if entry.event == Act.DOWNLOADED] == []


@pytest.mark.parametrize("chunks", [1, 2])
def test_a_download_under_way_does_not_arrive_whole(world: World, chunks: int) -> None:
    """Its last chunk is asked for again, and so is what comes two seconds later."""
    upload = released(world, BAD + bytes(600_000))
    assert upload.size is not None
    content = read.released_content(world.parts, upload)
    given = b"".join(next(content) for _ in range(chunks))
    learn(world)
    scan_again(world)
    world.clock.advance(outflow.ASK_EVERY)
    with pytest.raises(NotReleased):
        given += b"".join(content)
    assert len(given) == chunks * 256 * 1024


def test_one_that_its_owner_deleted_meanwhile_stays_deleted(world: World) -> None:
    """Whoever is first moves it; what is found then changes nothing, and the file is dealt with."""
    upload = released(world)
    learn(world)
    begin_if_outdated(world.parts)

    def delete() -> None:
        erase(world.parts, upload)

    world.faults.arm("store.read_released", 1, Moment.BEFORE, delete)
    assert scan_next(world.parts)
    settle(world)
    assert find(world, upload).state is State.ERASED
    assert newest(world).pending == 0
    assert world.broken_laws() == []
    assert world.keys() == set()


def test_files_of_a_removed_account_are_only_held(world: World) -> None:
    """Nothing is done to them; back again, they are scanned like all others."""
    released(world)
    learn(world)
    begin_if_outdated(world.parts)
    account = world.accounts.find(CALLER.account_id)
    assert account is not None
    line = of_upload(world.row(), Act.KEY_REVOKED, world.clock.now(), None)
    removed = world.accounts.change(replace(account, removed_at=world.clock.now()), line)
    before = len(world.scanner.scanned)
    assert scan_next(world.parts)
    assert scan_again(world) == 0
    assert len(world.scanner.scanned) == before
    world.accounts.change(replace(removed, removed_at=None), line)
    assert scan_again(world) == 1
    assert world.row().state is State.BLOCKED


def test_the_content_waits_for_those_who_may_still_be_deleting(world: World) -> None:
    """A sweep of the quarantined copy that began before the recall could take away what was just brought
    back: so nothing is brought back within five minutes of the release and of its sweep.
    """
    upload = world.upload(BAD)
    learn(world)
    scan_again(world)
    recalled = find(world, upload)
    assert (recalled.state, recalled.leftover) == (State.BLOCKED, Leftover.RETURN)
    assert recalled.due_at == world.clock.now() + SETTLED_AFTER
    world.work()
    assert world.store.released
    settle(world)
    assert find(world, upload).leftover is Leftover.NOTHING
    assert world.broken_laws() == []


def test_a_content_that_cannot_be_opened_now_keeps_no_other_waiting(world: World) -> None:
    """While the master key is away nothing comes back; what is to go of other files goes all the same."""
    recalled = released(world)
    world.clock.advance(3600)
    learn(world)
    begin_if_outdated(world.parts)
    world.faults.take_away("store", StoreUnavailable("away"))
    call_back(world.parts, find(world, recalled), FOUND, world.scanner.engine(), 0.1)
    world.faults.give_back("store")
    deleted = world.upload(PDF)
    world.faults.take_away("store", StoreUnavailable("away"))
    erase(world.parts, deleted)
    world.faults.give_back("store")
    world.clock.advance(3600)
    locked = Keyring(world.accounts, TinkCipher({}), world.clock)
    with pytest.raises(KeysUnavailable):
        sweep(replace(world.parts, keyring=locked), 10)
    assert find(world, recalled).leftover is Leftover.RETURN
    assert find(world, deleted).leftover is Leftover.NOTHING
    sweep(world.parts, 10)
    assert find(world, recalled).leftover is Leftover.COPIES


def test_reviewers_decide_once_the_content_is_back(world: World) -> None:
    """Not before; then it is released again by two of them, byte for byte."""
    upload = released(world)
    world.clock.advance(3600)
    learn(world, ODDITY)
    world.faults.take_away("store", StoreUnavailable("away"))
    begin_if_outdated(world.parts)
    call_back(world.parts, find(world, upload), ODDITY, world.scanner.engine(), 0.1)
    recalled = find(world, upload)
    assert (recalled.state, recalled.leftover) == (State.HELD, Leftover.RETURN)
    with pytest.raises(Busy):
        proposal(world, recalled)
    world.faults.give_back("store")
    settle(world)
    confirm(world.parts, BEN, proposal(world, find(world, upload)).id)
    settle(world)
    again = find(world, upload)
    assert again.state is State.RELEASED
    assert world.content(again) == BAD
    assert world.broken_laws() == []


def test_a_false_alarm_is_released_by_a_scan(world: World) -> None:
    """As any blocked file: reviewers have it scanned again, and nothing is found any more."""
    upload = released(world)
    world.clock.advance(3600)
    learn(world)
    settle(world)
    world.scanner.learned = {}
    asked(world, find(world, upload))
    settle(world)
    assert find(world, upload).state is State.RELEASED
    assert world.content(find(world, upload)) == BAD
    assert world.broken_laws() == []


def test_a_content_that_is_not_what_was_scanned_is_not_brought_back(world: World) -> None:
    """The recall counts all the same; what lies there cannot be released."""
    upload = released(world)
    world.clock.advance(3600)
    world.store.released[upload.segments[0].key] = b"something else"
    call_back(world.parts, upload, ODDITY, world.scanner.engine(), 0.1)
    settle(world)
    confirm(world.parts, BEN, proposal(world, find(world, upload)).id)
    settle(world)
    assert (find(world, upload).state, find(world, upload).reason) == (State.HELD, "content_lost")
    assert world.violations == []


def test_the_scan_is_the_same_where_the_package_is_looked_into(world: World) -> None:
    """A clean answer about a package that is not one any more is doubted: the same look as at the door."""
    upload = released(world, PDF, "deck.pdf")
    world.ledger.save(replace(upload, name="deck.pptx"))
    learn(world)
    scan_again(world)
    assert find(world, upload).state is State.HELD
