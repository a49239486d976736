"""The settings of the master key, by which the keys of all accounts are sealed."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.core.errors import ConfigurationError

_FILE, _URI = "GREENROOM_MASTER_KEY_FILE", "GREENROOM_MASTER_KEY_URI"
_TOKEN, _TOKEN_FILE = "GREENROOM_VAULT_TOKEN", "GREENROOM_VAULT_TOKEN_FILE"
#: Every name that is read here.
NAMES: Final = frozenset({_FILE, _URI, _TOKEN, _TOKEN_FILE})
_VAULT: Final = re.compile(r"hcvault://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9_.-]+)+")
_KMS: Final = re.compile(r"(aws|gcp)-kms://[!-~]+")
_LONGEST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class MasterKeySettings:
    """Where the master key is: ``keyset`` is the key itself (Tink's JSON), ``uri`` names one that a service
    keeps, who is asked with ``token`` where that is a Vault. Neither: this process opens no content.
    """

    keyset: str | None = None
    uri: str | None = None
    token: str = ""


def read_master_key(environ: Mapping[str, str]) -> MasterKeySettings:
    """Return the settings in ``environ``. Raises ``ConfigurationError`` naming the first that is odd."""
    path, uri = environ.get(_FILE), environ.get(_URI)
    if path is None and not uri:
        raise ConfigurationError(f"{_FILE} must be set, or {_URI}")
    if path is not None and uri is not None:
        raise ConfigurationError(f"set {_FILE} or {_URI}, not both")
    if path is not None:
        return MasterKeySettings(keyset=_keyset(path))
    if uri == "none":
        return MasterKeySettings()
    if uri is None or not (_VAULT.fullmatch(uri) or _KMS.fullmatch(uri)):
        raise ConfigurationError(
            f"{_URI} must be none, hcvault://host/transit/keys/name, aws-kms://... or gcp-kms://..., "
            f"not {uri!r}"
        )
    return MasterKeySettings(uri=uri, token=_token(environ) if uri.startswith("hcvault:") else "")


def _keyset(path: str) -> str:
    text = _text(_FILE, path)
    try:
        keyset = json.loads(text) if len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        keyset = None
    if not isinstance(keyset, dict) or "key" not in keyset:
        raise ConfigurationError(f"{_FILE} must hold a keyset as `keys new-master` makes one")
    return text


def _token(environ: Mapping[str, str]) -> str:
    token, path = environ.get(_TOKEN), environ.get(_TOKEN_FILE)
    if bool(token) == bool(path):
        raise ConfigurationError(f"set {_TOKEN} or {_TOKEN_FILE}, one of them")
    token = token or _text(_TOKEN_FILE, path or "").strip()
    if not token:
        raise ConfigurationError(f"{_TOKEN_FILE} is empty")
    return token


def _text(name: str, path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{name} cannot be read: {error}") from None
