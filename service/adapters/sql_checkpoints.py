"""``ports.Checkpoints`` on SQLAlchemy."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Engine, insert, select, update

from service.adapters.database import Database, serialize
from service.adapters.schema_log import log_checkpoints, log_keys, pseudonym_keys
from service.core.errors import Conflict
from service.core.journal import SignedCheckpoint
from service.ports import LogKey, PseudonymKey


class SqlCheckpoints:
    """Checkpoints and the log's keys in the ledger's database."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``."""
        self._database = Database(engine)

    def add(self, checkpoint: SignedCheckpoint) -> None:
        """Add a checkpoint."""
        larger = select(log_checkpoints.c.size).where(log_checkpoints.c.size >= checkpoint.size).limit(1)
        with self._database.writing() as connection:
            serialize(connection, "log_checkpoints")
            if connection.execute(larger).first() is not None:
                raise Conflict("Another process signed as much first.")
            connection.execute(insert(log_checkpoints), asdict(checkpoint))

    def newest(self) -> SignedCheckpoint | None:
        """Return the newest checkpoint."""
        found = self._database.read(select(log_checkpoints).order_by(log_checkpoints.c.size.desc()).limit(1))
        return SignedCheckpoint(**found[0]) if found else None

    def after(self, size: int, limit: int) -> Sequence[SignedCheckpoint]:
        """Return checkpoints in order."""
        query = select(log_checkpoints).where(log_checkpoints.c.size > size)
        found = self._database.read(query.order_by(log_checkpoints.c.size).limit(limit))
        return [SignedCheckpoint(**row) for row in found]

    def log_keys(self) -> Sequence[LogKey]:
        """Return the keys that sign."""
        found = self._database.read(select(log_keys).order_by(log_keys.c.generation.desc()))
        return [LogKey(**row) for row in found]

    def add_log_key(self, key: LogKey) -> None:
        """Add a generation."""
        with self._database.writing() as connection:
            connection.execute(insert(log_keys), asdict(key))

    def pseudonym_key(self, account_id: str) -> PseudonymKey | None:
        """Return an account's key."""
        found = self._database.read(select(pseudonym_keys).where(pseudonym_keys.c.account_id == account_id))
        return PseudonymKey(**found[0]) if found else None

    def add_pseudonym_key(self, key: PseudonymKey) -> None:
        """Add an account's key."""
        with self._database.writing() as connection:
            serialize(connection, "pseudonym_keys")
            connection.execute(insert(pseudonym_keys), asdict(key))

    def destroy_pseudonym_key(self, account_id: str, at: datetime) -> None:
        """Forget an account's key."""
        its = update(pseudonym_keys).where(pseudonym_keys.c.account_id == account_id)
        with self._database.writing() as connection:
            serialize(connection, "pseudonym_keys")
            if connection.execute(its.values(sealed=None)).rowcount == 0:
                # In the place of one that could still be made, for lines that wait.
                connection.execute(insert(pseudonym_keys), asdict(PseudonymKey(account_id, None, at)))
