"""The settings of where the log's checkpoints are kept beside the database."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from service.config_values import bucket
from service.core.errors import ConfigurationError

_PLACES: Final = "GREENROOM_CHECKPOINTS"
_DAYS: Final = "GREENROOM_CHECKPOINT_DAYS"
_KEYS: Final = ("GREENROOM_S3_WITNESS_ACCESS_KEY", "GREENROOM_S3_WITNESS_SECRET_KEY")
#: A bit more than a year, so that an audit a year finds everything since the one before.
_USUAL_DAYS: Final = "400"
_MOST_DAYS: Final = 36_500
#: Names that can come as ``NAME_FILE``.
SECRETS: Final = frozenset(_KEYS)
#: Every name that is read here.
NAMES: Final = frozenset({_PLACES, _DAYS, *_KEYS, *(f"{name}_FILE" for name in _KEYS)})
_URL: Final = re.compile(r"https?://[^\s,@#]+")


@dataclass(frozen=True, slots=True)
class LockedBucket:
    """A bucket with Object Lock, the identity that writes there, and how long it locks what it puts."""

    name: str
    access_key: str
    secret_key: str
    retention: timedelta


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """Where checkpoints are kept: in any number of files, at any number of addresses, in one bucket."""

    files: tuple[Path, ...] = ()
    urls: tuple[str, ...] = ()
    bucket: LockedBucket | None = None


def read_witnesses(environ: Mapping[str, str], secret: Callable[[str], str]) -> WitnessSettings:
    """Return the settings in ``environ``, with what ``secret`` tells of a name that is one.

    Raises ``ConfigurationError`` naming the first that is odd.
    """
    days = _days(environ.get(_DAYS, _USUAL_DAYS))
    value = environ.get(_PLACES, "none")
    places = [] if value == "none" else [place.strip() for place in value.split(",")]
    buckets = [place.removeprefix("s3:") for place in places if place.startswith("s3:")]
    files = tuple(Path(place.removeprefix("file:")) for place in places if place.startswith("file:/"))
    urls = tuple(place for place in places if _URL.fullmatch(place))
    if len(buckets) + len(files) + len(urls) != len(places) or len(buckets) > 1:
        raise ConfigurationError(
            f"{_PLACES} must be none, or places separated by commas: file:/path, https://..., "
            f"and at most one s3:bucket, not {value!r}"
        )
    if not buckets:
        return WitnessSettings(files, urls)
    access_key, secret_key = (secret(name) for name in _KEYS)
    return WitnessSettings(
        files, urls, LockedBucket(bucket(_PLACES, buckets[0]), access_key, secret_key, days)
    )


def _days(text: str) -> timedelta:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_MOST_DAYS))):
        raise ConfigurationError(f"{_DAYS} must be whole days from 1 to {_MOST_DAYS}, not {text!r}")
    if not 1 <= int(text) <= _MOST_DAYS:
        raise ConfigurationError(f"{_DAYS} must be whole days from 1 to {_MOST_DAYS}, not {text!r}")
    return timedelta(days=int(text))
