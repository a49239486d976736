"""A queue in memory that may lose everything, as its port allows."""

from datetime import datetime, timedelta

from service.core.upload import Upload
from service.ports import Clock
from tests.fakes.faults import Faults


class FakeQueue:
    """``ports.Queue``, and the ledger's way to queue a job in its own transaction (``enqueue``)."""

    def __init__(self, faults: Faults, clock: Clock) -> None:
        self._faults = faults
        self._clock = clock
        self._seen: set[str] = set()
        self.jobs: list[tuple[datetime, str]] = []

    def enqueue(self, upload: Upload) -> None:
        """Queue a job, not before its ``due_at``; atomic with the save it belongs to."""
        with self._faults.at("queue.enqueue"):
            self._put(upload, f"{upload.id}.{upload.version}")

    def push(self, upload: Upload, now: datetime) -> None:
        """Queue a job, at most once every 15 seconds."""
        with self._faults.at("queue.push"):
            self._put(upload, f"{upload.id}.{upload.version}.{int(now.timestamp()) // 15}")

    def _put(self, upload: Upload, job: str) -> None:
        if job not in self._seen:
            self._seen.add(job)
            self.jobs.append((upload.due_at or self._clock.now(), upload.id))

    def purge(self, older_than: timedelta) -> None:
        """Forget nothing: there is nothing old here."""
        with self._faults.at("queue.purge"):
            return

    def take(self) -> list[str]:
        """Take the jobs that are due: each id is handed out once, and then only this process has it."""
        now = self._clock.now()
        due = [upload_id for at, upload_id in self.jobs if at <= now]
        self.jobs = [job for job in self.jobs if job[0] > now]
        return due
