"""A queue in memory that may lose everything, as its port allows."""

from datetime import datetime, timedelta

from service.ports import Clock, Job, Task
from tests.fakes.faults import Faults


class FakeQueue:
    """``ports.Queue``, and the ledger's way to queue a job in its own transaction (``enqueue``)."""

    def __init__(self, faults: Faults, clock: Clock) -> None:
        self._faults = faults
        self._clock = clock
        self._seen: set[str] = set()
        self.jobs: list[tuple[datetime, Job]] = []

    def enqueue(self, job: Job) -> None:
        """Queue a job, not before its ``due_at``; atomic with the save it belongs to."""
        with self._faults.at("queue.enqueue"):
            self._put(job, job.key)

    def push(self, job: Job, now: datetime) -> None:
        """Queue a job, at most once every 15 seconds."""
        with self._faults.at("queue.push"):
            self._put(job, f"{job.key}.{int(now.timestamp()) // 15}")

    def _put(self, job: Job, key: str) -> None:
        if key not in self._seen:
            self._seen.add(key)
            self.jobs.append((job.due_at or self._clock.now(), job))

    def purge(self, older_than: timedelta) -> None:
        """Forget nothing: there is nothing old here."""
        with self._faults.at("queue.purge"):
            return

    def take(self, task: Task = Task.ADVANCE) -> list[str]:
        """Take the jobs of a task that are due: each is handed out once, and only this process has it."""
        now = self._clock.now()
        due = [job for job in self.jobs if job[0] <= now and job[1].task is task]
        self.jobs = [job for job in self.jobs if job not in due]
        return [job.subject for _, job in due]
