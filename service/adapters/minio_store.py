"""``ports.ObjectStore`` on any S3 server, through the ``minio`` SDK.

One identity per role, so that a leaked one opens no more than its task needs. This is the only place that
moves content to and from the store.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final, TypeVar
from xml.etree.ElementTree import ParseError

import urllib3
from minio import Minio
from minio.commonconfig import CopySource
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error

from service.core.errors import ContentLost, StoreUnavailable
from service.ports import Source, Stored

_PART: Final = 5 * 1024 * 1024
_PARTS_AT_ONCE: Final = 2
_GONE: Final = frozenset({"NoSuchKey", "PreconditionFailed", "InvalidRange"})

T = TypeVar("T")


class Role(StrEnum):
    """Who speaks to the store."""

    INGEST = "ingest"
    SCAN = "scan"
    RELEASE = "release"
    DOWNLOAD = "download"
    JANITOR = "janitor"


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity's keys."""

    access_key: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class Buckets:
    """The two buckets' names."""

    quarantine: str
    released: str


class MinioStore:
    """The two buckets of an S3 server."""

    def __init__(
        self,
        endpoint: str,
        *,
        secure: bool,
        region: str,
        buckets: Buckets,
        identities: Mapping[Role, Identity],
    ) -> None:
        """Speak to ``endpoint`` (host:port), by TLS if ``secure``. Opens no connection yet."""
        pool = urllib3.PoolManager(
            num_pools=4,
            maxsize=32,
            timeout=urllib3.Timeout(connect=3, read=60),
            retries=urllib3.Retry(
                total=2, connect=2, read=0, backoff_factor=0.2, status_forcelist=[502, 503, 504]
            ),
        )
        self._clients = {
            role: Minio(
                endpoint,
                access_key=identity.access_key,
                secret_key=identity.secret_key,
                secure=secure,
                region=region,
                http_client=pool,
            )
            for role, identity in identities.items()
        }
        self._buckets = buckets

    def put(self, key: str, source: Source, size: int | None) -> Stored:
        """Store a source in quarantine (see ``ports.ObjectStore``).

        The SDK always gets a source of unknown length that never raises: if it met an error in the middle,
        its threads for the parts would wait for ever. So a source that fails is ended early, and the object
        that came of it, which nobody knows yet, is deleted.
        """
        muted = _Muted(source)
        result = _asked(
            lambda: self._clients[Role.INGEST].put_object(
                self._buckets.quarantine,
                key,
                muted,  # type: ignore[arg-type]
                length=-1,
                part_size=_PART,
                num_parallel_uploads=_PARTS_AT_ONCE,
            )
        )
        etag = _bare(result.etag)
        if muted.raised is None and etag and size in {None, muted.size}:
            return Stored(key, muted.size, etag)
        with suppress(StoreUnavailable):
            self.discard_object(key)
        raise muted.raised or StoreUnavailable("the store took something else than what was sent")

    @contextmanager
    def read_quarantined(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[Source]:
        """Open a range of a quarantined object."""
        with self._reading(Role.SCAN, self._buckets.quarantine, key, offset, length) as source:
            yield source

    @contextmanager
    def read_released(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[Source]:
        """Open a range of a released object."""
        with self._reading(Role.DOWNLOAD, self._buckets.released, key, offset, length) as source:
            yield source

    def release(self, stored: Stored) -> None:
        """Copy one object out, on condition of its ETag, and check the copy."""
        client, released = self._clients[Role.RELEASE], self._buckets.released
        origin = CopySource(self._buckets.quarantine, stored.key, match_etag=stored.etag)
        _asked(lambda: client.copy_object(released, stored.key, origin))
        copy = _asked(lambda: client.stat_object(released, stored.key))
        if copy.size != stored.size:
            raise ContentLost("the released copy has another size than what was stored")

    def recall(self, key: str) -> Stored:
        """Copy one object back, on condition of the ETag that it has now, and check the copy."""
        client, quarantine, released = (
            self._clients[Role.RELEASE],
            self._buckets.quarantine,
            self._buckets.released,
        )
        there = _asked(lambda: client.stat_object(released, key))
        origin = CopySource(released, key, match_etag=_bare(there.etag))
        _asked(lambda: client.copy_object(quarantine, key, origin))
        copy = _asked(lambda: client.stat_object(quarantine, key))
        if copy.size is None or copy.size != there.size:
            raise ContentLost("the copy in quarantine has another size than what was released")
        return Stored(key, copy.size, _bare(copy.etag))

    def discard_object(self, key: str) -> None:
        """Delete one object in quarantine."""
        _asked(lambda: self._clients[Role.JANITOR].remove_object(self._buckets.quarantine, key))

    def discard_quarantined(self, upload_id: str) -> None:
        """Delete all below the upload's prefix in quarantine, in every version that the bucket keeps, and
        unfinished multipart uploads too.
        """
        self._abort(f"{upload_id}/", None)
        self._discard(self._buckets.quarantine, upload_id)

    def discard_released(self, upload_id: str) -> None:
        """Delete all below the upload's prefix in released, in every version that the bucket keeps."""
        self._discard(self._buckets.released, upload_id)

    def discard_unfinished(self, started_before: datetime) -> int:
        """Abort old multipart uploads."""
        return self._abort("", started_before)

    def _abort(self, prefix: str, started_before: datetime | None) -> int:
        """Abort multipart uploads in quarantine. The SDK has these calls as private ones only."""
        client, bucket = self._clients[Role.JANITOR], self._buckets.quarantine
        listed = _asked(lambda: client._list_multipart_uploads(bucket, prefix=prefix))  # noqa: SLF001
        stale = [
            (upload.object_name, upload.upload_id)
            for upload in listed.uploads
            if upload.object_name and upload.upload_id and _before(upload.initiated_time, started_before)
        ]
        for name, multipart_id in stale:
            _asked(partial(client._abort_multipart_upload, bucket, name, multipart_id))  # noqa: SLF001
        return len(stale)

    def ping(self) -> None:
        """List one key of each bucket."""
        client = self._clients[Role.JANITOR]
        for bucket in (self._buckets.quarantine, self._buckets.released):
            _asked(partial(self._first, client, bucket))

    @staticmethod
    def _first(client: Minio, bucket: str) -> object:
        return next(iter(client.list_objects(bucket, prefix="ping/")), None)

    def _discard(self, bucket: str, upload_id: str) -> None:
        client = self._clients[Role.JANITOR]
        prefix = f"{upload_id}/"
        # A bucket may be versioned, by its operator's choice: what is deleted there without saying which
        # version is only hidden, under a marker that is a version too.
        found = _asked(
            lambda: list(client.list_objects(bucket, prefix=prefix, recursive=True, include_version=True))
        )
        doomed = [DeleteObject(item.object_name, item.version_id) for item in found if item.object_name]
        errors = _asked(lambda: list(client.remove_objects(bucket, doomed)))
        if errors:
            raise StoreUnavailable(f"the store did not delete an object: {errors[0].code}")

    @contextmanager
    def _reading(
        self, role: Role, bucket: str, key: str, offset: int, length: int | None
    ) -> Iterator[Source]:
        response = _asked(
            lambda: self._clients[role].get_object(bucket, key, offset=offset, length=length or 0)
        )
        try:
            yield _Response(response)
        finally:
            response.close()
            response.release_conn()


class _Muted:
    """A source that counts and ends where it would raise; ``raised`` is what it would have raised."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.size = 0
        self.raised: BaseException | None = None

    def read(self, size: int) -> bytes:
        if self.raised is not None:
            return b""
        try:
            data = self._source.read(size)
        except BaseException as error:  # noqa: BLE001 - also a worker's exit is raised again, after the SDK ended
            self.raised = error
            return b""
        self.size += len(data)
        return data


class _Response:
    """A response's body as a source."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def read(self, size: int, /) -> bytes:
        return bytes(_asked(lambda: self._response.read(size)))


def _bare(etag: str | None) -> str:
    return (etag or "").strip('"')


def _before(at: datetime | None, limit: datetime | None) -> bool:
    return at is None or limit is None or at < limit


def _asked(call: Callable[[], T]) -> T:
    """Return what ``call`` returns, with the SDK's and urllib3's errors in the terms of the port."""
    try:
        return call()
    except S3Error as error:
        if error.code in _GONE:
            raise ContentLost("the store does not have the object as it was stored") from error
        raise StoreUnavailable(f"the store answered {error.code}") from error
    except (MinioException, urllib3.exceptions.HTTPError, OSError, ParseError) as error:
        raise StoreUnavailable(f"the store did not answer: {type(error).__name__}") from error
