"""The settings of what those who run the service see of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.core.errors import ConfigurationError

_METRICS_DIR: Final = "GREENROOM_METRICS_DIR"
#: Every name that is read here.
NAMES: Final = frozenset({_METRICS_DIR})


@dataclass(frozen=True, slots=True)
class ObserveSettings:
    """``metrics_dir`` is the folder that all processes keep their metrics in, ``None`` to measure nothing."""

    metrics_dir: Path | None


def read_observe(environ: Mapping[str, str]) -> ObserveSettings:
    """Return the settings in ``environ``. Raises ``ConfigurationError`` naming the first that is odd."""
    return ObserveSettings(metrics_dir=_folder(environ, _METRICS_DIR))


def _folder(environ: Mapping[str, str], name: str) -> Path | None:
    value = environ.get(name, "none")
    if value == "none":
        return None
    if not value.startswith("/"):
        raise ConfigurationError(f"{name} must be none, or the whole path of a folder, not {value!r}")
    return Path(value)
