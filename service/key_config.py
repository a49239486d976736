"""The settings of the master key, by which the keys of all accounts are sealed."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from service.core.errors import ConfigurationError

_FILE, _URI = "MASTER_KEY_FILE", "MASTER_KEY_URI"
_OLD_FILE, _OLD_URI = "OLD_MASTER_KEY_FILE", "OLD_MASTER_KEY_URI"
_TOKEN, _TOKEN_FILE = "VAULT_TOKEN", "VAULT_TOKEN_FILE"
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
    name: str = field(default="", compare=False)


def names(prefix: str) -> frozenset[str]:
    """Return every name that is read here for the region whose settings begin with ``prefix``."""
    return frozenset(f"{prefix}{name}" for name in (_FILE, _URI, _OLD_FILE, _OLD_URI, _TOKEN, _TOKEN_FILE))


def read_master_key(environ: Mapping[str, str], prefix: str) -> MasterKeySettings:
    """Return the settings in ``environ`` that begin with ``prefix``.

    Raises ``ConfigurationError`` naming the first that is odd.
    """
    file, address = f"{prefix}{_FILE}", f"{prefix}{_URI}"
    if environ.get(file) is None and not environ.get(address):
        raise ConfigurationError(f"{file} must be set, or {address}")
    if environ.get(file) is None and environ.get(address) == "none":
        return MasterKeySettings()
    present = _one(environ, prefix, _FILE, _URI)
    if all(environ.get(f"{prefix}{name}") is None for name in (_OLD_FILE, _OLD_URI)):
        return present
    return replace(present, old=_one(environ, prefix, _OLD_FILE, _OLD_URI))


def _one(environ: Mapping[str, str], prefix: str, file_name: str, uri_name: str) -> MasterKeySettings:
    file, address = f"{prefix}{file_name}", f"{prefix}{uri_name}"
    path, uri = environ.get(file), environ.get(address)
    if path is not None and uri is not None:
        raise ConfigurationError(f"set {file} or {address}, not both")
    if path is not None:
        return MasterKeySettings(keyset=_keyset(file, path), name=file)
    if uri is None or not (_VAULT.fullmatch(uri) or _KMS.fullmatch(uri)):
        none = "none, " if uri_name == _URI else ""
        raise ConfigurationError(
            f"{address} must be {none}hcvault://host/transit/keys/name, aws-kms://... or gcp-kms://..., "
            f"not {uri!r}"
        )
    token = _token(environ, prefix) if uri.startswith("hcvault:") else ""
    return MasterKeySettings(uri=uri, token=token, name=address)


def _keyset(name: str, path: str) -> str:
    text = _text(name, path)
    try:
        keyset = json.loads(text) if len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        keyset = None
    if not isinstance(keyset, dict) or "key" not in keyset:
        raise ConfigurationError(f"{name} must hold a keyset as `keys new-master` makes one")
    return text


def _token(environ: Mapping[str, str], prefix: str) -> str:
    name, file = f"{prefix}{_TOKEN}", f"{prefix}{_TOKEN_FILE}"
    token, path = environ.get(name), environ.get(file)
    if bool(token) == bool(path):
        raise ConfigurationError(f"set {name} or {file}, one of them")
    token = token or _text(file, path or "").strip()
    if not token:
        raise ConfigurationError(f"{file} is empty")
    return token


def _text(name: str, path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{name} cannot be read: {error}") from None
