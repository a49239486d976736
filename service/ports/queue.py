"""Background work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from service.core.upload import Upload
from service.core.webhook import Delivery


class Task(StrEnum):
    """What a job asks for. Each has its own queue and its own threads, so that none starves another."""

    ADVANCE = "advance"
    DELIVER = "deliver"


@dataclass(frozen=True, slots=True)
class Job:
    """Work on what has the id ``subject``, not before ``due_at``. Jobs with the same ``key`` are one."""

    task: Task
    subject: str
    key: str
    due_at: datetime | None


def advancing(upload: Upload) -> Job:
    """Return the job to take ``upload`` further."""
    return Job(Task.ADVANCE, upload.id, f"{upload.id}.{upload.version}", upload.due_at)


def delivering(delivery: Delivery) -> Job:
    """Return the job to send what is due at a delivery's endpoint once the delivery is."""
    return Job(Task.DELIVER, delivery.endpoint_id, f"{delivery.id}.{delivery.version}", delivery.due_at)


class Queue(Protocol):
    """Where the reconciler puts what nobody is at work on. Safe for many threads.

    All raise ``LedgerUnavailable``.
    """

    def push(self, job: Job, now: datetime) -> None:
        """Queue a job. Pushing often is no harm."""

    def purge(self, older_than: timedelta) -> None:
        """Forget jobs that ended, or whose worker did, longer than that ago."""


class QueueWorker(Protocol):
    """What takes jobs from the queue."""

    def start(self, handlers: Mapping[Task, Callable[[str], None]], executor: str) -> None:
        """Begin to hand each job's subject to its task's handler, several at once. ``executor`` names this
        process."""

    def stop(self) -> None:
        """Stop; let jobs under way end."""
