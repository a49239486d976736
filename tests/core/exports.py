"""Exports for the tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from service.core.export import Export

ASKED = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


def make_export(number: int, **changes: Any) -> Export:
    """Return an export of the account acme whose id sorts by ``number``."""
    plain: dict[str, Any] = {
        "id": f"ex_{number:032x}",
        "account_id": "acme",
        "person": None,
        "asked_at": ASKED,
        "asked_by": "key:gr_1",
        "due_at": ASKED + timedelta(days=30),
    }
    return Export(**(plain | changes))
