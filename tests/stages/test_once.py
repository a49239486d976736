"""Requests with an Idempotency-Key: when the key is free, running, answered."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from service.core.caller import Caller, Scope
from service.core.canary import EICAR
from service.core.errors import (
    BadRequest,
    Conflict,
    DigestMismatch,
    IdempotencyInProgress,
    IdempotencyMismatch,
    LedgerUnavailable,
    ScannerUnavailable,
    StoreUnavailable,
    TooLarge,
    TooSlow,
    Truncated,
    TypeNotAllowed,
)
from service.core.grant import Grant, GrantKind
from service.core.upload import State
from service.jobs.reconcile import tidy
from service.ports import Claim, Source
from service.stages import once
from service.stages.once import Answered, Earlier, Unanswered
from service.stages.sweep import erase
from service.stages.take_in import Arrival, take_in
from tests.fakes.faults import Crash, Moment
from tests.stages.world import CALLER, PDF, Scripted, World

KEY, SAME, OTHER = "key-1", "a" * 64, "b" * 64
NOON: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)


def arrival(content: bytes, name: str = "deck.pdf", digest: str | None = None) -> Arrival:
    """Return an upload of ``content`` at the door."""
    return Arrival(CALLER, "m1", name, "", len(content), None, digest, 30.0, "request-1")


def begin(world: World, fingerprint: str = SAME, caller: Caller = CALLER) -> Claim | Earlier:
    """Ask for the key of an upload."""
    return once.begin_upload(world.parts, caller, KEY, fingerprint)


def claimed(world: World) -> Claim:
    """Ask for the key of an upload and get it."""
    claim = begin(world)
    assert isinstance(claim, Claim)
    return claim


def send(world: World, content: bytes | Source = PDF, name: str = "deck.pdf", **changes: object) -> None:
    """Send an upload with the key, which must be free; its error, if any, comes out."""
    source = Scripted(content) if isinstance(content, bytes) else content
    one = arrival(content if isinstance(content, bytes) else PDF, name)
    take_in(world.parts, replace(one, claim=claimed(world), **changes), source)  # type: ignore[arg-type]


def test_an_upload_that_came_in_is_answered_from_itself(world: World) -> None:
    """Without a kept answer the key leads to the upload; with one, to the answer as it was given."""
    claim = claimed(world)
    upload = take_in(world.parts, replace(arrival(PDF), claim=claim), Scripted(PDF))
    assert begin(world) == Unanswered(upload)
    once.settle(world.parts, claim, 201, {"Location": "/x"}, b"secret body")
    again = begin(world)
    assert isinstance(again, Answered)
    assert (again.reply.status, again.reply.headers, again.upload) == (201, {"Location": "/x"}, upload)
    assert b"secret" not in again.reply.sealed_body
    assert world.parts.sealer.unseal(again.reply.sealed_body) == b"secret body"


def test_another_request_with_the_key_is_a_mismatch(world: World) -> None:
    """Whether the first one was answered or still runs."""

    def meanwhile() -> None:
        with pytest.raises(IdempotencyMismatch):
            begin(world, OTHER)

    world.faults.arm("store.put", 1, Moment.BEFORE, meanwhile)
    send(world)
    assert not world.faults.armed()
    meanwhile()


def test_while_an_upload_arrives_its_key_is_running(world: World) -> None:
    """As long as its lease lives, be it for many minutes."""
    asked: list[int] = []

    def meanwhile() -> None:
        if world.ledger.rows():
            world.clock.advance(15)
            world.heartbeat.beat()
            with pytest.raises(IdempotencyInProgress):
                begin(world)
            asked.append(1)

    send(world, Scripted(PDF, step=64 * 1024, between=meanwhile))
    assert len(asked) > 3
    world.work()
    assert world.row().state is State.RELEASED
    assert isinstance(begin(world), Unanswered)


def test_while_the_first_may_wait_for_a_verdict_the_key_is_running(world: World) -> None:
    """An upload that is in, but not at rest: its sender may get another answer yet, so nobody gets one of
    now. Once it rests, or nobody can be waiting any more, the key leads to it.
    """
    world.faults.take_away("scanner", ScannerUnavailable("away"))
    send(world, patience=0.0)
    assert world.row().state is State.QUARANTINED
    world.clock.advance(once.LONGEST_ANSWER.total_seconds() - 1)
    with pytest.raises(IdempotencyInProgress):
        begin(world)
    world.clock.advance(1)
    assert begin(world) == Unanswered(world.row())


def test_an_upload_that_came_to_rest_leads_there_at_once(world: World) -> None:
    """However short the time since its last byte."""
    world.faults.take_away("scanner", ScannerUnavailable("away"))
    send(world, patience=0.0)
    world.faults.give_back("scanner")
    world.clock.advance(5)
    world.work()
    assert world.row().state is State.RELEASED
    assert begin(world) == Unanswered(world.row())


FREES: Final[dict[str, tuple[type[Exception], Callable[[World], None]]]] = {
    "truncated": (Truncated, lambda w: send(w, PDF, announced=len(PDF) + 1)),
    "truncated before there is a row": (Truncated, lambda w: send(w, b"%PDF", announced=5)),
    "too slow": (TooSlow, lambda w: send(w, Scripted(PDF, ending=TooSlow("slow")), announced=10**6)),
    "another digest": (DigestMismatch, lambda w: send(w, PDF, expected_sha256="0" * 64)),
    "no such name": (BadRequest, lambda w: send(w, name="...")),
}


@pytest.mark.parametrize("case", FREES)
def test_what_the_sender_is_to_try_again_leaves_the_key_free(world: World, case: str) -> None:
    """What was broken off or damaged on the way, and what was never taken up: the next time is the first."""
    error, attempt = FREES[case]
    with pytest.raises(error):
        attempt(world)
    # Another request may have it as well: nothing was done under it.
    assert isinstance(begin(world, OTHER), Claim)
    send(world)
    assert isinstance(begin(world), Unanswered)


@pytest.mark.parametrize("operation", ["store.put", "ledger.save"])
@pytest.mark.parametrize("moment", list(Moment))
def test_a_part_that_failed_frees_the_key_at_the_latest_after_the_lease(
    world: World, operation: str, moment: Moment
) -> None:
    """After an error of the store or the ledger in mid-upload the same can be sent again."""
    error = {"store.put": StoreUnavailable("away"), "ledger.save": LedgerUnavailable("away")}[operation]
    world.faults.fail(operation, 1, moment, error)
    with pytest.raises((StoreUnavailable, LedgerUnavailable)):
        send(world)
    world.clock.advance(21)
    world.report_canaries()
    send(world)
    states = sorted(row.state for row in world.ledger.rows())
    assert states in ([State.RELEASED], [State.ABANDONED, State.RELEASED])


REFUSES: Final[dict[str, tuple[type[Exception], Callable[[World], None]]]] = {
    "extension": (TypeNotAllowed, lambda w: send(w, name="a.exe")),
    "content": (TypeNotAllowed, lambda w: send(w, name="a.png")),
    "announced size": (TooLarge, lambda w: send(w, announced=10**9)),
    "size by count": (
        TooLarge,
        lambda w: send(w, Scripted(PDF + bytes(80 << 20), step=1 << 20), announced=None),
    ),
}


@pytest.mark.parametrize("case", REFUSES)
@pytest.mark.parametrize("deleted", [False, True])
def test_a_refusal_for_good_is_an_answer(world: World, case: str, *, deleted: bool) -> None:
    """The key stays taken, and the same refusal is given again, also after the record was deleted."""
    error, attempt = REFUSES[case]
    with pytest.raises(error):
        attempt(world)
    if deleted:
        erase(world.parts, world.row())
    again = begin(world)
    assert isinstance(again, Unanswered)
    with pytest.raises(error):
        once.same_again(again, arrival(PDF), Scripted(b""))
    with pytest.raises(IdempotencyMismatch):
        begin(world, OTHER)


def test_an_upload_that_was_deleted_is_still_answered(world: World) -> None:
    """Deleting a file does not let an old request make it again."""
    send(world)
    erased = erase(world.parts, world.row())
    again = begin(world)
    assert again == Unanswered(erased)
    assert once.same_again(Unanswered(erased), arrival(PDF), Scripted(PDF)) == erased


def test_a_key_outlives_its_dead_process_by_one_lease(world: World) -> None:
    """Kill -9 in mid-upload: the key runs until the lease does, then the next time is the first, and what
    the dead process left is abandoned; there is one upload that counts.
    """
    world.faults.kill("store.put", 1, Moment.AFTER)
    with pytest.raises(Crash):
        send(world)
    world.faults.revive()
    with pytest.raises(IdempotencyInProgress):
        begin(world)
    world.clock.advance(21)
    world.report_canaries()
    send(world)
    world.settle()
    assert sorted(row.state for row in world.ledger.rows()) == [State.ABANDONED, State.RELEASED]
    assert world.broken_laws() == []


def test_a_frozen_process_loses_its_upload_with_its_key(world: World) -> None:
    """Who takes the key over after the lease ends the first upload, so that a process which was only frozen
    cannot finish it: one of the two comes in.
    """
    sent: list[int] = []

    def frozen() -> None:
        if world.ledger.rows() and not sent:
            sent.append(1)
            world.clock.advance(21)
            world.report_canaries()
            send(world)

    with pytest.raises(Conflict):
        send(world, Scripted(PDF, step=64 * 1024, between=frozen))
    world.settle()
    assert sorted(row.state for row in world.ledger.rows()) == [State.ABANDONED, State.RELEASED]
    assert world.broken_laws() == []


def test_who_comes_second_leaves_nothing(world: World) -> None:
    """Two that both found the key free: the second finds it taken when it saves, has no row and no object."""
    late = claimed(world)
    send(world)
    keys = world.keys()
    for name, error in (("deck.pdf", IdempotencyInProgress), ("a.exe", IdempotencyInProgress)):
        with pytest.raises(error):
            take_in(world.parts, replace(arrival(PDF, name), claim=late), Scripted(PDF))
    assert len(world.ledger.rows()) == 1
    assert world.keys() == keys


def test_a_key_is_bound_to_account_and_grant(world: World) -> None:
    """A grant's holder has keys of its own, whatever the account's backend sent; so has another account."""
    send(world)
    grant = Grant("gt_1", "acme", GrantKind.UPLOAD, "m1", NOON, NOON)
    for caller in (
        Caller("acme", "gt_1", frozenset({Scope.UPLOAD}), grant),
        Caller("other", "gr_000000000000", frozenset(Scope)),
    ):
        assert isinstance(begin(world, caller=caller), Claim)
    assert isinstance(begin(world, caller=replace(CALLER, name="gr_111111111111")), Unanswered)


SAME_AGAIN: Final[dict[str, tuple[Arrival, bytes, bool]]] = {
    "the same": (arrival(PDF), PDF, True),
    "another content": (arrival(PDF), PDF[:-1] + b"x", False),
    "shorter": (arrival(PDF), PDF[:-1], False),
    "longer": (arrival(PDF), PDF + b"x", False),
    "another name": (arrival(PDF, "other.pdf"), PDF, False),
    "a name that is shown the same": (arrival(PDF, "folder/deck.pdf"), PDF, True),
}


@pytest.mark.parametrize("case", SAME_AGAIN)
def test_an_upload_sent_again_is_compared_by_content(world: World, case: str) -> None:
    """The same bytes under the same name, or it is another request."""
    one, content, same = SAME_AGAIN[case]
    send(world)
    earlier = Unanswered(world.row())
    if same:
        assert once.same_again(earlier, one, Scripted(content)) == world.row()
    else:
        with pytest.raises(IdempotencyMismatch):
            once.same_again(earlier, one, Scripted(content))


def test_a_digest_that_is_announced_saves_the_reading(world: World) -> None:
    """Who announces the digest is taken at its word, and not a byte is read; another digest is another."""
    send(world)
    earlier = Unanswered(world.row())

    def never() -> None:
        pytest.fail("the body was read")

    body = Scripted(PDF, between=never)
    assert once.same_again(earlier, arrival(PDF, digest=world.row().sha256), body) == world.row()
    with pytest.raises(IdempotencyMismatch):
        once.same_again(earlier, arrival(PDF, digest="0" * 64), body)


def test_a_body_without_end_is_not_read_to_its_end(world: World) -> None:
    """One more byte than the first time is enough to know that it is another."""
    send(world)
    read: list[int] = []
    endless = Scripted(PDF + bytes(64 << 20), step=1 << 20, between=lambda: read.append(1))
    with pytest.raises(IdempotencyMismatch):
        once.same_again(Unanswered(world.row()), arrival(PDF), endless)
    assert len(read) < 8


def call(world: World, fingerprint: str = SAME) -> Claim | Earlier:
    """Begin a request that is no upload."""
    return once.begin(world.parts, CALLER, KEY, fingerprint)


def test_other_requests_hold_the_key_until_they_answer(world: World) -> None:
    """First, running, answered; another request is told so in each case."""
    claim = call(world)
    assert isinstance(claim, Claim)
    with pytest.raises(IdempotencyInProgress):
        call(world)
    with pytest.raises(IdempotencyMismatch):
        call(world, OTHER)
    once.settle(world.parts, claim, 201, {}, b"{}")
    again = call(world)
    assert isinstance(again, Answered)
    assert again.upload is None
    with pytest.raises(IdempotencyMismatch):
        call(world, OTHER)


def test_the_key_of_an_upload_is_none_of_a_document(world: World) -> None:
    """Whatever the fingerprints say."""
    send(world)
    with pytest.raises(IdempotencyMismatch):
        call(world)


def test_a_request_that_may_be_tried_again_lets_the_key_go(world: World) -> None:
    """As if it had never been sent."""
    claim = call(world)
    assert isinstance(claim, Claim)
    once.release(world.parts, claim)
    assert isinstance(call(world, OTHER), Claim)


def test_a_request_whose_process_died_is_free_after_a_minute(world: World) -> None:
    """And if it was only slow, its late answer does not replace that of who took over."""
    first = call(world)
    assert isinstance(first, Claim)
    world.clock.advance(59)
    with pytest.raises(IdempotencyInProgress):
        call(world)
    world.clock.advance(1)
    second = call(world)
    assert isinstance(second, Claim)
    once.settle(world.parts, second, 201, {}, b"second")
    once.settle(world.parts, first, 201, {}, b"first")
    once.release(world.parts, first)
    again = call(world)
    assert isinstance(again, Answered)
    assert world.parts.sealer.unseal(again.reply.sealed_body) == b"second"


def test_an_answer_that_cannot_be_kept_is_logged_and_given(world: World) -> None:
    """The ledger went away after the deed: the sender gets its answer all the same."""
    claim = call(world)
    assert isinstance(claim, Claim)
    world.faults.take_away("answers", LedgerUnavailable("away"))
    once.settle(world.parts, claim, 201, {}, b"body")
    once.release(world.parts, claim)
    assert [event for event, _ in world.log.failures] == ["answer_not_kept", "key_not_released"]


def test_keys_are_forgotten_after_a_day(world: World) -> None:
    """24 hours they are kept, no less; then the key is new, and nothing of the answer is left."""
    send(world, EICAR, "a.txt")
    world.clock.advance(timedelta(hours=24).total_seconds())
    tidy(world.parts, world.queue)
    assert isinstance(begin(world), Unanswered)
    world.clock.advance(0.001)
    tidy(world.parts, world.queue)
    assert isinstance(begin(world), Claim)
    assert world.answers.entries() == []
