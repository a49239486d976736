"""A meeting: what its backend said of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from service.core.errors import RangeNotAllowed

_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 9998


@dataclass(frozen=True, slots=True)
class Meeting:
    """One meeting of an account. Most are never spoken of but by the uploads that name them.

    ``starts_at`` is when it begins, ``None`` if nobody said; ``version`` counts changes (compare-and-swap),
    0 for one that is not stored. ``retention`` is for how many days its uploads stay, by the name of their
    state, where that is less than the account's plan gives.
    """

    account_id: str
    id: str
    starts_at: datetime | None = None
    version: int = 0
    retention: Mapping[str, int] = field(default_factory=dict)


def start(untrusted_start: datetime | None) -> datetime | None:
    """Return a meeting's start, which has a zone, in UTC.

    Raises ``RangeNotAllowed`` for one so far away that not every zone has it.
    """
    if untrusted_start is None:
        return None
    if not _FIRST_YEAR <= untrusted_start.year <= _LAST_YEAR:
        raise RangeNotAllowed(f"starts_at must be in a year from {_FIRST_YEAR} to {_LAST_YEAR}.")
    return untrusted_start.astimezone(UTC)
