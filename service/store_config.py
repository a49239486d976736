"""The settings of the stores: the one that is named first, and one more for each further region.

A further region has the settings of the first store with ``GREENROOM_REGION_NAME_`` in place of
``GREENROOM_``, so that nothing of one region is taken for another's by default.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.config_values import LAST_PORT, bucket, one_of, setting
from service.core.account import HOME
from service.core.errors import ConfigurationError

#: What the first store's settings begin with.
FIRST: Final = "GREENROOM_"
_REGIONS: Final = "GREENROOM_REGIONS"
#: Every name that is read here, beside those of each store.
NAMES: Final = frozenset({_REGIONS})
#: As long as the column that it stands in; in small letters, for the settings have it in large ones.
_REGION: Final = re.compile(r"[a-z](-?[a-z0-9]){0,15}")
_ROLES: Final = ("INGEST", "SCAN", "RELEASE", "DOWNLOAD", "JANITOR")
_OPTIONAL: Final[Mapping[str, str]] = {
    "S3_SECURE": "true",
    "S3_REGION": "us-east-1",
    "QUARANTINE_BUCKET": "quarantine",
    "RELEASED_BUCKET": "released",
}
#: A name, an IPv4 address or an IPv6 address in brackets, and perhaps a port: no scheme, no path.
_ENDPOINT: Final = re.compile(r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """One S3 server: host:port, whether by TLS, and its own name for where it is.

    ``identities`` maps a role (ingest, scan, release, download, janitor) to its access and secret key.
    """

    endpoint: str
    secure: bool
    s3_region: str
    identities: Mapping[str, tuple[str, str]]
    quarantine_bucket: str
    released_bucket: str


def secret_names(prefix: str = FIRST) -> frozenset[str]:
    """Return a store's names that can come as ``NAME_FILE``."""
    return frozenset(f"{prefix}S3_{role}_{part}" for role in _ROLES for part in ("ACCESS_KEY", "SECRET_KEY"))


def required_names(prefix: str = FIRST) -> frozenset[str]:
    """Return the names without which there is no store, without their ``_FILE`` forms."""
    return secret_names(prefix) | {f"{prefix}S3_ENDPOINT"}


def optional_values(prefix: str = FIRST) -> Mapping[str, str]:
    """Return a store's names that may be left out, and what they are then."""
    return {f"{prefix}{name}": value for name, value in _OPTIONAL.items()}


def names(prefix: str) -> frozenset[str]:
    """Return every name that is read for a store."""
    files = {f"{name}_FILE" for name in secret_names(prefix)}
    return required_names(prefix) | set(optional_values(prefix)) | files


def prefixes(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return what the settings of each region begin with, those of the first store under ``HOME``.

    Raises ``ConfigurationError`` for odd names of regions.
    """
    return {HOME: FIRST} | {region: _prefix(region) for region in _regions(environ)}


def read_stores(environ: Mapping[str, str]) -> Mapping[str, StoreSettings]:
    """Return the store of each region.

    Raises ``ConfigurationError`` naming the first setting that is odd, and for two buckets that are one.
    """
    stores = {region: _store_of(environ, region, prefix) for region, prefix in prefixes(environ).items()}
    taken: dict[tuple[str, str], str] = {}
    for region, prefix in prefixes(environ).items():
        store = stores[region]
        for which, name in (("QUARANTINE", store.quarantine_bucket), ("RELEASED", store.released_bucket)):
            ours = f"{prefix}{which}_BUCKET"
            other = taken.setdefault((store.endpoint, name), ours)
            if other != ours:
                raise ConfigurationError(f"{ours} must not be {other}")
    return stores


def _regions(environ: Mapping[str, str]) -> list[str]:
    value = setting(environ, _REGIONS, "none")
    found = [] if value == "none" else [region.strip() for region in value.split(",")]
    odd = [region for region in found if not _REGION.fullmatch(region)]
    if odd or HOME in found or len(set(found)) != len(found):
        raise ConfigurationError(
            f"{_REGIONS} must be none, or names in small letters (a-z, 0-9, -), each once and none of them "
            f"{HOME}, separated by commas, not {value!r}"
        )
    return found


def _prefix(region: str) -> str:
    return f"GREENROOM_REGION_{region.upper().replace('-', '_')}_"


def _store_of(environ: Mapping[str, str], region: str, prefix: str) -> StoreSettings:
    try:
        return _store(environ, prefix)
    except ConfigurationError as error:
        if prefix == FIRST:
            raise
        raise ConfigurationError(f"{error} ({_REGIONS} lists {region})") from None


def _store(environ: Mapping[str, str], prefix: str) -> StoreSettings:
    values = {name: setting(environ, name, secret=True) for name in sorted(secret_names(prefix))}
    values |= {name: setting(environ, name, usual) for name, usual in optional_values(prefix).items()}
    endpoint = f"{prefix}S3_ENDPOINT"
    return StoreSettings(
        endpoint=_endpoint(endpoint, setting(environ, endpoint)),
        secure=one_of(values, f"{prefix}S3_SECURE", {"true": True, "false": False}),
        s3_region=values[f"{prefix}S3_REGION"],
        identities={
            role.lower(): (values[f"{prefix}S3_{role}_ACCESS_KEY"], values[f"{prefix}S3_{role}_SECRET_KEY"])
            for role in _ROLES
        },
        quarantine_bucket=bucket(f"{prefix}QUARANTINE_BUCKET", values[f"{prefix}QUARANTINE_BUCKET"]),
        released_bucket=bucket(f"{prefix}RELEASED_BUCKET", values[f"{prefix}RELEASED_BUCKET"]),
    )


def _endpoint(name: str, text: str) -> str:
    matched = _ENDPOINT.fullmatch(text)
    if not matched or not 0 < int((matched[2] or ":443")[1:]) <= LAST_PORT:
        raise ConfigurationError(f"{name} must be host:port, not {text!r}")
    return text
