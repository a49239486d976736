"""What callers give that becomes part of an address or of a header."""

import re
from typing import Final

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")


def checked(identifier: str) -> str:
    """Return ``identifier``. Raises ``ValueError`` for what none can be, as it would lead elsewhere."""
    if not _IDENTIFIER.fullmatch(identifier):
        raise ValueError(f"{identifier!r} is no identifier of Greenroom's")
    return identifier


def visible(value: str, name: str) -> str:
    """Return ``value`` if a header can hold it. Raises ``ValueError`` with ``name``, and never the value."""
    if not _VISIBLE.fullmatch(value):
        raise ValueError(f"{name} must be visible ASCII characters, without spaces or line ends")
    return value
