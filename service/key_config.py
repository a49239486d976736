"""The settings of the master key, by which the keys of all accounts are sealed."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from service.core.errors import ConfigurationError

_FILE, _URI = "GREENROOM_MASTER_KEY_FILE", "GREENROOM_MASTER_KEY_URI"
_OLD_FILE, _OLD_URI = "GREENROOM_OLD_MASTER_KEY_FILE", "GREENROOM_OLD_MASTER_KEY_URI"
_TOKEN, _TOKEN_FILE = "GREENROOM_VAULT_TOKEN", "GREENROOM_VAULT_TOKEN_FILE"
#: Every name that is read here.
NAMES: Final = frozenset({_FILE, _URI, _OLD_FILE, _OLD_URI, _TOKEN, _TOKEN_FILE})
_VAULT: Final = re.compile(r"hcvault://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9_.-]+)+")
_KMS: Final = re.compile(r"(aws|gcp)-kms://[!-~]+")
_LONGEST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class MasterKeySettings:
    """Where the master key is: ``keyset`` is the key itself (Tink's JSON), ``uri`` names one that a service
    keeps, who is asked with ``token`` where that is a Vault. Neither: this process opens no content. ``old``
    is the one before, while there are keys that it sealed. ``name`` is the setting's, for complaints.
    """

    keyset: str | None = None
    uri: str | None = None
    token: str = ""
    old: "MasterKeySettings | None" = None
    name: str = field(default=_FILE, compare=False)


def read_master_key(environ: Mapping[str, str]) -> MasterKeySettings:
    """Return the settings in ``environ``. Raises ``ConfigurationError`` naming the first that is odd."""
    if environ.get(_FILE) is None and not environ.get(_URI):
        raise ConfigurationError(f"{_FILE} must be set, or {_URI}")
    if environ.get(_FILE) is None and environ.get(_URI) == "none":
        return MasterKeySettings()
    present = _one(environ, _FILE, _URI)
    if environ.get(_OLD_FILE) is None and environ.get(_OLD_URI) is None:
        return present
    return replace(present, old=_one(environ, _OLD_FILE, _OLD_URI))


def _one(environ: Mapping[str, str], file_name: str, uri_name: str) -> MasterKeySettings:
    path, uri = environ.get(file_name), environ.get(uri_name)
    if path is not None and uri is not None:
        raise ConfigurationError(f"set {file_name} or {uri_name}, not both")
    if path is not None:
        return MasterKeySettings(keyset=_keyset(file_name, path), name=file_name)
    if uri is None or not (_VAULT.fullmatch(uri) or _KMS.fullmatch(uri)):
        none = "none, " if uri_name == _URI else ""
        raise ConfigurationError(
            f"{uri_name} must be {none}hcvault://host/transit/keys/name, aws-kms://... or gcp-kms://..., "
            f"not {uri!r}"
        )
    token = _token(environ) if uri.startswith("hcvault:") else ""
    return MasterKeySettings(uri=uri, token=token, name=uri_name)


def _keyset(name: str, path: str) -> str:
    text = _text(name, path)
    try:
        keyset = json.loads(text) if len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        keyset = None
    if not isinstance(keyset, dict) or "key" not in keyset:
        raise ConfigurationError(f"{name} must hold a keyset as `keys new-master` makes one")
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
