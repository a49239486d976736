"""A throwaway PostgreSQL on loopback, for tests only: it trades safety for speed, and nothing survives."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from stack import StackError, processes
from stack.ports import LOOPBACK, free_port
from stack.processes import Child, wait_until

OWNER = "greenroom"
READY_SECONDS = 60.0
INITDB_SECONDS = 120.0
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "max_connections": "200",
    # The data is thrown away at the end, so nothing is gained by surviving a power cut.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


@dataclass(frozen=True)
class Postgres:
    """A running server; it belongs to the tests that started it."""

    folder: Path
    port: int
    password: str
    child: Child

    def url(self, database: str) -> str:
        """The URL of `database`, as GREENROOM_DATABASE_URL takes it."""
        return URL.create(
            "postgresql+psycopg", OWNER, self.password, LOOPBACK, self.port, database
        ).render_as_string(hide_password=False)

    def fresh_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"greenroom_{secrets.token_hex(6)}"
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template0'))
        return self.url(name)

    def stop(self) -> None:
        """Stop the server, cutting its connections, and remove its folder."""
        self.child.stop(signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)


def start(log: Path | None) -> Postgres:
    """Start a server on a free port in a folder of its own; return when it takes connections.

    Raises StackError when PostgreSQL is not installed or does not come up.
    """
    programs = _programs()
    # Not below the caller's folder: PostgreSQL refuses to be root, and its user cannot get in there.
    folder = Path(tempfile.mkdtemp(prefix="greenroom-pg-", dir="/tmp"))
    user = _user_for(folder)
    password = secrets.token_urlsafe(16)
    env = processes.bare_environment(folder)
    _initdb(programs, folder, user, password, env)
    port = free_port()
    argv = [str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", ""]
    for key, value in SETTINGS.items():
        argv += ["-c", f"{key}={value}"]
    # SIGINT is PostgreSQL's "fast shutdown": it does not wait for its clients to go.
    child = processes.start("postgres", argv, env=env, log=log, death_signal="INT", as_user=user)
    server = Postgres(folder, port, password, child)
    try:
        wait_until(lambda: _takes_connections(server), READY_SECONDS, "PostgreSQL's start")
    except BaseException:
        server.stop()
        raise
    return server


def _programs() -> Path:
    """The folder with the newest installed PostgreSQL's programs."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not found:
        raise StackError("PostgreSQL is missing: apt-get install postgresql")
    return max(found, key=lambda path: float(path.parent.name))


def _user_for(folder: Path) -> str | None:
    """Whom to run the server as: ourselves, or `postgres` when we are root, who then gets `folder`."""
    if os.geteuid() != 0:
        return None
    shutil.chown(folder, "postgres", "postgres")
    return "postgres"


def _initdb(programs: Path, folder: Path, user: str | None, password: str, env: dict[str, str]) -> None:
    secret = folder / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    if user:
        shutil.chown(secret, user)
    argv = [str(programs / "initdb"), "-D", str(folder / "data"), "--username", OWNER, "--no-sync"]
    argv += ["--auth", "scram-sha-256", "--pwfile", str(secret), "--encoding", "UTF8", "--locale", "C.UTF-8"]
    if user:
        argv = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--", *argv]
    result = subprocess.run(
        argv, env=env, cwd="/", capture_output=True, text=True, timeout=INITDB_SECONDS, check=False
    )
    if result.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise StackError(f"PostgreSQL's initdb failed: {result.stderr.strip()[-300:]}")


def _takes_connections(server: Postgres) -> bool:
    server.child.check_alive()
    try:
        create_engine(server.url("postgres"), poolclass=NullPool).connect().close()
    except OperationalError:
        return False
    return True
