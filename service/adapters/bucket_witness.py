"""``ports.Witness`` in an S3 bucket with Object Lock, through the ``minio`` SDK.

What the bucket keeps in compliance mode can be neither deleted nor overwritten by anybody before its time,
the administrator included; writing an object anew makes another version beside it. The identity that is used
here needs no more than to put objects with a retention, to list their versions and to read them.
"""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar
from xml.etree.ElementTree import ParseError

import urllib3
from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.error import MinioException, S3Error
from minio.retention import Retention

from service.core.errors import WitnessUnavailable

T = TypeVar("T")

#: Keys are counted down, so that the newest is the first that is listed.
_TOP: Final = 10**19


class BucketWitness:
    """Objects named after the log and the size that they are over."""

    def __init__(
        self,
        endpoint: str,
        *,
        secure: bool,
        region: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        retention: timedelta,
    ) -> None:
        """Speak to ``endpoint`` (host:port), by TLS if ``secure``; lock what is put for ``retention``.

        Opens no connection yet.
        """
        pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=3, read=10), retries=urllib3.Retry(total=0)
        )
        self._client = Minio(
            endpoint,
            access_key=access_key,
            secret_key=secret_key,
            secure=secure,
            region=region,
            http_client=pool,
        )
        self._bucket = bucket
        self._retention = retention
        self.name = f"s3 {bucket}"[:40]

    def newest(self, origin: str) -> str | None:
        """Return the note over the most lines. What was deleted since is hidden, and still there."""
        key_and_version = _asked(lambda: self._first(origin))
        return None if key_and_version is None else _asked(lambda: self._read(*key_and_version))

    def keep(self, origin: str, size: int, note: str) -> None:
        """Put a note, locked. A bucket without Object Lock does not take it."""
        data = note.encode()
        _asked(
            lambda: self._client.put_object(
                self._bucket,
                f"{origin}/{_TOP - size:020d}",
                io.BytesIO(data),
                len(data),
                content_type="text/plain; charset=utf-8",
                retention=Retention(COMPLIANCE, datetime.now(UTC) + self._retention),
            )
        )

    def _first(self, origin: str) -> tuple[str, str | None] | None:
        """Return the newest key with its oldest version: what was put over it since hides nothing."""
        first: tuple[str, str | None] | None = None
        listed = self._client.list_objects(self._bucket, prefix=f"{origin}/", include_version=True)
        for found in listed:
            if first is not None and found.object_name != first[0]:
                break
            if found.object_name and not found.is_delete_marker:
                # The versions of a key are listed from the newest on.
                first = found.object_name, found.version_id
        return first

    def _read(self, key: str, version: str | None) -> str:
        answer = self._client.get_object(self._bucket, key, version_id=version)
        try:
            return answer.read().decode(errors="replace")
        finally:
            answer.close()
            answer.release_conn()


def _asked(call: Callable[[], T]) -> T:
    try:
        return call()
    except S3Error as error:
        raise WitnessUnavailable(f"the bucket for checkpoints: the store answered {error.code}") from error
    except (MinioException, urllib3.exceptions.HTTPError, OSError, ParseError) as error:
        what = type(error).__name__
        raise WitnessUnavailable(f"the bucket for checkpoints: the store did not answer: {what}") from error
