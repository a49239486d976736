"""The outbox: what is to be told, written in the transaction that made it true."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Update, insert, select, update

from service.adapters.schema_webhooks import webhook_deliveries, webhook_endpoints, webhook_events
from service.adapters.webhook_rows import delivery_to_row, notice_to_row
from service.core.upload import State, Upload
from service.core.webhook import Delivery, DeliveryState, Notice, ordered_id
from service.ports import Job, delivering


class Outbox:
    """Writes events and what is due of them within the caller's transaction."""

    def __init__(self, enqueue: Callable[[Connection, Job], None]) -> None:
        """Queue jobs by ``enqueue``, in the same transaction."""
        self._enqueue = enqueue

    def announce(self, connection: Connection, upload: Upload, notices: Sequence[Notice]) -> None:
        """Write what is to be told of an upload's moves, and forget what was told of an erased one."""
        if upload.state is State.ERASED:
            of_upload = update(webhook_events).where(webhook_events.c.upload_id == upload.id)
            connection.execute(of_upload.values(body=None))
        if not notices:
            return
        table = webhook_endpoints.c
        query = select(table.id, table.events, table.disabled_reason)
        mine = query.where(table.account_id == upload.account_id).order_by(table.id)
        # Locked, so that one who disables comes before, or after and cancels what is written here.
        there = connection.execute(mine.with_for_update(read=True)).all()
        if not there:
            return
        connection.execute(insert(webhook_events), [notice_to_row(notice) for notice in notices])
        for notice in notices:
            told = [row.id for row in there if not row.disabled_reason and notice.type in row.events.split()]
            self.tell(connection, told, notice)

    def tell(self, connection: Connection, endpoint_ids: Iterable[str], notice: Notice) -> list[Delivery]:
        """Make a stored notice due at once at endpoints; return the deliveries."""
        made = [
            new_delivery(notice.account_id, endpoint, notice.id, notice.type, notice.at)
            for endpoint in sorted(endpoint_ids)
        ]
        self.make_due(connection, made, notice.at)
        return made

    def make_due(self, connection: Connection, made: Sequence[Delivery], now: datetime) -> None:
        """Write new deliveries and queue a job for each endpoint where nothing is due yet."""
        if not made:
            return
        busy = self._busy(connection, {one.endpoint_id for one in made}, now)
        connection.execute(insert(webhook_deliveries), [delivery_to_row(one) for one in made])
        for delivery in {one.endpoint_id: one for one in made if one.endpoint_id not in busy}.values():
            self._enqueue(connection, delivering(delivery))

    def make_due_again(self, connection: Connection, delivery: Delivery) -> None:
        """Queue a job for a delivery that will be due later."""
        self._enqueue(connection, delivering(delivery))

    def _busy(self, connection: Connection, endpoint_ids: Iterable[str], at: datetime) -> set[str]:
        """Return the endpoints where something is due already, so that a burst is not a job for each event.

        Whoever is at work there goes on until nothing is due; if it just ended, the reconciler comes.
        """
        due = select(webhook_deliveries.c.endpoint_id).where(
            webhook_deliveries.c.endpoint_id.in_(endpoint_ids),
            webhook_deliveries.c.state == DeliveryState.PENDING.value,
            webhook_deliveries.c.due_at <= at,
        )
        return set(connection.scalars(due.distinct()))


def cancel_pending(endpoint_id: str) -> Update:
    """Return the statement that cancels what is pending at an endpoint, attempts under way included."""
    pending = update(webhook_deliveries).where(
        webhook_deliveries.c.endpoint_id == endpoint_id,
        webhook_deliveries.c.state == DeliveryState.PENDING.value,
    )
    return pending.values(
        state=DeliveryState.CANCELLED.value, lease_until=None, version=webhook_deliveries.c.version + 1
    )


def new_delivery(account_id: str, endpoint_id: str, event_id: str, kind: str, at: datetime) -> Delivery:
    """Return the delivery of an event to an endpoint, made and due at ``at``."""
    made_id = ordered_id("wd", at, secrets.token_hex(10))
    return Delivery(made_id, account_id, endpoint_id, event_id, kind, at, due_at=at)
