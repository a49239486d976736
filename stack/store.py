"""SeaweedFS on loopback: `weed mini` with fsync'ed buckets, one of them locked, and one identity per role.

`python -m stack.store` keeps one in the foreground, configured by the environment: GREENROOM_STATE_DIR holds
its data, GREENROOM_S3_PORT is its S3 port.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from minio import Minio
from minio.error import S3Error
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from stack import StackError, processes
from stack.ports import GRPC_OFFSET, LOOPBACK
from stack.processes import Child, wait_until
from stack.store_policy import BUCKETS, CHECKPOINTS, Identity, load_or_make

READY_SECONDS = 60.0
REGION = "us-east-1"
SERVICES = {"s3": 0, "master": 1, "volume": 2, "filer": 3, "admin": 4}
PORT_OFFSETS = tuple(SERVICES.values()) + tuple(offset + GRPC_OFFSET for offset in SERVICES.values())
"""Every port of the store, counted from its S3 port."""

VOLUME_MEGABYTES = 1024
VOLUMES = 200
"""Cap of 200 GiB. Given outright because the default is worked out from the free disk once and then kept."""


@dataclass(frozen=True)
class Store:
    """A running store: `endpoint` is host:port of its S3, `identities` one key pair per role."""

    endpoint: str
    identities: dict[str, Identity]
    child: Child
    s3_port: int

    def client(self, role: str) -> Minio:
        """A client that acts as `role`; it tries once and gives up after 30 s without an answer."""
        return _client(self.endpoint, self.identities[role])

    def stop(self) -> None:
        """Stop the process and remove the sockets that it leaves in /tmp."""
        self.child.stop()
        remove_sockets(self.s3_port)


def start(folder: Path, s3_port: int, log: Path | None) -> Store:
    """Start a store whose data and secrets live in `folder`; return when both buckets can be used.

    The ten ports counted from `s3_port` (PORT_OFFSETS) must be free. StackError if it does not come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    identities = load_or_make(folder / "s3.json")
    data = folder / "data"
    data.mkdir(exist_ok=True)
    env = processes.bare_environment(folder) | _signing_keys()
    child = processes.start("store", _command(folder, s3_port), env=env, log=log)
    store = Store(f"{LOOPBACK}:{s3_port}", identities, child, s3_port)
    try:
        wait_until(lambda: _answers(store), READY_SECONDS, "the object store's start")
        _provision(s3_port, env)
        wait_until(lambda: usable(store.endpoint, identities), READY_SECONDS, "making the buckets")
    except BaseException:
        store.stop()
        raise
    return store


def usable(endpoint: str, identities: Mapping[str, Identity]) -> bool:
    """Whether both buckets answer to the secret of `identities`: the store is up, set up, and ours."""
    janitor = _client(endpoint, identities["janitor"])
    try:
        for bucket in BUCKETS:
            list(janitor.list_objects(bucket))
    except (S3Error, HTTPError):
        return False
    return True


def remove_sockets(s3_port: int) -> None:
    """Remove the unix sockets of a stopped store: SeaweedFS puts them in /tmp and leaves some behind."""
    for service, offset in SERVICES.items():
        port = s3_port + offset
        Path(f"/tmp/seaweedfs-{service}-{port}.sock").unlink(missing_ok=True)
        Path(f"/tmp/seaweedfs-{service}-grpc-{port + GRPC_OFFSET}.sock").unlink(missing_ok=True)


def _signing_keys() -> dict[str, str]:
    """Keys without which the filer's HTTP port and the gRPC port of S3 answer nobody; new at each start.

    Else any process on this machine could fetch every object from the one and become an administrator by the
    other. The store's remaining ports still trust loopback: a machine is shared only with those one trusts.
    """
    key = secrets.token_hex(32)
    return {"WEED_JWT_FILER_SIGNING_KEY": key, "WEED_JWT_FILER_SIGNING_READ_KEY": key}


def _weed() -> str:
    """The `weed` that came with the Python environment, else one on PATH."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise StackError("weed (SeaweedFS) is missing: run `make install`")
    return found


def _command(folder: Path, s3_port: int) -> list[str]:
    ports = [f"-{service}.port={s3_port + offset}" for service, offset in SERVICES.items()]
    grpc = [f"-{service}.port.grpc={s3_port + offset + GRPC_OFFSET}" for service, offset in SERVICES.items()]
    return [
        _weed(),
        "mini",
        f"-dir={folder / 'data'}",
        # Its other services know no password, the filer above all: none may be reached from outside.
        f"-ip={LOOPBACK}",
        f"-ip.bind={LOOPBACK}",
        *ports,
        *grpc,
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",
        f"-s3.config={folder / 's3.json'}",
        # No identity may be added, nor a bucket made, through the S3 port.
        "-s3.iam=false",
        "-s3.autoCreateBucket=false",
        "-s3.allowDeleteBucketNotEmpty=false",
        f"-master.volumeSizeLimitMB={VOLUME_MEGABYTES}",
        f"-volume.max={VOLUMES}",
    ]


def _provision(s3_port: int, env: dict[str, str]) -> None:
    """Make the buckets and have every write to them fsync'ed; both may run again on a store that has them."""
    lines = [f"s3.bucket.create -name {bucket}" for bucket in BUCKETS]
    lines.append(f"s3.bucket.create -name {CHECKPOINTS} -withLock")
    durable = (*BUCKETS, CHECKPOINTS)
    lines += [f"fs.configure -locationPrefix=/buckets/{bucket}/ -fsync=true -apply" for bucket in durable]
    shell = [_weed(), "shell", f"-master={LOOPBACK}:{s3_port + SERVICES['master']}"]
    shell += [f"-filer={LOOPBACK}:{s3_port + SERVICES['filer']}"]
    result = subprocess.run(
        shell,
        input="\n".join([*lines, "fs.configure", "exit", ""]),
        env=env,
        capture_output=True,
        text=True,
        timeout=READY_SECONDS,
        check=False,
    )
    # The shell exits 0 whatever happened: read the settings back instead.
    settings = result.stdout.rpartition('"locations"')[2]
    if settings.count('"fsync":  true') < len(durable):
        raise StackError(f"the buckets could not be set to fsync: {result.stderr.strip()[-200:]}")


def _client(endpoint: str, identity: Identity) -> Minio:
    pool = PoolManager(timeout=Timeout(connect=5, read=30), retries=Retry(total=0))
    return Minio(
        endpoint,
        access_key=identity.access_key,
        secret_key=identity.secret_key,
        secure=False,
        region=REGION,
        http_client=pool,
    )


def _answers(store: Store) -> bool:
    store.child.check_alive()
    ports = [store.s3_port + SERVICES[service] for service in ("s3", "master", "filer")]
    paths = ["/healthz", "/cluster/status", "/healthz"]
    return all(_ok(f"http://{LOOPBACK}:{port}{path}") for port, path in zip(ports, paths, strict=True))


def _ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status) == HTTPStatus.OK
    except (urllib.error.URLError, OSError):
        return False


def main() -> int:
    """Keep a store in the foreground, configured as the module's docstring says; returns its exit code."""
    folder = Path(os.environ["GREENROOM_STATE_DIR"]) / "store"
    try:
        store = start(folder, int(os.environ["GREENROOM_S3_PORT"]), log=None)
    except StackError as error:
        print(f"greenroom: {error}", file=sys.stderr)
        return 1
    try:
        return processes.foreground(store.child)
    finally:
        store.stop()


if __name__ == "__main__":
    sys.exit(main())
