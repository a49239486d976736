"""What some settings must look like, wherever they are read."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeVar

from service.core.errors import ConfigurationError

T = TypeVar("T")

#: The highest port there is.
LAST_PORT: Final = 65535

#: S3's rule for the names of buckets.
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
#: An origin as browsers write it (RFC 6454, 6.2): in small letters, the usual port left out, no path.
_ORIGIN: Final = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
_USUAL_PORTS: Final = {"http": ":80", "https": ":443"}


def setting(environ: Mapping[str, str], name: str, usual: str = "", *, secret: bool = False) -> str:
    """Return what ``environ`` says of ``name``, else what it is ``usual`` to be.

    A ``secret`` may stand in a file that ``NAME_FILE`` names. Raises ``ConfigurationError`` for one that is
    missing or empty.
    """
    path = environ.get(f"{name}_FILE") if secret else None
    if path is not None and name in environ:
        raise ConfigurationError(f"set {name} or {name}_FILE, not both")
    if path is not None:
        try:
            value = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{name}_FILE cannot be read: {error}") from None
    else:
        value = environ.get(name, usual)
    if not value:
        raise ConfigurationError(f"{name} must be set")
    return value


def one_of(values: Mapping[str, str], name: str, choices: Mapping[str, T]) -> T:
    """Return what the value of the setting ``name`` stands for. Raises ``ConfigurationError``."""
    try:
        return choices[values[name]]
    except KeyError:
        raise ConfigurationError(
            f"{name} must be one of {', '.join(choices)}, not {values[name]!r}"
        ) from None


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
