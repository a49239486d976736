"""clamd in the foreground on a unix socket, with clamav/clamd.conf and nothing changed in it but paths.

`python -m stack.clamd` becomes one, configured by the environment: GREENROOM_STATE_DIR holds its socket and
its temporary files, GREENROOM_SIGNATURES_DIR names its signatures (else see choose_signatures).
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stack import StackError, processes
from stack.processes import Child, wait_until

ROOT = Path(__file__).resolve().parent.parent
SHIPPED_CONFIG = ROOT / "clamav" / "clamd.conf"
DEMO_SIGNATURES = ROOT / "clamav" / "demo"
# Loaded beside whatever is chosen: they report what clamd cannot look into.
OWN_SIGNATURES = ROOT / "clamav" / "signatures"
OFFICIAL_FOLDER = Path("/var/lib/clamav")
OFFICIAL_FILES = ("daily.cvd", "daily.cld", "main.cvd", "main.cld")
# An ordinary user's PATH does not have the sbin folders.
PROGRAM_PATH = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
# Loading the full official database takes about 25 s on a quiet machine.
READY_SECONDS = 240.0
# sockaddr_un holds 108 bytes, one of them the closing zero.
SOCKET_PATH_BYTES = 107

Protection = Literal["official", "demo"]


@dataclass(frozen=True)
class Signatures:
    """A folder of signatures, and whether an official database is in it."""

    folder: Path
    protection: Protection


@dataclass(frozen=True)
class Clamd:
    """A running clamd; `socket` is its unix socket, `signatures` what it loaded."""

    socket: Path
    signatures: Signatures
    child: Child

    def stop(self) -> None:
        """Stop the process."""
        self.child.stop()


def choose_signatures(environ: Mapping[str, str]) -> Signatures:
    """The folder that GREENROOM_SIGNATURES_DIR names; else the machine's official one; else the demo ones.

    Raises StackError when the named folder is not there.
    """
    named = environ.get("GREENROOM_SIGNATURES_DIR")
    if named:
        folder = Path(named).resolve()
        if not folder.is_dir():
            raise StackError(f"GREENROOM_SIGNATURES_DIR is not a folder: {named}")
        return Signatures(folder, "official" if _has_official(folder) else "demo")
    if _has_official(OFFICIAL_FOLDER):
        return Signatures(OFFICIAL_FOLDER, "official")
    return Signatures(DEMO_SIGNATURES, "demo")


def start(folder: Path, signatures: Signatures, log: Path | None) -> Clamd:
    """Start clamd with its socket and temporary files in `folder`; return when it answers PING.

    Raises StackError when it is not installed or does not come up, as with a malformed signature.
    """
    path = prepare(folder, signatures)
    env = processes.bare_environment(folder)
    child = processes.start("clamd", command(folder), env=env, log=log)
    clamd = Clamd(path, signatures, child)
    try:
        wait_until(lambda: _ready(clamd), READY_SECONDS, "clamd's start")
    except BaseException:
        clamd.stop()
        raise
    return clamd


def socket_path(folder: Path) -> Path:
    """Where the clamd of `folder` has its socket; StackError when that path is longer than it may be."""
    path = folder / "clamd.sock"
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES:
        raise StackError(
            f"the path of clamd's socket is too long, choose a shorter GREENROOM_STATE_DIR: {path}"
        )
    return path


def prepare(folder: Path, signatures: Signatures) -> Path:
    """Make `folder` ready for `command` and return the socket's path; what a killed clamd left is removed."""
    path = socket_path(folder)
    temporary = folder / "tmp"
    # A killed clamd leaves the files that it was scanning, which are not ours to keep.
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o700, parents=True)
    replaced = {
        "DatabaseDirectory": _gather(folder, signatures),
        "TemporaryDirectory": temporary,
        "LocalSocket": path,
    }
    (folder / "clamd.conf").write_text(render(SHIPPED_CONFIG.read_text(), replaced))
    return path


def _gather(folder: Path, signatures: Signatures) -> Path:
    """A folder of links to the chosen signatures and to our own, because clamd takes one folder only.

    An update that keeps its file's name reaches a running clamd; one that renames it (daily.cvd to daily.cld)
    at its next start, and until then nothing counts as clean once the signatures are too old.
    """
    gathered = folder / "signatures"
    shutil.rmtree(gathered, ignore_errors=True)
    gathered.mkdir()
    for source in (signatures.folder, OWN_SIGNATURES):
        for file in source.iterdir():
            if file.is_file():
                link = gathered / file.name
                link.unlink(missing_ok=True)
                link.symlink_to(file)
    return gathered


def render(shipped: str, replaced: Mapping[str, Path]) -> str:
    """`shipped` with the values of some keys replaced; StackError unless each is in it once."""
    lines = shipped.splitlines()
    for key, value in replaced.items():
        places = [place for place, line in enumerate(lines) if line.split(" ")[0] == key]
        if len(places) != 1:
            raise StackError(f"clamav/clamd.conf must have exactly one line for {key}")
        lines[places[0]] = f"{key} {value}"
    return "\n".join(lines) + "\n"


def command(folder: Path) -> list[str]:
    """The command line of clamd for a folder that `prepare` made; StackError when clamd is not installed."""
    return [find_program(), "--foreground", f"--config-file={folder / 'clamd.conf'}"]


def find_program(search: str = PROGRAM_PATH) -> str:
    """The path of clamd in the folders of `search`; StackError naming the package when it is in none."""
    found = shutil.which("clamd", path=search)
    if found is None:
        raise StackError("clamd is missing: apt-get install clamav-daemon")
    return found


def ping(path: Path) -> bool:
    """Whether a clamd answers PING at the unix socket `path` within 5 s."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(5)
        try:
            link.connect(str(path))
            link.sendall(b"zPING\0")
            return link.recv(16) == b"PONG\0"
        except OSError:
            return False


def _has_official(folder: Path) -> bool:
    return any((folder / name).exists() for name in OFFICIAL_FILES)


def _ready(clamd: Clamd) -> bool:
    clamd.child.check_alive()
    return ping(clamd.socket)


def main() -> None:
    """Become clamd, configured as the module's docstring says."""
    folder = Path(os.environ["GREENROOM_STATE_DIR"]) / "clamd"
    try:
        prepare(folder, choose_signatures(os.environ))
        argv = command(folder)
    except StackError as error:
        sys.exit(f"greenroom: {error}")
    os.execve(argv[0], argv, processes.bare_environment(folder))


if __name__ == "__main__":
    main()
