"""What some settings must look like, wherever they are read."""

import re
from typing import Final

from service.core.errors import ConfigurationError

#: S3's rule for the names of buckets.
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
#: An origin as browsers write it (RFC 6454, 6.2): in small letters, the usual port left out, no path.
_ORIGIN: Final = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
_USUAL_PORTS: Final = {"http": ":80", "https": ":443"}


def bucket(name: str, value: str) -> str:
    """Return the bucket that the setting ``name`` names. Raises ``ConfigurationError``."""
    if not _BUCKET.fullmatch(value):
        raise ConfigurationError(f"{name} must be the name of a bucket, not {value!r}")
    return value


def origins(name: str, value: str) -> frozenset[str]:
    """Return the origins that the setting ``name`` lists. Raises ``ConfigurationError``."""
    if value == "none":
        return frozenset()
    found = frozenset(origin.strip() for origin in value.split(","))
    for origin in sorted(found):
        matched = _ORIGIN.fullmatch(origin)
        if not matched or matched[2] == _USUAL_PORTS[origin.partition(":")[0]]:
            raise ConfigurationError(
                f"{name} must be none, or origins as browsers write them "
                f"(https://meet.example), separated by commas, not {origin!r}"
            )
    return found
