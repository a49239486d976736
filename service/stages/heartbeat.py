"""Heartbeat: while a process works on an upload it prolongs the upload's lease.

One thread of each process beats for all uploads in its hands, because a thread that waits for a client, a
store or a scanner cannot. When the process dies the beat stops, the lease runs out, and the reconciler of
any worker takes over.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from service.core.errors import Conflict
from service.core.upload import Upload
from service.ports import Clock, EventLog, Ledger

#: How long a process may be silent about an upload before another may take it over.
LEASE: Final = timedelta(seconds=20)
_EVERY: Final = LEASE.total_seconds() / 4


class Heartbeat:
    """Prolongs the leases of the uploads that this process holds. The thread starts with the first."""

    def __init__(self, ledger: Ledger, clock: Clock, log: EventLog) -> None:
        """Renew in ``ledger`` by ``clock``."""
        self._ledger = ledger
        self._clock = clock
        self._log = log
        self._held: dict[str, Upload] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def hold(self, upload: Upload) -> Iterator[None]:
        """Keep the lease of a saved ``upload`` alive for as long as the block runs."""
        with self._lock:
            self._held[upload.id] = upload
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(upload.id, None)

    def beat(self) -> None:
        """Renew every lease once."""
        with self._lock:
            held = list(self._held.values())
        for upload in held:
            try:
                self._ledger.renew(upload, self._clock.now() + LEASE)
            except Conflict:
                # The upload moved on without us; our own next save will say so.
                continue
            except Exception as error:  # noqa: BLE001 - one lease must not cost the others theirs
                self._log.failure("lease_not_renewed", error, {"upload": upload.id})

    def _run(self) -> None:
        while True:
            time.sleep(_EVERY)
            self.beat()
