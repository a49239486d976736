"""Debian's rsyslog with TLS, where it is installed (packages rsyslog and rsyslog-gnutls)."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Final

from stack import processes
from stack.ports import LOOPBACK, free_port
from stack.processes import Child, wait_until

_PROGRAM: Final = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin")
_TLS: Final = [*Path("/usr/lib").glob("*/rsyslog/lmnsd_gtls.so")]
INSTALLED: Final = bool(_PROGRAM and _TLS)
WHY_NOT: Final = "needs rsyslogd with TLS: apt-get install rsyslog rsyslog-gnutls"
_SETTINGS: Final = """
global(
    workDirectory="{folder}" defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{ca}"
    defaultNetstreamDriverCertFile="{certificate}" defaultNetstreamDriverKeyFile="{certificate}"
)
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
input(type="imtcp" address="127.0.0.1" port="{port}")
template(name="raw" type="string" string="%rawmsg%\\n")
action(type="omfile" file="{folder}/received" template="raw" asyncWriting="off")
"""


class Rsyslog:
    """A receiver that keeps its files in `folder`; it wants a certificate of its authority from senders."""

    def __init__(self, folder: Path, ca: Path, certificate: Path) -> None:
        self.port = free_port()
        self._folder = folder
        settings = _SETTINGS.format(folder=folder, ca=ca, certificate=certificate, port=self.port)
        (folder / "rsyslog.conf").write_text(settings)
        self.child: Child
        self.start()

    def start(self) -> None:
        """Start it, and return when it listens."""
        files = ("-f", f"{self._folder}/rsyslog.conf", "-i", f"{self._folder}/rsyslog.pid")
        environ = processes.bare_environment(self._folder)
        log = self._folder / "rsyslog.log"
        self.child = processes.start("rsyslog", [_PROGRAM or "", "-n", *files], env=environ, log=log)
        wait_until(self._listens, 20, "rsyslog's start")

    def messages(self) -> list[str]:
        """What was received so far."""
        received = self._folder / "received"
        return received.read_text().splitlines() if received.exists() else []

    def stop(self) -> None:
        """End it."""
        self.child.stop()

    def _listens(self) -> bool:
        self.child.check_alive()
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, self.port)) == 0
