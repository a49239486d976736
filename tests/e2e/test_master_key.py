"""Rotation of the master key by the operator's commands, killed in the middle as a process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, func, insert, select

from service import wiring
from service.adapters.database import open_engine
from service.adapters.schema import accounts
from service.core.account import HOME, Account
from service.core.errors import SecretsUnreadable
from stack.processes import wait_until
from tests.core.environment import LEAST
from tests.e2e.serving import Service, prepare

FILE, OLD_FILE = "GREENROOM_MASTER_KEY_FILE", "GREENROOM_OLD_MASTER_KEY_FILE"
COUNT = 300


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A database without any other part, and two master keys, the first of which counts."""
    environ = {name: value for name, value in LEAST.items() if name != "GREENROOM_MASTER_KEY_URI"}
    environ |= {"PATH": os.environ["PATH"], FILE: str(tmp_path / "first.key")}
    environ["GREENROOM_DATABASE_URL"] = f"sqlite:///{tmp_path / 'ledger.db'}"
    for name in ("first.key", "second.key"):
        (tmp_path / name).write_text(wiring.new_master_key())
    service = prepare(environ, tmp_path)
    yield service
    service.stop()


@pytest.fixture
def engine(service: Service) -> Iterator[Engine]:
    """Its database, with many accounts that have a key."""
    engine = open_engine(service.environ["GREENROOM_DATABASE_URL"])
    rows = []
    for number in range(COUNT):
        account = Account(f"a{number:04}", datetime.now(UTC))
        sealed = service.parts.cipher.new_account_key(account)
        rows.append(
            {"id": account.id, "created_at": account.created_at, "plan": "paid", "region": HOME}
            | {"sealed_key": sealed, "version": 1}
        )
    with engine.begin() as connection:
        connection.execute(insert(accounts), rows)
    yield engine
    engine.dispose()


def done(connection: Connection) -> int:
    """Count the accounts whose key was sealed anew."""
    return connection.scalar(select(func.count()).where(accounts.c.version > 1)) or 0


def kill_in_the_middle(service: Service, engine: Engine) -> int:
    """Start the rotation and end it by SIGKILL while it is at it; return how many it had done."""
    child = service.start("rotate", [sys.executable, "-m", "service", "keys", "rotate-master"])
    with engine.connect() as connection:

        def begun() -> bool:
            child.check_alive()
            with connection.begin():
                return done(connection) > 0

        wait_until(begun, 60, "the rotation's beginning")
        # Whoever writes now waits for us: it cannot come to its end before it is killed.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        so_far = done(connection)
        os.kill(child.pid, signal.SIGKILL)
        child.stop()
        connection.rollback()
    return so_far


def test_a_rotation_that_was_killed_is_gone_on_with(service: Service, engine: Engine) -> None:
    """With both keys set it goes on where it was; then every key is opened without the first one's file.
    Without the first one before that, what it sealed is named, and is left as it is.
    """
    first, second = (service.folder / name for name in ("first.key", "second.key"))
    alone = replace(service, environ={**service.environ, FILE: str(second)})
    both = replace(service, environ={**alone.environ, OLD_FILE: str(first)})
    so_far = kill_in_the_middle(both, engine)
    assert 0 < so_far < COUNT
    early = alone.run("keys", "rotate-master")
    assert (early.returncode, early.stderr.count("NOT OPENED a")) == (1, COUNT - so_far)
    assert "keep every master key there was" in early.stderr
    ended = both.run("keys", "rotate-master")
    assert (ended.returncode, ended.stdout) == (
        0,
        f"{COUNT - so_far} keys were sealed anew, {so_far} were under the present master key already\n",
    ), ended.stderr
    first.unlink()
    parts = wiring.build(alone.environ).parts
    for number in range(COUNT):
        parts.keyring.of(f"a{number:04}")
    with pytest.raises(SecretsUnreadable):
        service.parts.keyring.of("a0000")
