"""``ports.WebhookDeliveries`` on SQLAlchemy, beside the ledger in one database."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Select,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from service.adapters.database import Database, serialize
from service.adapters.outbox import Outbox, cancel_pending, new_delivery
from service.adapters.schema import accounts
from service.adapters.schema_webhooks import webhook_deliveries, webhook_endpoints, webhook_events
from service.adapters.webhook_rows import (
    attempts_to_json,
    notice_to_row,
    row_to_delivery,
    row_to_endpoint,
)
from service.core.errors import Conflict, NotFound, RangeNotAllowed
from service.core.webhook import Delivery, DeliveryState, Endpoint, Notice, Work
from service.core.webhook_schedule import ACCOUNT_AT_ONCE, Conclusion, room

_PENDING = DeliveryState.PENDING.value
#: Events forgotten in one transaction: more would keep SQLite's other writers waiting.
_PURGED_AT_ONCE: Final = 1000


class SqlWebhookDeliveries:
    """Events and deliveries in a database that ``python -m service migrate`` prepared."""

    def __init__(self, engine: Engine, outbox: Outbox) -> None:
        """Use ``engine``; what becomes due is written by ``outbox``."""
        self._database = Database(engine)
        self._outbox = outbox

    def alarm(self, make: Callable[[str], Notice], at: datetime, quiet: timedelta) -> int:
        """Tell every account that has endpoints, each in a transaction of its own."""
        query = select(webhook_endpoints.c.account_id).distinct()
        told = 0
        for row in self._database.read(query.order_by(webhook_endpoints.c.account_id)):
            with self._database.writing() as connection:
                told += self._alarm_one(connection, make(row["account_id"]), at - quiet)
        return told

    def _alarm_one(self, connection: Connection, notice: Notice, since: datetime) -> int:
        # Locks the account until the end: of many processes that alarm at once, the first tells it.
        mine = update(accounts).where(accounts.c.id == notice.account_id)
        connection.execute(mine.values(id=notice.account_id))
        events = webhook_events.c
        told = select(events.id).where(
            events.account_id == notice.account_id, events.at > since, events.type == notice.type
        )
        if connection.execute(told.limit(1)).first() is not None:
            return 0
        endpoints = webhook_endpoints.c
        query = select(endpoints.id, endpoints.events).where(
            endpoints.account_id == notice.account_id, endpoints.disabled_reason.is_(None)
        )
        # Locked as for ``announce``.
        enabled = connection.execute(query.order_by(endpoints.id).with_for_update(read=True))
        ids = [row.id for row in enabled if notice.type in row.events.split()]
        connection.execute(insert(webhook_events), notice_to_row(notice))
        self._outbox.tell(connection, ids, notice)
        return 1

    def send_to(self, endpoint_id: str, notice: Notice) -> Delivery:
        """Keep a notice and make it due at one endpoint."""
        with self._database.writing() as connection:
            if not _lock(connection, endpoint_id):
                raise NotFound("There is no such endpoint.")
            connection.execute(insert(webhook_events), notice_to_row(notice))
            (delivery,) = self._outbox.tell(connection, [endpoint_id], notice)
            return delivery

    def replay(self, endpoint: Endpoint, event_id: str, now: datetime) -> int:
        """Make one event due again."""
        mine = and_(webhook_events.c.id == event_id, webhook_events.c.account_id == endpoint.account_id)
        with self._database.writing() as connection:
            if not _lock(connection, endpoint.id):
                raise NotFound("There is no such endpoint.")
            kept = select(webhook_events.c.id).where(mine, webhook_events.c.body.is_not(None))
            if connection.execute(kept).first() is None:
                raise NotFound("There is no such event, or its file was deleted since.")
            return self._replay(connection, endpoint, mine, now, 1)

    def replay_range(
        self, endpoint: Endpoint, begin: datetime, end: datetime, now: datetime, most: int
    ) -> int:
        """Make the events of a time range due again."""
        events = webhook_events.c
        wanted = and_(
            events.account_id == endpoint.account_id,
            events.at >= begin,
            events.at < end,
            events.type.in_(sorted(endpoint.events)),
        )
        with self._database.writing() as connection:
            if not _lock(connection, endpoint.id):
                raise NotFound("There is no such endpoint.")
            return self._replay(connection, endpoint, wanted, now, most)

    def _replay(
        self,
        connection: Connection,
        endpoint: Endpoint,
        wanted: ColumnElement[bool],
        now: datetime,
        most: int,
    ) -> int:
        """Make what is ``wanted`` due at a locked endpoint, oldest first."""
        deliveries, events = webhook_deliveries.c, webhook_events.c
        pending = select(deliveries.event_id).where(
            deliveries.endpoint_id == endpoint.id, deliveries.state == _PENDING
        )
        query = select(events.id, events.type).where(
            wanted, events.body.is_not(None), events.id.not_in(pending)
        )
        rows = connection.execute(query.order_by(events.at, events.id).limit(most + 1)).all()
        if len(rows) > most:
            raise RangeNotAllowed(f"There are more than {most} events in that time. Ask for a shorter one.")
        # A microsecond apart: what is due longest goes first.
        made = [
            new_delivery(
                endpoint.account_id, endpoint.id, row.id, row.type, now + timedelta(microseconds=place)
            )
            for place, row in enumerate(rows)
        ]
        self._outbox.make_due(connection, made, now)
        return len(rows)

    def page(self, endpoint_id: str, before: str | None, limit: int) -> Sequence[Delivery]:
        """Return a page of an endpoint's deliveries."""
        query = select(webhook_deliveries).where(webhook_deliveries.c.endpoint_id == endpoint_id)
        if before is not None:
            query = query.where(webhook_deliveries.c.id < before)
        found = self._database.read(query.order_by(webhook_deliveries.c.id.desc()).limit(limit))
        return [row_to_delivery(row) for row in found]

    def claim(self, endpoint_id: str, now: datetime, lease_until: datetime) -> Work | None:
        """Take on what is due longest. Asks before it locks, because most jobs find nothing left to do."""
        if not self._database.read(_takeable(endpoint_id, now)):
            return None
        with self._database.writing() as connection:
            if not _lock(connection, endpoint_id):
                return None
            this = select(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id)
            endpoint = row_to_endpoint(connection.execute(this).mappings().one())
            rests = endpoint.rest_until is not None and endpoint.rest_until > now
            if endpoint.disabled_reason or rests or _is_busy(connection, endpoint, now):
                return None
            if connection.execute(_removed(endpoint.account_id)).first() is not None:
                return None
            while row := connection.execute(_takeable(endpoint_id, now)).mappings().first():
                work = self._take(connection, row, endpoint, lease_until)
                if work is not None:
                    return work
        return None

    def _take(
        self, connection: Connection, row: RowMapping, endpoint: Endpoint, lease_until: datetime
    ) -> Work | None:
        """Lease one delivery; cancel it and return ``None`` if what it tells was erased."""
        told = select(webhook_events.c.body, webhook_events.c.traceparent)
        event = connection.execute(told.where(webhook_events.c.id == row["event_id"])).first()
        body, traceparent = event or (None, None)
        found = row_to_delivery(row)
        taken = replace(found, version=found.version + 1, lease_until=lease_until)
        if body is None:
            taken = replace(taken, state=DeliveryState.CANCELLED, lease_until=None)
        connection.execute(
            update(webhook_deliveries)
            .where(webhook_deliveries.c.id == taken.id)
            .values(version=taken.version, lease_until=taken.lease_until, state=taken.state.value)
        )
        return None if body is None else Work(taken, endpoint, body, traceparent)

    def conclude(self, work: Work, conclusion: Conclusion) -> None:
        """Note an attempt, by compare-and-swap."""
        delivery = work.delivery
        with self._database.writing() as connection:
            _lock(connection, delivery.endpoint_id)
            done = connection.execute(
                update(webhook_deliveries)
                .where(
                    webhook_deliveries.c.id == delivery.id, webhook_deliveries.c.version == delivery.version
                )
                .values(
                    state=conclusion.state.value,
                    due_at=conclusion.due_at,
                    lease_until=None,
                    attempts=attempts_to_json((*delivery.attempts, conclusion.attempt)),
                    version=delivery.version + 1,
                )
            )
            if done.rowcount != 1:
                raise Conflict("The delivery was taken by another process.")
            self._note(connection, delivery, conclusion)

    def _note(self, connection: Connection, delivery: Delivery, conclusion: Conclusion) -> None:
        """Let the endpoint and the queue know."""
        changes: dict[str, Any] = {"failures": conclusion.failures, "rest_until": conclusion.rest_until}
        if conclusion.state is DeliveryState.DELIVERED:
            changes["last_success_at"] = conclusion.attempt.at
        if conclusion.disabled is not None:
            changes["disabled_reason"] = conclusion.disabled.value
            connection.execute(cancel_pending(delivery.endpoint_id))
        endpoint = update(webhook_endpoints).where(webhook_endpoints.c.id == delivery.endpoint_id)
        connection.execute(endpoint.values(changes))
        if conclusion.due_at is not None:
            again = replace(delivery, due_at=conclusion.due_at, version=delivery.version + 1)
            self._outbox.make_due_again(connection, again)

    def due(self, now: datetime, limit: int) -> Sequence[Delivery]:
        """Return what is due longest at each endpoint."""
        deliveries, endpoints = webhook_deliveries.c, webhook_endpoints.c
        rank = func.row_number().over(
            partition_by=deliveries.endpoint_id, order_by=(deliveries.due_at, deliveries.id)
        )
        ranked = (
            select(webhook_deliveries, rank.label("rank"))
            .join(webhook_endpoints, endpoints.id == deliveries.endpoint_id)
            .where(endpoints.disabled_reason.is_(None))
            .where(or_(endpoints.rest_until.is_(None), endpoints.rest_until <= now))
            .where(_is_free(now), ~_removed(deliveries.account_id).exists())
            .subquery()
        )
        first = select(ranked).where(ranked.c.rank == 1).order_by(ranked.c.due_at, ranked.c.id)
        return [row_to_delivery(row) for row in self._database.read(first.limit(limit))]

    def purge(self, before: datetime) -> None:
        """Forget what is old, oldest first, in short transactions."""
        while self._purge_some(before) == _PURGED_AT_ONCE:
            pass

    def _purge_some(self, before: datetime) -> int:
        events = webhook_events.c
        oldest = select(events.id).where(events.at < before).order_by(events.at).limit(_PURGED_AT_ONCE)
        with self._database.writing() as connection:
            old = connection.scalars(oldest).all()
            connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.event_id.in_(old)))
            connection.execute(delete(webhook_events).where(events.id.in_(old)))
        return len(old)


def _lock(connection: Connection, endpoint_id: str) -> bool:
    """Let one transaction at a time have an endpoint, until its end. Return whether there is one."""
    this = update(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id)
    return connection.execute(this.values(id=endpoint_id)).rowcount == 1


def _removed(account: Any) -> Select[Any]:  # noqa: ANN401 - a column or an id
    return select(accounts.c.id).where(accounts.c.id == account, accounts.c.removed_at.is_not(None))


def _is_free(now: datetime) -> ColumnElement[bool]:
    deliveries = webhook_deliveries.c
    return and_(
        deliveries.state == _PENDING,
        deliveries.due_at <= now,
        or_(deliveries.lease_until.is_(None), deliveries.lease_until <= now),
    )


def _takeable(endpoint_id: str, now: datetime) -> Select[Any]:
    query = select(webhook_deliveries).where(webhook_deliveries.c.endpoint_id == endpoint_id, _is_free(now))
    return query.order_by(webhook_deliveries.c.due_at, webhook_deliveries.c.id).limit(1)


def _is_busy(connection: Connection, endpoint: Endpoint, now: datetime) -> bool:
    """Tell whether as many attempts are under way as may be, at a locked endpoint or in its account."""
    # Two that claim at different endpoints of an account are counted one after another.
    serialize(connection, f"webhook attempts {endpoint.account_id}")
    deliveries = webhook_deliveries.c
    leased = select(deliveries.endpoint_id).where(
        deliveries.account_id == endpoint.account_id,
        deliveries.state == _PENDING,
        deliveries.lease_until > now,
    )
    under_way = connection.scalars(leased).all()
    return len(under_way) >= ACCOUNT_AT_ONCE or under_way.count(endpoint.id) >= room(endpoint.failures)
