"""The settings for an OpenID provider that reviewers sign in with: all that have no default, or none."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.core.errors import ConfigurationError
from service.core.reviewer import Role

_ISSUER, _CLIENT = "GREENROOM_OIDC_ISSUER", "GREENROOM_OIDC_CLIENT_ID"
_SECRET, _SECRET_FILE = "GREENROOM_OIDC_CLIENT_SECRET", "GREENROOM_OIDC_CLIENT_SECRET_FILE"
_SCOPES, _CLAIM, _ROLES = "GREENROOM_OIDC_SCOPES", "GREENROOM_OIDC_ROLES_CLAIM", "GREENROOM_OIDC_ROLES"
#: Every name that is read here.
NAMES: Final = frozenset({_ISSUER, _CLIENT, _SECRET, _SECRET_FILE, _SCOPES, _CLAIM, _ROLES})
_DEFAULT_ROLES: Final = ",".join(f"{role}={role}" for role in Role)
#: OpenID Connect Discovery 1.0, 3: https, no query, no fragment. Plain HTTP is for trying out on one machine.
_URL: Final = re.compile(
    r"(https://[a-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?"
)


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """Which provider, who we are there, what we ask for, and which values of which claim are which role."""

    issuer: str
    client_id: str
    client_secret: str
    scope: str
    roles_claim: str
    roles: Mapping[str, Role]


def read_oidc(environ: Mapping[str, str]) -> OidcSettings | None:
    """Return the settings in ``environ``, ``None`` if there are none.

    Raises ``ConfigurationError`` naming the first that is missing or odd.
    """
    # The file alone makes no provider: compose always names it.
    given = sorted(name for name in NAMES - {_SECRET_FILE} if environ.get(name))
    if not given:
        return None
    for name in (_ISSUER, _CLIENT):
        if not environ.get(name):
            raise ConfigurationError(f"{name} must be set where {given[0]} is")
    if not _URL.fullmatch(environ[_ISSUER]):
        raise ConfigurationError(f"{_ISSUER} must be like https://id.example.org, not {environ[_ISSUER]!r}")
    scope = environ.get(_SCOPES) or "openid profile"
    if "openid" not in scope.split():
        raise ConfigurationError(f"{_SCOPES} must have openid among its words")
    return OidcSettings(
        issuer=environ[_ISSUER],
        client_id=environ[_CLIENT],
        client_secret=_secret(environ),
        scope=scope,
        roles_claim=environ.get(_CLAIM) or "roles",
        roles=_roles(environ.get(_ROLES) or _DEFAULT_ROLES),
    )


def _secret(environ: Mapping[str, str]) -> str:
    secret, path = environ.get(_SECRET), environ.get(_SECRET_FILE)
    if bool(secret) == bool(path):
        raise ConfigurationError(f"set {_SECRET} or {_SECRET_FILE}, one of them")
    try:
        secret = secret or Path(path or "").read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{_SECRET_FILE} cannot be read: {error}") from None
    if not secret:
        raise ConfigurationError(f"{_SECRET_FILE} is empty")
    return secret


def _roles(text: str) -> Mapping[str, Role]:
    pairs = [pair.rpartition("=") for pair in text.split(",")]
    groups = [group.strip() for group, _, _ in pairs]
    try:
        roles = [Role(role.strip()) for _, _, role in pairs]
    except ValueError:
        roles = []
    if not roles or not all(groups) or len({*groups}) != len(groups):
        raise ConfigurationError(
            f"{_ROLES} must be like staff=reader,security=reviewer,heads=administrator, not {text!r}"
        )
    return dict(zip(groups, roles, strict=True))
