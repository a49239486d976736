"""Settings from the environment, read once at the start. An odd value or an unknown name means no start.

Every secret can come as ``NAME_FILE``, the path of a file that holds it, as container secrets do.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from service import console_config, jitsi_config, key_config, observe_config, store_config, witness_config
from service.config_values import LAST_PORT, one_of, origins, setting
from service.console_config import ConsoleSettings, read_console
from service.core.errors import ConfigurationError
from service.core.policy import Policy, read_policy
from service.core.verdict import Protection
from service.core.webhook_url import Reach
from service.jitsi_config import JitsiSettings, read_jitsi
from service.key_config import MasterKeySettings, read_master_key
from service.observe_config import ObserveSettings, read_observe
from service.store_config import StoreSettings, read_stores
from service.witness_config import WitnessSettings, read_witnesses

#: 32 bytes in URL-safe base64: the last of 43 digits has two bits that are 0.
_SECRETS_KEY: Final = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]=")
_LONGEST_DEADLINE: Final = 3600
_HIGHEST_RATE: Final = 1_000_000
_SECRETS: Final = frozenset({"GREENROOM_DATABASE_URL", "GREENROOM_SECRETS_KEY", *store_config.secret_names()})
_OPTIONAL: Final[Mapping[str, str]] = {
    **store_config.optional_values(),
    "GREENROOM_SIGNATURES": "official",
    "GREENROOM_POLICY_FILE": str(Path(__file__).with_name("policy.toml")),
    "GREENROOM_LOG_LEVEL": "info",
    "GREENROOM_SCAN_DEADLINE": "120",
    "GREENROOM_TOKEN_AUDIENCE": "greenroom",
    "GREENROOM_RATE_LIMIT": "600",
    "GREENROOM_RATE_LIMIT_STORE": "memory",
    "GREENROOM_RESCAN_RATE": "600",
    "GREENROOM_WEBHOOKS": "public",
    "GREENROOM_UPLOAD_ORIGINS": "none",
    "GREENROOM_EMBED_ORIGINS": "none",
}
#: Names that must be set, without their ``_FILE`` forms.
REQUIRED: Final = frozenset({*_SECRETS, *store_config.required_names(), "GREENROOM_CLAMD"})
_ELSEWHERE: Final = frozenset().union(
    *(one.NAMES for one in (jitsi_config, console_config, observe_config, witness_config, store_config)),
    key_config.names(store_config.FIRST),
)
#: Every name that the service reads, beside those of further regions.
VARIABLES: Final = frozenset({*REQUIRED, *_OPTIONAL, *_ELSEWHERE, *(f"{name}_FILE" for name in _SECRETS)})
#: Names that belong to what starts the service, not to the service.
_STARTERS: Final = frozenset(
    {
        *(f"GREENROOM_{which}PORT" for which in ("", "DEMO_", "CONSOLE_", "METRICS_", "S3_")),
        "GREENROOM_STATE_DIR",
        "GREENROOM_SIGNATURES_DIR",
    }
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says. ``clamd`` is a socket's path or (host, port); times in seconds.

    ``stores`` has the store of each region, ``master_keys`` by what its accounts' keys are sealed.
    ``secrets_keys`` seal what else is secret in the database: the first seals, all open. ``rate_limit`` is
    how often each API key or grant may create something in a minute, ``rate_limit_store`` where that is
    counted: ``memory`` (each process for itself) or ``ledger`` (the database, all together). ``rescan_rate``
    is how many released files each worker scans again in a minute, at most. ``jitsi`` is ``None`` where no
    Jitsi Meet is served. ``webhooks`` says how far webhooks go; anything but public is for development. Pages
    of the ``upload_origins`` may send and ask from a browser, those of the ``embed_origins`` may frame the
    upload widget. ``observe`` says what those who run it see, ``witnesses`` where checkpoints are kept.
    """

    database_url: str
    secrets_keys: tuple[str, ...]
    stores: Mapping[str, StoreSettings]
    master_keys: Mapping[str, MasterKeySettings]
    clamd: str | tuple[str, int]
    protection: Protection
    policy: Policy
    log_level: str
    scan_deadline: float
    token_audience: str
    jitsi: JitsiSettings | None
    rate_limit: int
    rate_limit_store: str
    rescan_rate: int
    webhooks: Reach
    upload_origins: frozenset[str]
    embed_origins: frozenset[str]
    console: ConsoleSettings
    observe: ObserveSettings
    witnesses: WitnessSettings


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings in ``environ``, or raise ``ConfigurationError`` naming the first odd name."""
    prefixes = store_config.prefixes(environ)
    known = VARIABLES | _STARTERS
    known = known.union(*(store_config.names(one) | key_config.names(one) for one in prefixes.values()))
    for name in sorted(environ):
        if name.startswith("GREENROOM_") and name not in known and not name.startswith("GREENROOM_STACK_"):
            raise ConfigurationError(f"{name} is not a setting of Greenroom")
    names = (*sorted(REQUIRED), *_OPTIONAL)
    values = {
        name: setting(environ, name, _OPTIONAL.get(name, ""), secret=name in _SECRETS) for name in names
    }
    return Settings(
        database_url=_database_url(values["GREENROOM_DATABASE_URL"]),
        secrets_keys=_secrets_keys(values["GREENROOM_SECRETS_KEY"]),
        stores=read_stores(environ),
        master_keys=_master_keys(environ, prefixes),
        clamd=_clamd(values["GREENROOM_CLAMD"]),
        protection=one_of(values, "GREENROOM_SIGNATURES", {item.value: item for item in Protection}),
        policy=_policy(values["GREENROOM_POLICY_FILE"]),
        log_level=one_of(
            values, "GREENROOM_LOG_LEVEL", {name: name for name in ("debug", "info", "warning", "error")}
        ),
        scan_deadline=float(_whole(values, "GREENROOM_SCAN_DEADLINE", "seconds", _LONGEST_DEADLINE)),
        token_audience=values["GREENROOM_TOKEN_AUDIENCE"],
        jitsi=read_jitsi(environ),
        rate_limit=_whole(values, "GREENROOM_RATE_LIMIT", "creations", _HIGHEST_RATE),
        rate_limit_store=one_of(
            values, "GREENROOM_RATE_LIMIT_STORE", {name: name for name in ("memory", "ledger")}
        ),
        rescan_rate=_whole(values, "GREENROOM_RESCAN_RATE", "files a minute", _HIGHEST_RATE),
        webhooks=one_of(values, "GREENROOM_WEBHOOKS", {item.value: item for item in Reach}),
        upload_origins=origins("GREENROOM_UPLOAD_ORIGINS", values["GREENROOM_UPLOAD_ORIGINS"]),
        embed_origins=origins("GREENROOM_EMBED_ORIGINS", values["GREENROOM_EMBED_ORIGINS"]),
        console=read_console(environ),
        observe=read_observe(environ),
        witnesses=read_witnesses(environ, partial(setting, environ, secret=True)),
    )


def _master_keys(environ: Mapping[str, str], prefixes: Mapping[str, str]) -> Mapping[str, MasterKeySettings]:
    keys = {region: read_master_key(environ, prefix) for region, prefix in prefixes.items()}
    named = [key for key in keys.values() if key != MasterKeySettings()]
    if any(named.count(key) > 1 for key in named):
        raise ConfigurationError("two regions must not have one GREENROOM_..._MASTER_KEY")
    return keys


def _whole(values: Mapping[str, str], name: str, what: str, most: int) -> int:
    text = values[name]
    plain = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    if not plain or not 1 <= int(text) <= most:
        raise ConfigurationError(f"{name} must be whole {what} from 1 to {most}, not {text!r}")
    return int(text)


def _database_url(text: str) -> str:
    if not text.startswith(("sqlite:////", "postgresql+psycopg://")):
        raise ConfigurationError(
            "GREENROOM_DATABASE_URL must begin with sqlite://// or postgresql+psycopg://"
        )
    return text


def _secrets_keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(","))
    if not all(_SECRETS_KEY.fullmatch(key) for key in keys):
        raise ConfigurationError(
            "GREENROOM_SECRETS_KEY must be 32 bytes in URL-safe base64, or several such, the newest first"
        )
    return keys


def _clamd(text: str) -> str | tuple[str, int]:
    scheme, _, rest = text.partition(":")
    if scheme == "unix" and rest.startswith("/"):
        return rest
    host, _, port = rest.rpartition(":")
    if scheme == "tcp" and host and port.isascii() and port.isdigit() and 0 < int(port) <= LAST_PORT:
        return host, int(port)
    raise ConfigurationError(f"GREENROOM_CLAMD must be unix:/path or tcp:host:port, not {text!r}")


def _policy(path: str) -> Policy:
    try:
        return read_policy(tomllib.loads(Path(path).read_text()))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"GREENROOM_POLICY_FILE cannot be read: {error}") from None
