"""Webhook endpoints: where events are sent, what became of them, and sending them again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from greenroom_client.documents import Delivery, Endpoint, NewSecret
from greenroom_client.identifier import checked
from greenroom_client.paging import pages
from greenroom_client.reading import read, read_list
from greenroom_client.transport import Transport

_ROOT: Final = "/v1/webhook-endpoints"
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class _Replayed:
    deliveries: int


class Webhooks:
    """The webhook endpoints of an account; needs an API key with the scope ``webhooks``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self, url: str, *, events: Sequence[str] | None = None, description: str | None = None
    ) -> Endpoint:
        """Return a new endpoint for ``events`` (default: all) with its ``secret``, told this once."""
        wanted = {"url": url, "events": None if events is None else [*events], "description": description}
        body = {name: value for name, value in wanted.items() if value is not None}
        return read(Endpoint, self._transport.json("POST", _ROOT, body=body))

    def list(self) -> tuple[Endpoint, ...]:
        """Return the endpoints."""
        return read_list(Endpoint, self._transport.json("GET", _ROOT), "endpoints")

    def get(self, endpoint: Endpoint | str) -> Endpoint:
        """Return one endpoint as it is now."""
        return read(Endpoint, self._transport.json("GET", _path(endpoint)))

    def delete(self, endpoint: Endpoint | str) -> None:
        """Delete an endpoint; nothing more is sent to it."""
        self._transport.json("DELETE", _path(endpoint))

    def rotate_secret(self, endpoint: Endpoint | str) -> NewSecret:
        """Return a new secret. Messages are signed with the one before it as well, until it ends."""
        return read(NewSecret, self._post(endpoint, "rotate-secret"))

    def disable(self, endpoint: Endpoint | str) -> Endpoint:
        """Send nothing to the endpoint until it is enabled again."""
        return read(Endpoint, self._post(endpoint, "disable"))

    def enable(self, endpoint: Endpoint | str) -> Endpoint:
        """Send to the endpoint again."""
        return read(Endpoint, self._post(endpoint, "enable"))

    def test(self, endpoint: Endpoint | str) -> Delivery:
        """Send an event that means nothing and return its delivery, which is still to be made."""
        return read(Delivery, self._post(endpoint, "test"))

    def deliveries(self, endpoint: Endpoint | str, *, page_size: int = _PAGE) -> Iterator[Delivery]:
        """Yield the endpoint's deliveries, newest first, fetching pages of ``page_size`` as needed."""
        return pages(
            self._transport, f"{_path(endpoint)}/deliveries", {"limit": page_size}, Delivery, "deliveries"
        )

    def replay(self, endpoint: Endpoint | str, event: str) -> int:
        """Send one event (``msg_...``) again and return the number of deliveries that were made for it."""
        return self._replay(endpoint, {"event": event})

    def replay_between(self, endpoint: Endpoint | str, start: datetime, end: datetime) -> int:
        """Send the events of that time again and return the number of deliveries. Times must be aware."""
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("times must have a time zone")
        return self._replay(endpoint, {"from": start.isoformat(), "to": end.isoformat()})

    def _replay(self, endpoint: Endpoint | str, body: Mapping[str, str]) -> int:
        return read(_Replayed, self._post(endpoint, "replay", body)).deliveries

    def _post(self, endpoint: Endpoint | str, verb: str, body: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        return self._transport.json("POST", f"{_path(endpoint)}/{verb}", body=body)


def _path(endpoint: Endpoint | str) -> str:
    return f"{_ROOT}/{checked(endpoint.id if isinstance(endpoint, Endpoint) else endpoint)}"
