"""The worker's rounds on fakes."""

import threading
from collections.abc import Callable, Mapping

from service.core.errors import LedgerUnavailable, ScannerUnavailable
from service.jobs.watch import LASTING
from service.jobs.worker import Worker
from service.ports import Task
from service.stages import webhooks
from tests.stages.world import CALLER, PDF, World


class Idle:
    """A ``ports.QueueWorker`` that takes no jobs: they stay in the queue to be seen."""

    def start(self, handlers: Mapping[Task, Callable[[str], None]], executor: str) -> None:
        """Take nothing."""

    def stop(self) -> None:
        """Stop taking nothing."""


def test_word_that_cannot_be_sent_holds_up_nothing(world: World) -> None:
    """In the very round in which telling of a lost scanner fails, what is due is queued all the same."""
    webhooks.create(world.parts, CALLER, "https://hooks.example.com/", frozenset(), "")
    world.upload(PDF)
    stop = threading.Event()
    away = LedgerUnavailable("away")

    def lose_scanner() -> None:
        world.faults.take_away("scanner.engine", ScannerUnavailable("away"))

    def lose_alarm() -> None:
        world.clock.advance(LASTING)
        world.queue.jobs.clear()
        world.faults.take_away("webhooks.alarm", away)

    steps = iter([lose_scanner, lose_alarm, stop.set])

    def after_each_round() -> None:
        next(steps)()

    Worker(world.parts, world.queue, Idle(), stop, after_each_round, 600).run()
    assert ("round_failed", away) in world.log.failures
    assert [job.task for _, job in world.queue.jobs] == [Task.DELIVER]
