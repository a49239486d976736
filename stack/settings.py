"""What `make run` reads from the environment, all of it, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stack import StackError
from stack.clamd import Signatures, choose_signatures
from stack.ports import LOOPBACK
from stack.store import PORT_OFFSETS

DEFAULT_STATE = ".run"
DEFAULT_PORT = 8080
DEFAULT_S3_PORT = 8333
DEFAULT_DEMO_PORT = 8088
DEFAULT_CONSOLE_PORT = 8090
DEFAULT_METRICS_PORT = 9464
MAX_PORT = 65_535


@dataclass(frozen=True)
class Settings:
    """`state` is the folder of everything that is kept; `protection` the value for GREENROOM_SIGNATURES."""

    state: Path
    port: int
    s3_port: int
    signatures: Signatures
    protection: str
    demo_port: int = DEFAULT_DEMO_PORT
    console_port: int = DEFAULT_CONSOLE_PORT
    metrics_port: int = DEFAULT_METRICS_PORT

    @property
    def api_url(self) -> str:
        """Where the web app will be found."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def demo_url(self) -> str:
        """Where the demo page will be found."""
        return f"http://{LOOPBACK}:{self.demo_port}"

    @property
    def console_url(self) -> str:
        """Where the security team's console will be found."""
        return f"http://{LOOPBACK}:{self.console_port}"

    @property
    def metrics_url(self) -> str:
        """Where Prometheus will find the metrics."""
        return f"http://{LOOPBACK}:{self.metrics_port}/metrics"

    @property
    def metrics_folder(self) -> Path:
        """Where the processes keep their metrics while they run."""
        return self.state / "metrics"

    @property
    def demo_origins(self) -> str:
        """What browsers call the demo page's server, under both of its names."""
        return f"{self.demo_url},http://localhost:{self.demo_port}"

    @property
    def dev_env(self) -> Path:
        """The file that tells a developer the addresses and the key."""
        return self.state / "dev.env"

    @property
    def store_folder(self) -> Path:
        """Where the store keeps its data and secrets."""
        return self.state / "store"

    @property
    def clamd_folder(self) -> Path:
        """Where clamd has its socket and its temporary files."""
        return self.state / "clamd"


def read(environ: Mapping[str, str]) -> Settings:
    """The settings of `environ`; StackError naming the variable that has an odd value."""
    signatures = choose_signatures(environ)
    return Settings(
        state=Path(environ.get("GREENROOM_STATE_DIR") or DEFAULT_STATE).resolve(),
        port=_port(environ, "GREENROOM_PORT", DEFAULT_PORT, MAX_PORT),
        # The store's other ports are counted upwards from this one.
        s3_port=_port(environ, "GREENROOM_S3_PORT", DEFAULT_S3_PORT, MAX_PORT - max(PORT_OFFSETS)),
        signatures=signatures,
        protection=environ.get("GREENROOM_SIGNATURES") or signatures.protection,
        demo_port=_port(environ, "GREENROOM_DEMO_PORT", DEFAULT_DEMO_PORT, MAX_PORT),
        console_port=_port(environ, "GREENROOM_CONSOLE_PORT", DEFAULT_CONSOLE_PORT, MAX_PORT),
        metrics_port=_port(environ, "GREENROOM_METRICS_PORT", DEFAULT_METRICS_PORT, MAX_PORT),
    )


def ports(settings: Settings) -> dict[int, str]:
    """Every port of the stack, with the words by which an error tells whose it is and what changes it."""
    wanted = [
        (settings.port, "the web app's, GREENROOM_PORT"),
        (settings.demo_port, "the demo page's, GREENROOM_DEMO_PORT"),
        (settings.console_port, "the console's, GREENROOM_CONSOLE_PORT"),
        (settings.metrics_port, "the metrics', GREENROOM_METRICS_PORT"),
    ]
    for offset in PORT_OFFSETS:
        where = f"{offset} above GREENROOM_S3_PORT" if offset else "GREENROOM_S3_PORT"
        wanted.append((settings.s3_port + offset, f"the store's, {where}"))
    found: dict[int, str] = {}
    for port, whose in wanted:
        if port in found:
            raise StackError(f"port {port} is both {found[port]}, and {whose}: change one of them")
        found[port] = whose
    return found


def _port(environ: Mapping[str, str], name: str, default: int, highest: int) -> int:
    value = environ.get(name) or str(default)
    if not (value.isascii() and value.isdigit() and 0 < int(value) <= highest):
        raise StackError(f"{name} must be a port between 1 and {highest}, not {value!r}")
    return int(value)
