"""What this service sends by itself: the place where webhook events are declared for the OpenAPI document."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.web.public.operation import Header


@dataclass(frozen=True, slots=True)
class Notification:
    """One event that is POSTed to webhook endpoints: its name, what happened, the type of its JSON."""

    name: str
    summary: str
    model: Any
    headers: Sequence[Header] = ()
    description: str = ""


#: Every event that is sent.
NOTIFICATIONS: Final[Sequence[Notification]] = ()
