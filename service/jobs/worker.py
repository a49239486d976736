"""The background worker's life: prove the scanner, take jobs, reconcile, until it is stopped."""

import os
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from service.core.errors import Conflict, GreenroomError, PartUnavailable
from service.jobs.bookkeeper import Bookkeeper
from service.jobs.eraser import Eraser
from service.jobs.exporter import Exporter
from service.jobs.feeder import Feeder
from service.jobs.notary import Notary
from service.jobs.reconcile import reconcile, tidy
from service.jobs.rescanner import Rescanner
from service.jobs.retainer import Retainer
from service.jobs.scanner_history import ScannerHistory
from service.jobs.watch import ScannerWatch
from service.ports import Queue, QueueWorker, Task
from service.stages.advance import advance
from service.stages.deliver import deliver
from service.stages.parts import Parts

_ROUND: Final = 1.0
_TIDY_EVERY: Final = timedelta(minutes=10).total_seconds()


class Worker:
    """One worker process. ``run`` returns when ``stop`` was set."""

    def __init__(
        self,
        parts: Parts,
        queue: Queue,
        queue_worker: QueueWorker,
        stop: threading.Event,
        alive: Callable[[], None],
        rescan_rate: int,
    ) -> None:
        """Work with ``parts`` on what the queue brings, until ``stop`` is set; call ``alive`` each round.

        Scan ``rescan_rate`` released files again in a minute, at most, where there are any to scan.
        """
        self._parts = parts
        self._queue = queue
        self._queue_worker = queue_worker
        self._stop = stop
        self._alive = alive
        self._watch = ScannerWatch(parts)
        self._history = ScannerHistory(parts)
        self._keepers = (
            Bookkeeper(parts),
            Notary(parts),
            Feeder(parts),
            Eraser(parts),
            Rescanner(parts, rescan_rate),
            Exporter(parts),
            Retainer(parts),
        )
        self._tidy_due = 0.0
        self._troubles: frozenset[str] = frozenset()

    def run(self) -> None:
        """Work until told to stop.

        Raises ``ConfigurationError`` if the scanner is there but does not look into files as large as the
        policy accepts. A scanner that is away is waited for: nothing is released until its canaries pass.
        """
        self._parts.gate.prove_limit()
        self._parts.gate.start()
        handlers = {Task.ADVANCE: self._advance, Task.DELIVER: self._deliver}
        for keeper in self._keepers:
            keeper.start()
        self._queue_worker.start(handlers, f"{socket.gethostname()}-{os.getpid()}")
        try:
            while not self._stop.is_set():
                self._round()
                self._alive()
                self._stop.wait(_ROUND)
        finally:
            self._queue_worker.stop()
            for keeper in self._keepers:
                keeper.stop()

    def _advance(self, upload_id: str) -> None:
        try:
            advance(self._parts, upload_id)
        except Conflict:
            return  # Another worker was first.
        except GreenroomError as error:
            # The upload's lease or due time brings it back through the reconciler.
            self._parts.log.failure("advance_failed", error, {"upload": upload_id})

    def _deliver(self, endpoint_id: str) -> None:
        try:
            deliver(self._parts, endpoint_id)
        except GreenroomError as error:
            # The lease of the attempt runs out, or the reconciler finds what is due.
            self._parts.log.failure("deliver_failed", error, {"endpoint": endpoint_id})

    def _round(self) -> None:
        # Each by itself: word that cannot be sent must not keep uploads from being brought further.
        found = [self._trouble_of(step) for step in (self._reconcile, self._watch.look, self._history.look)]
        self._troubles = frozenset(code for code in found if code is not None)

    def _reconcile(self) -> None:
        now = self._parts.clock.monotonic()
        reconcile(self._parts, self._queue)
        if now >= self._tidy_due:
            tidy(self._parts, self._queue)
            self._tidy_due = now + _TIDY_EVERY

    def _trouble_of(self, step: Callable[[], None]) -> str | None:
        """Run a step of a round; return the code of the part that was away, if one was."""
        try:
            step()
        except PartUnavailable as error:
            if error.code not in self._troubles:
                # Once for each outage, not once a second.
                self._parts.log.failure("round_failed", error, {"code": error.code})
            return error.code
        except Exception as error:  # noqa: BLE001 - a round that failed must not end the worker
            self._parts.log.failure("round_failed", error, {})
        return None
