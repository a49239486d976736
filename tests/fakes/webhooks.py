"""Webhooks in memory, keeping the promises of ``ports.WebhookEndpoints`` and ``ports.WebhookDeliveries``."""

import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from service.core.errors import AddressNotAllowed, Conflict, NotFound, RangeNotAllowed, TooManyEndpoints
from service.core.upload import State, Upload
from service.core.webhook import (
    Delivery,
    DeliveryState,
    Disabled,
    Endpoint,
    EventType,
    Notice,
    Work,
    ordered_id,
)
from service.core.webhook_schedule import ACCOUNT_AT_ONCE, Conclusion, Reply, Unanswered, room
from service.ports import Job, delivering
from tests.fakes.faults import Faults


class FakeWebhooks:
    """Endpoints, events and deliveries as values. A body of ``None`` was forgotten."""

    def __init__(self, faults: Faults, enqueue: Callable[[Job], None]) -> None:
        self._faults = faults
        self._enqueue = enqueue
        #: Whether an account was removed, told by the accounts of the same world.
        self.removed: Callable[[str], bool] = lambda _: False
        self._lock = threading.RLock()
        self._endpoints: dict[str, Endpoint] = {}
        self.events: dict[str, tuple[Notice, bytes | None]] = {}
        self.deliveries: dict[str, Delivery] = {}

    def add(self, endpoint: Endpoint, most: int) -> None:
        """Add an endpoint."""
        with self._faults.at("webhooks.add"), self._lock:
            if len(self.of_account(endpoint.account_id)) >= most:
                raise TooManyEndpoints("too many")
            self._endpoints[endpoint.id] = endpoint

    def find(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint."""
        with self._faults.at("webhooks.find"):
            return self._endpoints.get(endpoint_id)

    def of_account(self, account_id: str) -> Sequence[Endpoint]:
        """Return an account's endpoints."""
        with self._lock:
            mine = [one for one in self._endpoints.values() if one.account_id == account_id]
            return sorted(mine, key=lambda one: (one.created_at, one.id))

    def remove(self, endpoint_id: str) -> None:
        """Remove an endpoint."""
        with self._faults.at("webhooks.remove"), self._lock:
            self._endpoints.pop(endpoint_id, None)
            kept = {key: one for key, one in self.deliveries.items() if one.endpoint_id != endpoint_id}
            self.deliveries = kept

    def rotate(self, endpoint_id: str, secret: bytes, previous_until: datetime) -> None:
        """Put a new secret first."""
        with self._faults.at("webhooks.rotate"), self._lock:
            one = self._endpoints[endpoint_id]
            self._endpoints[endpoint_id] = replace(
                one, secret=secret, previous_secret=one.secret, previous_until=previous_until
            )

    def switch(self, endpoint_id: str, disabled: Disabled | None) -> None:
        """Disable or enable."""
        with self._faults.at("webhooks.switch"), self._lock:
            one = self._endpoints[endpoint_id]
            if disabled is None:
                changed = replace(one, disabled_reason=None, failures=0, rest_until=None)
            else:
                changed = replace(one, disabled_reason=disabled)
                self._cancel(endpoint_id)
            self._endpoints[endpoint_id] = changed

    def announce(self, upload: Upload, notices: Sequence[Notice]) -> None:
        """Keep what is to be told of an upload: a part of ``FakeLedger.save``."""
        with self._lock:
            if upload.state is State.ERASED:
                told = {key: note for key, (note, _) in self.events.items() if note.upload_id == upload.id}
                self.events |= {key: (note, None) for key, note in told.items()}
            there = self.of_account(upload.account_id)
            for notice in notices if there else ():
                self.events[notice.id] = (notice, notice.body)
                self._make_due([one.id for one in there if _subscribes(one, notice)], [notice], notice.at)

    def alarm(self, make: Callable[[str], Notice], at: datetime, quiet: timedelta) -> int:
        """Tell every account that has endpoints."""
        with self._faults.at("webhooks.alarm"), self._lock:
            told = 0
            for account in sorted({one.account_id for one in self._endpoints.values()}):
                notice = make(account)
                if any(_same(old, notice) and old.at > at - quiet for old, _ in self.events.values()):
                    continue
                self.events[notice.id] = (notice, notice.body)
                there = [one.id for one in self.of_account(account) if _subscribes(one, notice)]
                self._make_due(there, [notice], at)
                told += 1
            return told

    def send_to(self, endpoint_id: str, notice: Notice) -> Delivery:
        """Keep a notice for one endpoint."""
        with self._faults.at("webhooks.send_to"), self._lock:
            self._check(endpoint_id)
            self.events[notice.id] = (notice, notice.body)
            (made,) = self._make_due([endpoint_id], [notice], notice.at)
            return made

    def replay(self, endpoint: Endpoint, event_id: str, now: datetime) -> int:
        """Make one event due again."""
        with self._faults.at("webhooks.replay"), self._lock:
            self._check(endpoint.id)
            notice, body = self.events.get(event_id, (None, None))
            if notice is None or body is None or notice.account_id != endpoint.account_id:
                raise NotFound("none")
            return len(self._make_due([endpoint.id], self._not_pending(endpoint, [notice]), now))

    def replay_range(
        self, endpoint: Endpoint, begin: datetime, end: datetime, now: datetime, most: int
    ) -> int:
        """Make events of a time due again."""
        with self._faults.at("webhooks.replay_range"), self._lock:
            self._check(endpoint.id)
            wanted = [
                notice
                for notice, body in self.events.values()
                if notice.account_id == endpoint.account_id
                and body is not None
                and begin <= notice.at < end
                and notice.type in endpoint.events
            ]
            found = self._not_pending(endpoint, sorted(wanted, key=lambda one: (one.at, one.id)))
            if len(found) > most:
                raise RangeNotAllowed("too many")
            for place, notice in enumerate(found):
                self._make_due([endpoint.id], [notice], now + timedelta(microseconds=place))
            return len(found)

    def page(self, endpoint_id: str, before: str | None, limit: int) -> Sequence[Delivery]:
        """Return a page of deliveries."""
        with self._faults.at("webhooks.page"), self._lock:
            mine = [one for one in self.deliveries.values() if one.endpoint_id == endpoint_id]
            newest = sorted(mine, key=lambda one: one.id, reverse=True)
            return [one for one in newest if before is None or one.id < before][:limit]

    def claim(self, endpoint_id: str, now: datetime, lease_until: datetime) -> Work | None:
        """Take a delivery on."""
        with self._faults.at("webhooks.claim"), self._lock:
            endpoint = self._endpoints.get(endpoint_id)
            if endpoint is None or not _is_open(endpoint, now) or self.removed(endpoint.account_id):
                return None
            leased = [one for one in self._pending() if _is_leased(one, now)]
            of_account = sum(one.account_id == endpoint.account_id for one in leased)
            here = sum(one.endpoint_id == endpoint_id for one in leased)
            if of_account >= ACCOUNT_AT_ONCE or here >= room(endpoint.failures):
                return None
            mine = [one for one in self._pending() if one.endpoint_id == endpoint_id]
            for found in sorted((one for one in mine if _is_free(one, now)), key=_due_order):
                notice, body = self.events[found.event_id]
                taken = replace(found, version=found.version + 1, lease_until=lease_until)
                if body is not None:
                    self.deliveries[found.id] = taken
                    return Work(taken, endpoint, body, notice.traceparent)
                self.deliveries[found.id] = replace(taken, state=DeliveryState.CANCELLED, lease_until=None)
            return None

    def conclude(self, work: Work, conclusion: Conclusion) -> None:
        """Note an attempt."""
        with self._faults.at("webhooks.conclude"), self._lock:
            found = self.deliveries.get(work.delivery.id)
            if found is None or found.version != work.delivery.version:
                raise Conflict("taken")
            done = replace(
                found,
                state=conclusion.state,
                due_at=conclusion.due_at,
                lease_until=None,
                attempts=(*found.attempts, conclusion.attempt),
                version=found.version + 1,
            )
            self.deliveries[done.id] = done
            endpoint = replace(
                self._endpoints[done.endpoint_id],
                failures=conclusion.failures,
                rest_until=conclusion.rest_until,
            )
            if done.state is DeliveryState.DELIVERED:
                endpoint = replace(endpoint, last_success_at=conclusion.attempt.at)
            if conclusion.disabled is not None:
                endpoint = replace(endpoint, disabled_reason=conclusion.disabled)
                self._cancel(endpoint.id)
            self._endpoints[endpoint.id] = endpoint
            if done.due_at is not None:
                self._enqueue(delivering(done))

    def due(self, now: datetime, limit: int) -> Sequence[Delivery]:
        """Return what is due longest at each endpoint."""
        with self._faults.at("webhooks.due"), self._lock:
            first: dict[str, Delivery] = {}
            for one in sorted((one for one in self._pending() if _is_free(one, now)), key=_due_order):
                endpoint = self._endpoints.get(one.endpoint_id)
                shut = self.removed(one.account_id)
                if endpoint is not None and not shut and _is_open(endpoint, now):
                    first.setdefault(one.endpoint_id, one)
            return list(first.values())[:limit]

    def purge(self, before: datetime) -> None:
        """Forget what is old."""
        with self._faults.at("webhooks.purge"), self._lock:
            old = {key for key, (notice, _) in self.events.items() if notice.at < before}
            self.events = {key: one for key, one in self.events.items() if key not in old}
            self.deliveries = {key: one for key, one in self.deliveries.items() if one.event_id not in old}

    def _check(self, endpoint_id: str) -> None:
        if endpoint_id not in self._endpoints:
            raise NotFound("none")

    def _pending(self) -> list[Delivery]:
        return [one for one in self.deliveries.values() if one.state is DeliveryState.PENDING]

    def _cancel(self, endpoint_id: str) -> None:
        for one in self._pending():
            if one.endpoint_id == endpoint_id:
                self.deliveries[one.id] = replace(
                    one, state=DeliveryState.CANCELLED, lease_until=None, version=one.version + 1
                )

    def _not_pending(self, endpoint: Endpoint, notices: Iterable[Notice]) -> list[Notice]:
        there = {one.event_id for one in self._pending() if one.endpoint_id == endpoint.id}
        return [notice for notice in notices if notice.id not in there]

    def _make_due(self, endpoints: Sequence[str], notices: Sequence[Notice], at: datetime) -> list[Delivery]:
        busy = {one.endpoint_id for one in self._pending() if one.due_at is not None and one.due_at <= at}
        made = [
            Delivery(
                ordered_id("wd", at, secrets.token_hex(10)),
                notice.account_id,
                endpoint,
                notice.id,
                notice.type,
                at,
                due_at=at,
            )
            for notice in notices
            for endpoint in endpoints
        ]
        for one in {one.endpoint_id: one for one in made if one.endpoint_id not in busy}.values():
            self._enqueue(delivering(one))
        self.deliveries |= {one.id: one for one in made}
        return made


class FakeSender:
    """``ports.WebhookSender`` that keeps what it was given and answers from ``script``, else with 204."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.script: list[Reply] = []
        self.sent: list[tuple[str, Notice, Sequence[bytes], datetime]] = []

    def vet(self, untrusted_url: str) -> None:
        """Take https alone."""
        if not untrusted_url.startswith("https://"):
            raise AddressNotAllowed("https only")

    def send(self, url: str, message: Notice, secrets: Sequence[bytes], at: datetime) -> Reply:
        """Keep a message."""
        with self._faults.at("sender.send"):
            self.sent.append((url, message, secrets, at))
            return self.script.pop(0) if self.script else Reply(204)


def unanswered() -> Reply:
    """Return the reply of a receiver that is down."""
    return Reply(None, Unanswered.CONNECT_FAILED)


def _subscribes(endpoint: Endpoint, notice: Notice) -> bool:
    return endpoint.disabled_reason is None and notice.type in {EventType(one) for one in endpoint.events}


def _same(old: Notice, new: Notice) -> bool:
    return (old.account_id, old.type) == (new.account_id, new.type)


def _is_open(endpoint: Endpoint, now: datetime) -> bool:
    rests = endpoint.rest_until is not None and endpoint.rest_until > now
    return endpoint.disabled_reason is None and not rests


def _is_leased(delivery: Delivery, now: datetime) -> bool:
    return delivery.lease_until is not None and delivery.lease_until > now


def _is_free(delivery: Delivery, now: datetime) -> bool:
    return delivery.due_at is not None and delivery.due_at <= now and not _is_leased(delivery, now)


def _due_order(delivery: Delivery) -> tuple[datetime, str]:
    return delivery.due_at or delivery.created_at, delivery.id
