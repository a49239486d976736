"""Bar R18: what each store identity may do equals one table, on the real store."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable

import pytest
from minio import Minio
from minio.commonconfig import CopySource
from minio.deleteobjects import DeleteError, DeleteObject
from minio.error import S3Error

from stack.store import REGION, Store
from stack.store_policy import CHECKPOINTS, QUARANTINE, RELEASED

PART_SIZE = 5 * 1024 * 1024

JANITOR = {
    *("list", "list_versions", "list_multipart", "delete", "delete_many", "delete_version", "abort"),
}
COPIES = ("copy_from_quarantine", "copy_from_released")
# (role, bucket) -> the verbs that work; every other one must be AccessDenied.
ALLOWED: dict[tuple[str, str], set[str]] = {
    ("ingest", QUARANTINE): {"put", "put_multipart", "abort"},
    ("ingest", RELEASED): set(),
    ("scan", QUARANTINE): {"get", "stat"},
    ("scan", RELEASED): set(),
    # It copies what is recalled back the way that it came.
    ("release", QUARANTINE): {"get", "stat", "put", "put_multipart", "abort", *COPIES},
    ("release", RELEASED): {"put", "put_multipart", "abort", "get", "stat", *COPIES},
    ("download", QUARANTINE): set(),
    ("download", RELEASED): {"get", "stat"},
    ("janitor", QUARANTINE): JANITOR,
    ("janitor", RELEASED): JANITOR,
    ("witness", QUARANTINE): set(),
    ("witness", RELEASED): set(),
    **{(role, CHECKPOINTS): set() for role in ("ingest", "scan", "release", "download", "janitor", "nobody")},
    # Who may write may also abort what it wrote half.
    ("witness", CHECKPOINTS): {"put", "put_multipart", "abort", "get", "stat", "list_versions"},
    ("nobody", QUARANTINE): set(),
    ("nobody", RELEASED): set(),
}
WRITER = {QUARANTINE: "ingest", RELEASED: "release", CHECKPOINTS: "witness"}


class Object:
    """An object and an unfinished multipart upload that the writer of the bucket left there."""

    def __init__(self, store: Store, bucket: str) -> None:
        self.bucket = bucket
        self.key = uuid.uuid4().hex
        writer = store.client(WRITER[bucket])
        writer.put_object(bucket, self.key, io.BytesIO(b"content"), 7)
        self.unfinished = uuid.uuid4().hex
        self.upload_id = writer._create_multipart_upload(bucket, self.unfinished, {})
        self.in_quarantine = uuid.uuid4().hex
        store.client("ingest").put_object(QUARANTINE, self.in_quarantine, io.BytesIO(b"content"), 7)
        self.in_released = uuid.uuid4().hex
        store.client("release").put_object(RELEASED, self.in_released, io.BytesIO(b"content"), 7)


VERBS: dict[str, Callable[[Minio, Object], object]] = {
    "put": lambda c, at: c.put_object(at.bucket, uuid.uuid4().hex, io.BytesIO(b"x"), 1),
    "put_multipart": lambda c, at: c.put_object(
        at.bucket, uuid.uuid4().hex, io.BytesIO(bytes(PART_SIZE + 1)), PART_SIZE + 1, part_size=PART_SIZE
    ),
    "get": lambda c, at: c.get_object(at.bucket, at.key).read(),
    "stat": lambda c, at: c.stat_object(at.bucket, at.key),
    "list": lambda c, at: list(c.list_objects(at.bucket, recursive=True)),
    "list_versions": lambda c, at: list(c.list_objects(at.bucket, recursive=True, include_version=True)),
    "list_multipart": lambda c, at: c._list_multipart_uploads(at.bucket),
    "abort": lambda c, at: c._abort_multipart_upload(at.bucket, at.unfinished, at.upload_id),
    "copy_from_quarantine": lambda c, at: c.copy_object(
        at.bucket, uuid.uuid4().hex, CopySource(QUARANTINE, at.in_quarantine)
    ),
    "copy_from_released": lambda c, at: c.copy_object(
        at.bucket, uuid.uuid4().hex, CopySource(RELEASED, at.in_released)
    ),
    "delete": lambda c, at: c.remove_object(at.bucket, at.key),
    "delete_many": lambda c, at: list(c.remove_objects(at.bucket, [DeleteObject(at.key)])),
    "delete_version": lambda c, at: list(c.remove_objects(at.bucket, [DeleteObject(at.key, "null")])),
    "read_tags": lambda c, at: c.get_object_tags(at.bucket, at.key),
    "read_bucket_policy": lambda c, at: c.get_bucket_policy(at.bucket),
    "write_bucket_policy": lambda c, at: c.set_bucket_policy(
        at.bucket, '{"Version": "2012-10-17", "Statement": []}'
    ),
    "make_bucket": lambda c, _at: c.make_bucket(f"b{uuid.uuid4().hex}"),
    "remove_bucket": lambda c, at: c.remove_bucket(at.bucket),
}


def refusal(call: Callable[[], object]) -> str | None:
    """The store's error code, None when it did what was asked; a bulk deletion reports inside a 200."""
    try:
        result = call()
    except S3Error as error:
        return error.code
    match result:
        case [DeleteError(code=code)]:
            return code
    return None


def _client(store: Store, role: str) -> Minio:
    if role == "nobody":
        return Minio(store.endpoint, secure=False, region=REGION)
    return store.client(role)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("role", "bucket"), ALLOWED)
def test_identity_may_do_what_the_table_says_and_nothing_else(
    store: Store, role: str, bucket: str, verb: str
) -> None:
    """A verb outside the table is refused with AccessDenied, one inside it works."""
    target = Object(store, bucket)
    client = _client(store, role)
    expected = None if verb in ALLOWED[role, bucket] else "AccessDenied"
    assert refusal(lambda: VERBS[verb](client, target)) == expected


def test_every_identity_of_the_store_is_in_the_table(store: Store) -> None:
    """An identity that is added without a row here would go unchecked."""
    assert set(store.identities) == {role for role, _ in ALLOWED} - {"nobody"}


def test_wrong_secret_opens_nothing(store: Store) -> None:
    """Knowing an access key's name, which is not secret, is of no use."""
    name = store.identities["download"].access_key
    client = Minio(store.endpoint, access_key=name, secret_key="guessed", secure=False, region=REGION)
    with pytest.raises(S3Error) as refused:
        list(client.list_objects(RELEASED))
    assert refused.value.code == "SignatureDoesNotMatch"
