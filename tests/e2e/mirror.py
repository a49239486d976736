"""A clamd that freshclam keeps up to date from a mirror of ours on loopback.

The mirror serves ClamAV's own signed test databases (test-1.cvd to test-6.cvd), which are no part of this
repository. They stand in for the daily one, whose version clamd tells.
"""

from __future__ import annotations

import functools
import http.server
import os
import pwd
import shutil
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.core.canary import EICAR
from stack import clamd as stack_clamd
from stack import processes
from stack.clamd import PROGRAM_PATH, ROOT, Clamd, Signatures
from stack.ports import LOOPBACK

#: A folder that holds clamav-test-cvd; without it the one beside the repository.
VARIABLE = "GREENROOM_TEST_DATA"
SHIPPED_CONFIG = ROOT / "clamav" / "freshclam.conf"
#: What a list of the operator's own makes suspicious from version 3 on.
ODDITY = b"greenroom-fake-oddity"
_NEWS = "news.ldb"
_OLD = b"greenroom-fake-oddity-of-old"
_NEWS_SINCE = 3
_LOAD_SECONDS = 60


def databases() -> Path:
    """Return the folder with the test databases; a test that asks where there are none is skipped."""
    named = os.environ.get(VARIABLE)
    folder = (Path(named) if named else ROOT.parent / "shared" / "data") / "clamav-test-cvd"
    if not folder.is_dir():
        pytest.skip(f"ClamAV's signed test databases are not here: {VARIABLE} may name the folder above them")
    return folder


@dataclass(frozen=True)
class Mirror:
    """A mirror, and the one clamd that is updated from it."""

    databases: Path
    published: Path
    clamd: Path

    def publish(self, version: int) -> None:
        """Serve that version from now on, and a list of our own that from version 3 on finds ``ODDITY``."""
        shutil.copyfile(self.databases / f"test-{version}.cvd", self.published / "daily.cvd")
        known = _OLD if version < _NEWS_SINCE else ODDITY
        name = "Heuristics.Phishing.Greenroom.News"
        (self.published / _NEWS).write_text(f"{name};Engine:81-255,Target:0;0;{known.hex()}\n")

    def update(self) -> None:
        """Run freshclam once, to its end; where clamd runs, it has been told."""
        program = shutil.which("freshclam", path=PROGRAM_PATH)
        assert program is not None
        config = f"--config-file={self.clamd / 'freshclam.conf'}"
        done = subprocess.run(
            [program, config, "--update-db=daily", "--update-db=custom"],
            env=processes.bare_environment(self.clamd),
            capture_output=True,
            text=True,
            timeout=_LOAD_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@dataclass(frozen=True)
class Quiet:
    """A server of one folder that says nothing of what it serves."""

    server: http.server.ThreadingHTTPServer

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.server.server_address[1]}"

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve(folder: Path) -> Quiet:
    """Serve the files of ``folder`` on a free port."""
    handler = functools.partial(_Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer((LOOPBACK, 0), handler)
    threading.Thread(target=server.serve_forever, name="mirror", daemon=True).start()
    return Quiet(server)


def start(folder: Path, url: str, published: Path, log: Path) -> tuple[Mirror, Clamd]:
    """Start a clamd in ``folder`` with version 2 of the databases, from the mirror at ``url``."""
    mirror = Mirror(databases(), published, folder)
    mirror.publish(2)
    own = folder.with_name(f"{folder.name}-own")
    own.mkdir()
    (own / "canaries.ldb").write_text(_canaries())
    signatures = Signatures(own, "demo")
    path = stack_clamd.prepare(folder, signatures)
    _write_freshclam(folder, url)
    mirror.update()
    environ = processes.bare_environment(folder)
    child = processes.start("updated clamd", stack_clamd.command(folder), env=environ, log=log)
    processes.wait_until(lambda: stack_clamd.ping(path), _LOAD_SECONDS, "clamd's start")
    return mirror, Clamd(path, signatures, child)


def _write_freshclam(folder: Path, url: str) -> None:
    """Write the shipped configuration with our paths and our mirror, which is asked without DNS."""
    replaced = {"DatabaseDirectory": folder / "signatures", "NotifyClamd": folder / "clamd.conf"}
    ours = {
        "PrivateMirror": url,
        "DatabaseCustomURL": f"{url}/{_NEWS}",
        "DatabaseOwner": pwd.getpwuid(os.geteuid()).pw_name,
    }
    shipped = stack_clamd.render(SHIPPED_CONFIG.read_text(), replaced)
    (folder / "freshclam.conf").write_text(shipped + "".join(f"{key} {ours[key]}\n" for key in ours))


def _canaries() -> str:
    """Return signatures that find EICAR by itself and in a zip, so that version 2 is believed at all.

    In any other container it is news: version 2 does not know it, version 3 does.
    """
    where = {"Alone": "CL_TYPE_ANY", "Zipped": "CL_TYPE_ZIP"}
    return "".join(
        f"Greenroom.Test.{name};Engine:81-255,Target:0,Container:{kind};0;0:{EICAR.hex()}\n"
        for name, kind in where.items()
    )
