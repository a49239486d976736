"""A store whose buckets are versioned, by its operator's choice: what is discarded there is gone too."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator

import pytest

from stack import processes, store
from stack.ports import LOOPBACK, claim_block
from stack.store import PORT_OFFSETS, SERVICES, Store
from stack.store_policy import QUARANTINE, RELEASED
from tests.contract.test_store import adapter

UPLOAD = "up_" + "0" * 32


@pytest.fixture(scope="module")
def versioned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A real SeaweedFS that keeps every version."""
    port, claim = claim_block(PORT_OFFSETS)
    folder = tmp_path_factory.mktemp("versioned")
    with claim:
        running = store.start(folder / "store", port, folder / "log")
        lines = [f"s3.bucket.versioning -name {bucket} -enable" for bucket in (QUARANTINE, RELEASED)]
        shell = [store._weed(), "shell", f"-master={LOOPBACK}:{port + SERVICES['master']}"]
        subprocess.run(
            [*shell, f"-filer={LOOPBACK}:{port + SERVICES['filer']}"],
            input="\n".join([*lines, "exit", ""]),
            env=processes.bare_environment(folder) | store._signing_keys(),
            text=True,
            timeout=60,
            check=True,
        )
        yield running
        running.stop()


def versions(running: Store, bucket: str) -> list[tuple[str | None, bool | None]]:
    """Return the versions of all that is in a bucket, and whether they only say that one was deleted."""
    found = running.client("janitor").list_objects(bucket, recursive=True, include_version=True)
    return [(one.version_id, one.is_delete_marker) for one in found]


@pytest.mark.parametrize(("bucket", "role"), [(QUARANTINE, "ingest"), (RELEASED, "release")])
def test_every_version_and_every_marker_goes(versioned: Store, bucket: str, role: str) -> None:
    """Of the upload that is meant, and of no other."""
    writer, janitor = versioned.client(role), versioned.client("janitor")
    for key in (f"{UPLOAD}/a", f"{UPLOAD}/a", f"{UPLOAD}/b", "up_other/a"):
        writer.put_object(bucket, key, io.BytesIO(b"content"), 7)
    janitor.remove_object(bucket, f"{UPLOAD}/a")
    found = versions(versioned, bucket)
    assert len(found) == 5
    assert (None, True) not in found
    assert True in {marker for _, marker in found}
    product = adapter(versioned, versioned.endpoint)
    discard = product.discard_quarantined if bucket == QUARANTINE else product.discard_released
    discard(UPLOAD)
    (left,) = janitor.list_objects(bucket, recursive=True, include_version=True)
    assert left.object_name == "up_other/a"
    discard("up_other")
    assert versions(versioned, bucket) == []
