"""Identifiers that become part of an address."""

import re
from typing import Final

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def checked(identifier: str) -> str:
    """Return ``identifier``. Raises ``ValueError`` for what none can be, as it would lead elsewhere."""
    if not _IDENTIFIER.fullmatch(identifier):
        raise ValueError(f"{identifier!r} is no identifier of Greenroom's")
    return identifier
