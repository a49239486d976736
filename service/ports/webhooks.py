"""Webhooks: who is told, what of, and how it is sent."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from service.core.webhook import Delivery, Disabled, Endpoint, Notice, Work
from service.core.webhook_schedule import Conclusion, Reply


class WebhookEndpoints(Protocol):
    """The endpoints of all accounts. Safe for many threads and processes at once.

    A change is durable when the call returned. All raise ``LedgerUnavailable``.
    """

    def add(self, endpoint: Endpoint, most: int) -> None:
        """Add an endpoint. Raises ``TooManyEndpoints`` if its account, which exists, has ``most`` already."""

    def find(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint, whoever owns it."""

    def of_account(self, account_id: str) -> Sequence[Endpoint]:
        """Return an account's endpoints, oldest first."""

    def remove(self, endpoint_id: str) -> None:
        """Remove an endpoint and its deliveries. None there is fine."""

    def rotate(self, endpoint_id: str, secret: bytes, previous_until: datetime) -> None:
        """Put ``secret`` first; the one it replaces signs too until then, and any older one no more."""

    def switch(self, endpoint_id: str, disabled: Disabled | None) -> None:
        """Disable for a reason, which cancels what is pending there, or enable with a clean slate."""


class WebhookDeliveries(Protocol):
    """Events and their way to the endpoints. Safe for many threads and processes at once.

    ``Ledger.save`` adds the notices of uploads in its own transaction. A notice is kept, for replay, if its
    account has any endpoint, and becomes due at once at every enabled one that subscribes. Whatever makes a
    delivery due queues a job in the same transaction, unless others are due there already: then someone was
    told. All raise ``LedgerUnavailable``.
    """

    def alarm(self, make: Callable[[str], Notice], at: datetime, quiet: timedelta) -> int:
        """Tell each account that has endpoints what ``make`` gives for it, and return how many were told.

        An account that was told something of the same type since ``at - quiet`` is not told, also when
        many processes alarm at once."""

    def send_to(self, endpoint_id: str, notice: Notice) -> Delivery:
        """Keep a notice and make it due at one endpoint alone. Raises ``NotFound`` if that is gone."""

    def replay(self, endpoint: Endpoint, event_id: str, now: datetime) -> int:
        """Make one event of the endpoint's account due there; return 1, or 0 where it still is pending.

        Raises ``NotFound`` for an event that is not kept, or whose upload was erased since."""

    def replay_range(
        self, endpoint: Endpoint, begin: datetime, end: datetime, now: datetime, most: int
    ) -> int:
        """Make the subscribed events from ``begin`` to before ``end`` due and return how many that were.

        They become due in their order, oldest first. Skips those still pending there and those of uploads
        erased since. Raises ``RangeNotAllowed``, having done nothing, for more than ``most``."""

    def page(self, endpoint_id: str, before: str | None, limit: int) -> Sequence[Delivery]:
        """Return an endpoint's deliveries, newest first, whose id sorts below ``before``."""

    def claim(self, endpoint_id: str, now: datetime, lease_until: datetime) -> Work | None:
        """Take on the delivery that is due longest at an endpoint, if there is one nobody is at.

        ``None`` too while the endpoint is disabled, rests, or has as many attempts under way as it may, or
        its account has, or was removed. What was erased since it was kept is cancelled."""

    def conclude(self, work: Work, conclusion: Conclusion) -> None:
        """Note an attempt and what it means. Raises ``Conflict`` if the delivery was taken by others."""

    def due(self, now: datetime, limit: int) -> Sequence[Delivery]:
        """Return, for each endpoint with something due that could be taken on, what is due longest."""

    def purge(self, before: datetime) -> None:
        """Forget events from before then, and their deliveries."""


class WebhookSender(Protocol):
    """Sends over HTTP, to public addresses only. Safe for many threads at once."""

    def vet(self, untrusted_url: str) -> None:
        """Raise ``AddressNotAllowed`` unless a URL, and every address behind it, may be sent to now."""

    def send(self, url: str, message: Notice, secrets: Sequence[bytes], at: datetime) -> Reply:
        """Post a message's body as it is, signed with each of ``secrets`` and dated ``at``.

        Vets the URL anew and connects to the very addresses that passed. Follows nothing, ends within one
        total deadline whatever the other side does, and never raises."""
