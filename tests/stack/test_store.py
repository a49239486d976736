"""The store keeps what it was given, from one start to the next and beside another store."""

from __future__ import annotations

import io
import json
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from stack import StackError
from stack.ports import claim_block
from stack.store import PORT_OFFSETS, SERVICES, Store, start
from stack.store_policy import QUARANTINE, load_or_make
from tests.stack.listening import addresses


@contextmanager
def running(folder: Path) -> Iterator[Store]:
    """A store of its own in `folder`, on ports that nobody else has."""
    s3_port, claim = claim_block(PORT_OFFSETS)
    with claim:
        store = start(folder, s3_port, folder / "store.log")
        try:
            yield store
        finally:
            store.stop()


def test_secrets_and_objects_outlive_the_process(parts_folder: Path) -> None:
    """A second start finds its objects and credentials again, on other ports too."""
    folder = parts_folder / uuid.uuid4().hex
    content = os.urandom(3 * 1024 * 1024)
    with running(folder) as first:
        first.client("ingest").put_object(QUARANTINE, "kept", io.BytesIO(content), len(content))
    with running(folder) as second:
        assert second.s3_port != first.s3_port
        assert second.identities == first.identities
        assert second.client("scan").get_object(QUARANTINE, "kept").data == content
        # Writing still works beside the volumes of the first start.
        second.client("ingest").put_object(QUARANTINE, "new", io.BytesIO(content), len(content))


def test_two_stores_run_side_by_side(store: Store, parts_folder: Path) -> None:
    """Another store has ports, sockets and secrets of its own, and stopping it leaves the first alone."""
    with running(parts_folder / uuid.uuid4().hex) as other:
        assert addresses([other.child.pid]).isdisjoint(addresses([store.child.pid]))
        assert other.identities["scan"].secret_key != store.identities["scan"].secret_key
    assert not list(Path("/tmp").glob(f"seaweedfs-*-{other.s3_port}.sock"))
    store.client("ingest").put_object(QUARANTINE, uuid.uuid4().hex, io.BytesIO(b"x"), 1)


def test_the_filer_gives_out_nothing_unsigned(store: Store) -> None:
    """The quarantine cannot be read by going round S3."""
    key = uuid.uuid4().hex
    store.client("ingest").put_object(QUARANTINE, key, io.BytesIO(b"x"), 1)
    filer = f"http://127.0.0.1:{store.s3_port + SERVICES['filer']}"
    for path in ("/", f"/buckets/{QUARANTINE}/", f"/buckets/{QUARANTINE}/{key}"):
        assert httpx.get(filer + path).status_code == 401, path


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    """s3.json holds every role's secret: mode 600, also when it replaces a file that others could read."""
    path = tmp_path / "s3.json"
    path.write_text(json.dumps({"identities": []}))
    path.chmod(0o644)
    identities = load_or_make(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len({one.secret_key for one in identities.values()}) == len(identities) == 6


def test_a_taken_port_is_an_error_and_not_another_port(tmp_path: Path) -> None:
    """SeaweedFS would rather move aside than fail; with every port given it says which one is taken."""
    s3_port, claim = claim_block(PORT_OFFSETS)
    filer = s3_port + SERVICES["filer"]
    with claim, socket.create_server(("127.0.0.1", filer)), pytest.raises(StackError, match=f"port {filer}"):
        start(tmp_path, s3_port, tmp_path / "store.log")
