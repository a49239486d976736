"""One of several processes that keep one log: ``python -m tests.contract.sequencer URL`` until it is ended.

It writes a line, gives lines their places and signs checkpoints without a pause, and tells of each round.
"""

import sys
from dataclasses import fields
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Engine

from service.adapters.clock import SystemClock
from service.adapters.database import open_engine
from service.adapters.ed25519_signer import Ed25519Signer
from service.adapters.fernet_sealer import FernetSealer
from service.adapters.sql_checkpoints import SqlCheckpoints
from service.adapters.sql_journal import SqlJournal
from service.core.journal import Act, Entry
from service.ports import Clock
from service.stages.log.checkpoint import EVERY, sign_when_due
from service.stages.log.place import place
from service.stages.parts import Parts

SECRETS_KEY: Final = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


class Hasty(SystemClock):
    """A clock on which a checkpoint is due each time that it is looked at."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> Any:
        """Return a time that is well after the one before."""
        self._ahead += EVERY
        return super().now() + self._ahead


def keeper(engine: Engine, clock: Clock) -> Parts:
    """Return what keeping a log takes, and nothing else."""
    absent: Any = None
    narrow: dict[str, Any] = {
        "journal": SqlJournal(engine),
        "checkpoints": SqlCheckpoints(engine),
        "sealer": FernetSealer([SECRETS_KEY]),
        "signer": Ed25519Signer(),
        "clock": clock,
    }
    return Parts(**dict.fromkeys((field.name for field in fields(Parts)), absent) | narrow)


def main() -> None:
    """Keep the log."""
    parts = keeper(open_engine(sys.argv[1]), Hasty())
    for number in range(1_000_000):
        parts.journal.append(
            [
                Entry(
                    parts.clock.now(), Act.CANARIES.value, {"number": number, "line": line}, account_id="acme"
                )
                for line in range(number % 7 + 1)
            ]
        )
        place(parts)
        sign_when_due(parts)
        print(number, flush=True)  # noqa: T201 - how the test is told


if __name__ == "__main__":
    main()
