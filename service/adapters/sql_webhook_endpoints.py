"""``ports.WebhookEndpoints`` on SQLAlchemy, beside the ledger in one database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, delete, func, insert, select, update

from service.adapters.database import Database
from service.adapters.outbox import cancel_pending
from service.adapters.schema import accounts
from service.adapters.schema_webhooks import webhook_deliveries, webhook_endpoints
from service.adapters.webhook_rows import endpoint_to_row, row_to_endpoint
from service.core.errors import TooManyEndpoints
from service.core.webhook import Disabled, Endpoint


class SqlWebhookEndpoints:
    """The endpoints in a database that ``python -m service migrate`` prepared."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``. Opens no connection yet."""
        self._database = Database(engine)

    def add(self, endpoint: Endpoint, most: int) -> None:
        """Add an endpoint within the limit."""
        with self._database.writing() as connection:
            # Locks the account until the end, so that two who add at once are counted one after another.
            mine = update(accounts).where(accounts.c.id == endpoint.account_id)
            connection.execute(mine.values(id=endpoint.account_id))
            there = select(func.count()).where(webhook_endpoints.c.account_id == endpoint.account_id)
            if (connection.scalar(there) or 0) >= most:
                raise TooManyEndpoints(f"The account has {most} endpoints already. Delete one first.")
            connection.execute(insert(webhook_endpoints), endpoint_to_row(endpoint))

    def find(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint."""
        found = self._database.read(select(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id))
        return row_to_endpoint(found[0]) if found else None

    def of_account(self, account_id: str) -> Sequence[Endpoint]:
        """Return an account's endpoints, oldest first."""
        query = select(webhook_endpoints).where(webhook_endpoints.c.account_id == account_id)
        in_order = query.order_by(webhook_endpoints.c.created_at, webhook_endpoints.c.id)
        return [row_to_endpoint(row) for row in self._database.read(in_order)]

    def remove(self, endpoint_id: str) -> None:
        """Remove an endpoint and its deliveries."""
        with self._database.writing() as connection:
            connection.execute(delete(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id))
            connection.execute(
                delete(webhook_deliveries).where(webhook_deliveries.c.endpoint_id == endpoint_id)
            )

    def rotate(self, endpoint_id: str, secret: bytes, previous_until: datetime) -> None:
        """Put a new secret first, in one statement: two who rotate at once leave two secrets."""
        self._change(
            endpoint_id,
            secret=secret,
            previous_secret=webhook_endpoints.c.secret,
            previous_until=previous_until,
        )

    def switch(self, endpoint_id: str, disabled: Disabled | None) -> None:
        """Disable and cancel, or enable with a clean slate."""
        if disabled is None:
            self._change(endpoint_id, disabled_reason=None, failures=0, rest_until=None)
            return
        with self._database.writing() as connection:
            endpoint = update(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id)
            connection.execute(endpoint.values(disabled_reason=disabled.value))
            connection.execute(cancel_pending(endpoint_id))

    def _change(self, endpoint_id: str, **values: object) -> None:
        with self._database.writing() as connection:
            endpoint = update(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id)
            connection.execute(endpoint.values(**values))
