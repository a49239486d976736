"""The settings of the security team's console."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service import oidc_config
from service.core.errors import ConfigurationError
from service.oidc_config import OidcSettings, read_oidc

_URL: Final = "GREENROOM_CONSOLE_URL"
#: Every name that is read here.
NAMES: Final = frozenset({_URL}) | oidc_config.NAMES
_DEFAULT_URL: Final = "http://127.0.0.1:8090"
#: An origin as a browser writes it (RFC 6454, 6.2). Its cookie is kept for HTTPS alone, and on loopback.
_ORIGIN: Final = re.compile(r"(https://[a-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """``url`` is the origin at which browsers find the console, ``oidc`` where else reviewers sign in."""

    url: str
    oidc: OidcSettings | None


def read_console(environ: Mapping[str, str]) -> ConsoleSettings:
    """Return the settings in ``environ``. Raises ``ConfigurationError`` naming the first odd one."""
    url = environ.get(_URL) or _DEFAULT_URL
    if not _ORIGIN.fullmatch(url) or url.endswith(":443" if url.startswith("https") else ":80"):
        raise ConfigurationError(
            f"{_URL} must be an origin as browsers write it, like https://console.example.org, not {url!r}"
        )
    return ConsoleSettings(url, read_oidc(environ))
