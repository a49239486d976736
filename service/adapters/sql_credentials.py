"""``ports.Credentials`` on SQLAlchemy, beside the ledger in one database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, func, insert, or_, select, update

from service.adapters import rows
from service.adapters.database import Database, serialize
from service.adapters.schema import accounts, api_keys
from service.core.errors import BadRequest
from service.ports import ApiKey


class SqlCredentials:
    """Credentials in a database that ``python -m service migrate`` prepared."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``. Opens no connection yet."""
        self._database = Database(engine)

    def add_key(self, key: ApiKey, live_at: datetime, most_live: int) -> None:
        """Add a key within the limit of live ones."""
        with self._database.writing() as connection:
            serialize(connection, key.account_id)
            known = update(accounts).where(accounts.c.id == key.account_id).values(id=key.account_id)
            if connection.execute(known).rowcount == 0:
                connection.execute(insert(accounts), {"id": key.account_id, "created_at": key.created_at})
            live = select(func.count()).where(
                api_keys.c.account_id == key.account_id,
                api_keys.c.revoked_at.is_(None),
                or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > live_at),
            )
            if (connection.scalar(live) or 0) >= most_live:
                raise BadRequest(f"The account has {most_live} live keys already. Revoke one first.")
            connection.execute(insert(api_keys), rows.key_to_row(key))

    def key(self, prefix: str) -> ApiKey | None:
        """Return a key by its prefix."""
        found = self._database.read(select(api_keys).where(api_keys.c.prefix == prefix))
        return rows.row_to_key(found[0]) if found else None

    def keys(self, account_id: str | None = None) -> Sequence[ApiKey]:
        """Return keys, oldest first."""
        query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.prefix)
        if account_id is not None:
            query = query.where(api_keys.c.account_id == account_id)
        return [rows.row_to_key(row) for row in self._database.read(query)]

    def revoke_key(self, prefix: str, at: datetime) -> bool:
        """Revoke a live key."""
        live = update(api_keys).where(api_keys.c.prefix == prefix, api_keys.c.revoked_at.is_(None))
        with self._database.writing() as connection:
            return connection.execute(live.values(revoked_at=at)).rowcount == 1
