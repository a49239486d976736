"""The settings of what those who run the service see of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from service.core.errors import ConfigurationError
from service.core.siem import Form

_METRICS_DIR: Final = "GREENROOM_METRICS_DIR"
_EVENTS: Final = "GREENROOM_EVENTS"
_EVENTS_FORM: Final = "GREENROOM_EVENTS_FORM"
_EVENTS_CA: Final = "GREENROOM_EVENTS_CA"
_EVENTS_CERTIFICATE: Final = "GREENROOM_EVENTS_CERTIFICATE"
_TRACES: Final = "GREENROOM_TRACES"
#: Every name that is read here.
NAMES: Final = frozenset({_METRICS_DIR, _EVENTS, _EVENTS_FORM, _EVENTS_CA, _EVENTS_CERTIFICATE, _TRACES})
_SYSLOG: Final = re.compile(r"syslog\+tls://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_COLLECTOR: Final = re.compile(
    r"https?://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[!-~]*[!-.0-~])?"
)
#: RFC 5425, 4.1.
_SYSLOG_PORT: Final = "6514"
_LAST_PORT: Final = 65535


class Plain(StrEnum):
    """Places for the log's events that need no address."""

    NONE = "none"
    STDOUT = "stdout"


@dataclass(frozen=True, slots=True)
class Syslog:
    """A syslog receiver with TLS.

    ``ca`` holds the certificates that it is trusted by (PEM), ``None`` for the system's; ``certificate`` is
    the service's own with its key (PEM), for a receiver that wants one.
    """

    host: str
    port: int
    ca: Path | None
    certificate: Path | None


@dataclass(frozen=True, slots=True)
class ObserveSettings:
    """``metrics_dir`` is the folder that all processes keep their metrics in, ``None`` to measure nothing.
    ``events`` is where the log is told to, a path being a file's, in ``events_form``. ``traces`` is the URL
    of an OTLP collector, ``None`` to trace nothing.
    """

    metrics_dir: Path | None
    events: Plain | Path | Syslog
    events_form: Form
    traces: str | None


def read_observe(environ: Mapping[str, str]) -> ObserveSettings:
    """Return the settings in ``environ``. Raises ``ConfigurationError`` naming the first that is odd."""
    form = environ.get(_EVENTS_FORM, Form.FLAT.value)
    if form not in set(Form):
        raise ConfigurationError(f"{_EVENTS_FORM} must be one of {', '.join(Form)}, not {form!r}")
    return ObserveSettings(
        metrics_dir=_path(environ, _METRICS_DIR),
        events=_events(environ),
        events_form=Form(form),
        traces=_collector(environ),
    )


def _events(environ: Mapping[str, str]) -> Plain | Path | Syslog:
    value = environ.get(_EVENTS, Plain.STDOUT.value)
    ca, certificate = _path(environ, _EVENTS_CA), _path(environ, _EVENTS_CERTIFICATE)
    if value in set(Plain):
        return Plain(value)
    if value.startswith("file:/"):
        return Path(value.removeprefix("file:"))
    matched = _SYSLOG.fullmatch(value)
    if matched and 0 < (port := int(matched[2] or _SYSLOG_PORT)) <= _LAST_PORT:
        return Syslog(matched[1].strip("[]"), port, ca, certificate)
    raise ConfigurationError(
        f"{_EVENTS} must be stdout, none, file:/path or syslog+tls://host:port, not {value!r}"
    )


def _collector(environ: Mapping[str, str]) -> str | None:
    value = environ.get(_TRACES, "none")
    if value == "none":
        return None
    if not _COLLECTOR.fullmatch(value):
        raise ConfigurationError(
            f"{_TRACES} must be none, or a URL like http://collector:4318, not {value!r}"
        )
    return value


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    value = environ.get(name, "none")
    if value == "none":
        return None
    if not value.startswith("/"):
        raise ConfigurationError(f"{name} must be none, or a whole path, not {value!r}")
    return Path(value)
