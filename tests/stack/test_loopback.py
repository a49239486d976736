"""Nothing of the stack can be reached from another machine."""

from __future__ import annotations

import os
import socket

from stack.clamd import Clamd
from stack.postgres import Postgres
from stack.store import PORT_OFFSETS, Store
from tests.stack.listening import addresses, beyond_loopback


def test_the_check_itself_sees_an_open_port() -> None:
    """A listener on every address is told from one on loopback: else the laws below would mean nothing."""
    everywhere = "0.0.0.0"  # noqa: S104 - bound, but never accepted from
    with socket.create_server(("127.0.0.1", 0)) as inside, socket.socket() as outside:
        outside.bind((everywhere, 0))
        outside.listen(0)
        found = addresses([os.getpid()])
        assert inside.getsockname() in found
        assert beyond_loopback(found) == {outside.getsockname()}


def test_store_listens_on_its_ten_loopback_ports_only(store: Store) -> None:
    """SeaweedFS's master, volume, filer and admin know no password, their gRPC ports included."""
    expected = {("127.0.0.1", store.s3_port + offset) for offset in PORT_OFFSETS}
    assert addresses([store.child.pid]) == expected


def test_clamd_listens_on_no_port(clamd: Clamd) -> None:
    """Whoever can talk to clamd can shut it down: a unix socket for its owner and group, and no port."""
    assert addresses([clamd.child.pid]) == set()
    assert clamd.socket.stat().st_mode & 0o777 == 0o660


def test_postgres_listens_on_loopback_only(postgres: Postgres) -> None:
    """The tests' database server is on one loopback port."""
    assert addresses([postgres.child.pid]) == {("127.0.0.1", postgres.port)}
