"""The durable queue on DBOS, in the ledger's own database.

DBOS only carries upload ids; the truth stays in the ledger. A job may run twice or be lost with its
worker: ``advance`` compares and swaps, and the reconciler queues again whatever nobody is at work on.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from sqlalchemy import Connection, Engine

from service.adapters.database import translated
from service.core.upload import Upload

_QUEUE: Final = "uploads"
_BATCH: Final = 500
_WORKFLOW: Final = "advance_upload"
_APP: Final = "greenroom"
#: A constant, because DBOS would else take the code's hash and leave jobs behind at every upgrade.
_APP_VERSION: Final = "1"


def migrate_queue(url: str) -> None:
    """Bring DBOS's tables in the database at ``url`` up to date."""
    DBOS.migrate(url)


class DbosQueue:
    """Where jobs are put: in the ledger's transaction, or later by the reconciler."""

    def __init__(self, engine: Engine) -> None:
        """Use the ledger's ``engine``. Opens no connection yet."""
        self._engine = engine
        # Left to itself DBOS waits for a database that is away, and with it would wait whoever asked.
        self._client = DBOSClient(
            system_database_engine=engine, application_name=_APP, lazy=True, retry_connection_errors=False
        )

    def enqueue(self, connection: Connection, upload: Upload) -> None:
        """Queue a job for ``upload``, not before its ``due_at``, within the caller's transaction."""
        self._put(connection, upload, f"{upload.id}.{upload.version}")

    def push(self, upload: Upload, now: datetime) -> None:
        """Queue a job for an upload that nobody is at work on, at most once every 15 seconds."""
        with translated(), self._engine.begin() as connection:
            self._put(connection, upload, f"{upload.id}.{upload.version}.{int(now.timestamp()) // 15}")

    def _put(self, connection: Connection, upload: Upload, job_id: str) -> None:
        options: EnqueueOptions = {
            "queue_name": _QUEUE,
            "workflow_name": _WORKFLOW,
            "workflow_id": job_id,
            "app_version": _APP_VERSION,
        }
        wait = (upload.due_at - datetime.now(UTC)).total_seconds() if upload.due_at else 0.0
        if wait > 0:
            options["delay_seconds"] = wait
        self._client.enqueue_in_transaction(connection, options, upload.id)

    def purge(self, older_than: timedelta) -> None:
        """Forget jobs that ended longer than that ago, and those that began so long ago that no worker
        can be at them any more.
        """
        before = (datetime.now(UTC) - older_than).isoformat()
        ended = partial(self._client.list_workflows, completed_before=before)
        dead = partial(self._client.list_workflows, status="PENDING", dequeued_before=before)
        for listed in (ended, dead):
            with translated():
                while old := listed(limit=_BATCH, load_input=False, load_output=False):
                    self._client.delete_workflows([job.workflow_id for job in old])


class DbosWorker:
    """Takes jobs from the queue and hands each upload id to one function."""

    def __init__(self, url: str, at_once: int) -> None:
        """Serve the database at ``url``, at most ``at_once`` jobs at a time."""
        self._url = url
        self._at_once = at_once

    def start(self, handle: Callable[[str], None], executor: str) -> None:
        """Begin to take jobs in threads of DBOS's. ``executor`` names this process."""
        logging.getLogger("dbos").setLevel(logging.WARNING)
        config: DBOSConfig = {
            "name": _APP,
            "system_database_url": self._url,
            "application_version": _APP_VERSION,
            "executor_id": executor,
            "log_level": "WARNING",
            "run_migrations": False,
        }
        DBOS(config=config)
        DBOS.workflow(name=_WORKFLOW)(_named(handle))
        DBOS.launch()
        DBOS.register_queue(_QUEUE, worker_concurrency=self._at_once, polling_interval_sec=0.1)

    def stop(self) -> None:
        """Stop taking jobs and let those under way end, at most a few seconds."""
        DBOS.destroy(workflow_completion_timeout_sec=5)


def _named(handle: Callable[[str], None]) -> Callable[[str], None]:
    def advance_upload(upload_id: str) -> None:
        handle(upload_id)

    return advance_upload
