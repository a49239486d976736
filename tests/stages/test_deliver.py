"""Webhooks through a whole Greenroom on fakes: from the move of an upload to what a receiver gets."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, cast

import pytest

from service.core.canary import EICAR
from service.core.errors import ContentRefused, LedgerUnavailable, ScannerUnavailable
from service.core.upload import State
from service.core.webhook import Delivery, DeliveryState, Disabled, Endpoint, EventType
from service.core.webhook_schedule import JITTER, SCHEDULE, Reply
from service.jobs.reconcile import reconcile, tidy
from service.jobs.watch import LASTING, ScannerWatch
from service.ports import Task, WebhookSender
from service.stages import webhooks
from service.stages.deliver import LEASE, deliver
from service.stages.sweep import erase
from tests.fakes.faults import Moment
from tests.fakes.webhooks import unanswered
from tests.stages.world import CALLER, PDF, World

DOWN: Final = unanswered()
#: The pauses of one delivery can last this long in all, jitter included.
WHOLE_SCHEDULE: Final = sum(SCHEDULE) * (1 + JITTER)


def subscribed(world: World, *events: EventType) -> Endpoint:
    """Make an endpoint."""
    url = "https://hooks.example.com/"
    return webhooks.create(world.parts, CALLER, url, frozenset(events), "")[0]


def sent(world: World) -> list[dict[str, Any]]:
    """Return the documents that were sent, in their order."""
    return [json.loads(message.body) for _, message, _, _ in world.sender.sent]


def types(world: World) -> list[str]:
    """Return the types of what was sent."""
    return [document["type"] for document in sent(world)]


def the_delivery(world: World) -> Delivery:
    """Return the one delivery there is."""
    (delivery,) = world.webhooks.deliveries.values()
    return delivery


def run(world: World, seconds: float, step: float = 60.0) -> None:
    """Let a worker work for that long."""
    for _ in range(int(seconds / step) + 1):
        world.clock.advance(step)
        world.work()


def test_a_released_upload_is_told_with_its_document(world: World) -> None:
    """One event, signed with the endpoint's secret, with what the API shows; then nothing is due any more."""
    endpoint, shown = webhooks.create(world.parts, CALLER, "https://a.example.com/", frozenset(), "")
    upload = world.upload(PDF)
    world.work()
    ((url, message, keys, _),) = world.sender.sent
    assert (url, len(keys)) == (endpoint.url, 1)
    assert shown.startswith("whsec_")
    document = json.loads(message.body)
    assert (document["type"], document["data"]["id"]) == ("upload.released", upload.id)
    assert document["data"]["state"] == "released"
    assert the_delivery(world).state is DeliveryState.DELIVERED
    run(world, 3600)
    assert len(world.sender.sent) == 1


def test_a_clean_upload_costs_three_saves_with_and_without_endpoints(world: World) -> None:
    """What is told is written by the saves that there are."""
    world.upload(PDF)
    assert world.faults.count("ledger.save") == 3
    assert world.webhooks.events == {}
    subscribed(world)
    world.upload(PDF)
    assert world.faults.count("ledger.save") == 6
    assert len(world.webhooks.events) == 1


def test_what_comes_to_rest_is_told(world: World) -> None:
    """Blocked, refused and erased, each once; what was refused is not told as erased."""
    subscribed(world)
    blocked = world.upload(PDF + EICAR)
    assert blocked.state is State.BLOCKED
    world.clock.advance(1)
    with pytest.raises(ContentRefused):
        world.upload(PDF, "deck.exe")
    world.work()
    assert types(world) == ["upload.blocked", "upload.refused"]
    for row in world.ledger.rows():
        world.clock.advance(1)
        erase(world.parts, row)
    world.work()
    assert types(world)[2:] == ["upload.erased"]
    assert sent(world)[2]["data"]["name"] == ""


def test_an_upload_that_is_erased_before_its_events_arrive_is_told_as_erased_alone(world: World) -> None:
    """A receiver that was down does not get the name of a file that was deleted meanwhile."""
    subscribed(world)
    world.sender.script = [DOWN]
    upload = world.upload(PDF, "secret plans.pdf")
    world.work()
    erase(world.parts, upload)
    world.sender.sent.clear()
    run(world, 3600)
    assert types(world) == ["upload.erased"]
    assert all(b"secret plans" not in message.body for _, message, _, _ in world.sender.sent)


def test_a_receiver_that_is_down_gets_ten_attempts_on_the_schedule(world: World) -> None:
    """Each after its pause, never before it; then the delivery failed and the endpoint with it."""
    endpoint = subscribed(world)
    world.sender.script = [DOWN] * 20
    world.upload(PDF)
    run(world, WHOLE_SCHEDULE + 3600, 30.0)
    delivery = the_delivery(world)
    assert delivery.state is DeliveryState.FAILED
    at = [attempt.at for attempt in delivery.attempts]
    assert len(at) == len(SCHEDULE)
    for pause, earlier, later in zip(SCHEDULE[1:], at, at[1:], strict=False):
        assert timedelta(seconds=pause) <= later - earlier <= timedelta(seconds=pause * (1 + JITTER) + 60)
    found = world.webhooks.find(endpoint.id)
    assert found
    assert found.disabled_reason is Disabled.FAILING
    world.upload(PDF)
    world.work()
    assert len(world.sender.sent) == len(SCHEDULE)


def test_each_attempt_is_dated_anew_and_has_the_same_id_and_bytes(world: World) -> None:
    """So that a receiver's check of the age holds, and its memory of ids too."""
    subscribed(world)
    world.sender.script = [Reply(500), Reply(302)]
    world.upload(PDF)
    run(world, 3600)
    assert len(world.sender.sent) == 3
    assert len({(message.id, message.body) for _, message, _, _ in world.sender.sent}) == 1
    assert len({at for _, _, _, at in world.sender.sent}) == 3
    assert the_delivery(world).state is DeliveryState.DELIVERED


def test_gone_is_gone(world: World) -> None:
    """410 disables at once; what else was pending is cancelled; replay catches up after enabling."""
    endpoint = subscribed(world)
    world.sender.script = [Reply(410)]
    world.upload(PDF)
    world.upload(PDF)
    run(world, 600)
    assert len(world.sender.sent) == 1
    assert {one.state for one in world.webhooks.deliveries.values()} == {
        DeliveryState.FAILED,
        DeliveryState.CANCELLED,
    }
    enabled = webhooks.switch(world.parts, CALLER, endpoint, None)
    begin = world.clock.now() - timedelta(days=1)
    assert webhooks.replay_range(world.parts, enabled, begin, world.clock.now()) == 2
    world.clock.advance(1)
    world.work()
    assert len(world.sender.sent) == 3


def test_rotating_signs_with_both_for_a_day(world: World) -> None:
    """And then with the new one alone."""
    endpoint = subscribed(world)
    webhooks.rotate(world.parts, endpoint)
    world.upload(PDF)
    world.work()
    world.clock.advance(timedelta(hours=24).total_seconds())
    world.report_canaries()
    world.upload(PDF)
    world.work()
    assert [len(keys) for _, _, keys, _ in world.sender.sent] == [2, 1]
    assert world.sender.sent[0][2][0] == world.sender.sent[1][2][0]


@pytest.mark.parametrize("operation", ["webhooks.claim", "sender.send", "webhooks.conclude"])
@pytest.mark.parametrize("moment", list(Moment))
def test_a_worker_that_is_killed_loses_nothing(world: World, operation: str, moment: Moment) -> None:
    """At every step: within half a minute the event is sent, by another, with its own id."""
    subscribed(world)
    world.upload(PDF)
    world.faults.kill(operation, 1, moment)
    world.work()
    died = world.clock.now()
    while the_delivery(world).state is not DeliveryState.DELIVERED:
        world.clock.advance(1)
        world.work()
        assert (world.clock.now() - died).total_seconds() <= 30
    assert len({message.id for _, message, _, _ in world.sender.sent}) == 1
    assert len(world.sender.sent) <= 2


def test_every_job_may_be_lost(world: World) -> None:
    """The truth is in the database: the reconciler finds what is due."""
    subscribed(world)
    world.upload(PDF)
    world.queue.jobs.clear()
    run(world, 10, 1.0)
    assert types(world) == ["upload.released"]


def test_two_workers_send_one_attempt_once(world: World) -> None:
    """In normal running: four that have the same job at once send each of five events once."""
    endpoint = subscribed(world)
    for _ in range(5):
        world.upload(PDF)
    with ThreadPoolExecutor(4) as pool:
        barrier = threading.Barrier(4)

        def job(_number: int) -> int:
            barrier.wait(10)
            return deliver(world.parts, endpoint.id)

        attempts = list(pool.map(job, range(4)))
    assert sum(attempts) == 5
    assert len({message.id for _, message, _, _ in world.sender.sent}) == 5


@pytest.mark.parametrize(("seconds", "attempts"), [(2, 10), (2.5, 1)])
def test_an_endpoint_s_turn_ends(world: World, seconds: float, attempts: int) -> None:
    """However much is due there: its thread is let go after a while, or at once by a receiver that is slow,
    and what is left comes later."""
    endpoint = subscribed(world)
    for _ in range(12):
        world.upload(PDF)
    slow = world.sender.send

    class Slow:
        """Takes that many seconds for each message."""

        def send(self, *arguments: Any) -> Reply:
            """Take its time."""
            world.clock.advance(seconds)
            return slow(*arguments)

    parts = replace(world.parts, webhook_sender=cast("WebhookSender", Slow()))
    assert deliver(parts, endpoint.id) == attempts
    run(world, 60, 5.0)
    assert len(world.sender.sent) == 12


def test_a_dead_endpoint_does_not_hold_up_another(world: World) -> None:
    """However many events are pending at the dead one, the other is told at once."""
    dead = subscribed(world, EventType.BLOCKED)
    subscribed(world, EventType.RELEASED)
    world.sender.script = [DOWN] * 3
    for _ in range(50):
        world.upload(PDF + EICAR)
    world.work()
    found = world.webhooks.find(dead.id)
    assert found
    assert found.rest_until is not None
    assert len(world.sender.sent) == 3
    world.upload(PDF)
    world.work()
    assert types(world)[3:] == ["upload.released"]


def test_a_secret_that_cannot_be_opened_is_a_failure_and_sends_nothing(world: World) -> None:
    """With another GREENROOM_SECRETS_KEY nothing unsigned goes out, and the operator is told."""
    endpoint = subscribed(world)
    world.webhooks.rotate(endpoint.id, b"sealed elsewhere", world.clock.now())
    world.upload(PDF)
    world.work()
    assert world.sender.sent == []
    assert the_delivery(world).attempts[0].error == "secret_unreadable"
    assert "webhook_secret" in [name for name, _ in world.log.failures]


def test_the_log_tells_of_attempts_without_url_or_name(world: World) -> None:
    """A URL may hold a token of the receiver's."""
    webhooks.create(world.parts, CALLER, "https://a.example.com/token-1", frozenset(), "")
    world.upload(PDF, "secret plans.pdf")
    world.work()
    lines = [fields for name, fields in world.log.lines if name == "webhook"]
    assert [line["status"] for line in lines] == [204]
    assert "token-1" not in repr(world.log.lines)
    assert "secret plans" not in repr(world.log.lines)


def test_old_events_are_forgotten_after_30_days(world: World) -> None:
    """By the worker, of itself."""
    subscribed(world)
    world.upload(PDF)
    world.work()
    world.clock.advance(timedelta(days=29).total_seconds())
    tidy(world.parts, world.queue)
    assert len(world.webhooks.events) == 1
    world.clock.advance(timedelta(days=1, hours=1).total_seconds())
    tidy(world.parts, world.queue)
    assert (world.webhooks.events, world.webhooks.deliveries) == ({}, {})


def unready(world: World) -> int:
    """Return how many events tell of a scanner that is not ready."""
    return sum(notice.type == EventType.UNREADY.value for notice, _ in world.webhooks.events.values())


def looked(world: World, watch: ScannerWatch, seconds: float, *failures: str) -> int:
    """Look for that long while the canaries say this; return how many events tell of it by now."""
    for _ in range(int(seconds / 10)):
        world.report_canaries(*failures)
        watch.look()
        world.clock.advance(10)
    watch.look()
    return unready(world)


def test_a_scanner_that_is_lost_is_told_once(world: World) -> None:
    """When that lasts; not while it stays so; again after ten minutes at the earliest."""
    subscribed(world)
    watch = ScannerWatch(world.parts)
    assert looked(world, watch, 60) == 0
    assert looked(world, watch, LASTING - 10, "lost") == 0
    assert looked(world, watch, 30, "lost") == 1
    assert looked(world, watch, 240, "lost") == 1
    assert looked(world, watch, 10) == 1
    assert looked(world, watch, LASTING + 10, "lost again") == 1
    assert looked(world, watch, 600) == 1
    world.faults.take_away("scanner.engine", ScannerUnavailable("away"))
    assert looked(world, watch, LASTING + 10) == 2
    for endpoint_id in world.queue.take(Task.DELIVER):
        deliver(world.parts, endpoint_id)
    assert [document["data"]["code"] for document in sent(world)] == ["scanner_untrusted", "unreachable"]
    assert not any("canar" in json.dumps(document["data"]) for document in sent(world))


def test_a_doubt_that_ends_is_told_to_nobody(world: World) -> None:
    """A reload of signatures is silence for a while; however often it comes, only unbroken doubt counts."""
    subscribed(world)
    watch = ScannerWatch(world.parts)
    for _ in range(5):
        assert looked(world, watch, 10) == 0
        world.faults.take_away("scanner.engine", ScannerUnavailable("reloads"))
        assert looked(world, watch, 60) == 0
        world.faults.give_back("scanner.engine")


def test_many_workers_tell_once(world: World) -> None:
    """Each sees its own scanner; an account hears of it once."""
    subscribed(world)
    watches = [ScannerWatch(world.parts) for _ in range(5)]
    for watch in watches:
        watch.look()
    for watch in watches:
        looked(world, watch, LASTING + 10, "lost")
    assert unready(world) == 1


def test_a_scanner_not_yet_proved_is_not_one_that_was_lost(world: World) -> None:
    """A worker that starts tells nobody."""
    subscribed(world)
    watch = ScannerWatch(world.parts)
    assert looked(world, watch, 2 * LASTING, "not yet") == 0


def test_a_ledger_that_is_away_at_that_moment_delays_the_word(world: World) -> None:
    """It is told at the next look that finds the ledger, and not forgotten."""
    subscribed(world)
    watch = ScannerWatch(world.parts)
    watch.look()
    looked(world, watch, LASTING - 10, "lost")
    world.clock.advance(20)
    world.faults.take_away("webhooks", LedgerUnavailable("away"))
    with pytest.raises(LedgerUnavailable):
        watch.look()
    world.faults.give_back("webhooks")
    watch.look()
    assert unready(world) == 1


def test_a_lease_outlasts_an_attempt(world: World) -> None:
    """While one worker is at an attempt the reconciler brings no other to it."""
    endpoint = subscribed(world)
    world.upload(PDF)
    now = world.clock.now()
    assert world.webhooks.claim(endpoint.id, now, now + LEASE)
    world.queue.jobs.clear()
    for _ in range(int(LEASE.total_seconds()) - 1):
        world.clock.advance(1)
        reconcile(world.parts, world.queue)
    assert world.queue.take(Task.DELIVER) == []
    world.clock.advance(5)
    reconcile(world.parts, world.queue)
    assert world.queue.take(Task.DELIVER) == [endpoint.id]
