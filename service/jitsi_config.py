"""The settings that open the service to a Jitsi Meet installation: all of them, or none."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.core.errors import ConfigurationError
from service.core.naming import IDENTIFIER
from service.core.participant import Issuer

_KEY, _ACCOUNT = "GREENROOM_JITSI_PUBLIC_KEY_FILE", "GREENROOM_JITSI_ACCOUNT"
_ISSUER, _AUDIENCE = "GREENROOM_JITSI_ISSUER", "GREENROOM_JITSI_AUDIENCE"
_ORIGIN, _API_URL = "GREENROOM_JITSI_ORIGIN", "GREENROOM_JITSI_API_URL"
#: Every name that is read here.
NAMES: Final = frozenset({_KEY, _ACCOUNT, _ISSUER, _AUDIENCE, _ORIGIN, _API_URL})
#: An origin as a browser writes it (RFC 6454, 6.2). Plain HTTP is for trying out on one machine.
_SITE: Final = r"(https://[a-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?"
_ONE_ORIGIN: Final = re.compile(_SITE)
_URL: Final = re.compile(_SITE + r"(/[A-Za-z0-9._~-]+)*")


@dataclass(frozen=True, slots=True)
class JitsiSettings:
    """Whose tokens are believed, by which key (PEM), from which pages, and how the routes are reached."""

    public_key_pem: str
    issuer: Issuer
    origins: frozenset[str]
    api_url: str


def read_jitsi(environ: Mapping[str, str]) -> JitsiSettings | None:
    """Return the settings in ``environ``, ``None`` if there are none.

    Raises ``ConfigurationError`` naming the first that is missing or odd.
    """
    given = sorted(name for name in NAMES if environ.get(name))
    if not given:
        return None
    for name in sorted(NAMES.difference(given)):
        raise ConfigurationError(f"{name} must be set where {given[0]} is")
    if not IDENTIFIER.fullmatch(environ[_ACCOUNT]):
        raise ConfigurationError(f"{_ACCOUNT} must be the id of an account, not {environ[_ACCOUNT]!r}")
    origins = frozenset(origin.strip() for origin in environ[_ORIGIN].split(","))
    if not all(_ONE_ORIGIN.fullmatch(origin) for origin in origins):
        raise ConfigurationError(f"{_ORIGIN} must be like https://meet.example.org, or several with commas")
    if not _URL.fullmatch(environ[_API_URL]):
        raise ConfigurationError(f"{_API_URL} must be like https://files.example.org/jitsi/v1/documents")
    return JitsiSettings(
        public_key_pem=_text_of(environ[_KEY]),
        issuer=Issuer(environ[_ISSUER], environ[_AUDIENCE], environ[_ACCOUNT]),
        origins=origins,
        api_url=environ[_API_URL],
    )


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{_KEY} cannot be read: {error}") from None
