"""Builds the witnesses from the settings, for ``wiring``."""

from service.adapters.bucket_witness import BucketWitness
from service.adapters.file_witness import FileWitness
from service.adapters.http_witness import HttpWitness
from service.config import Settings
from service.ports import Witness


def witnesses(settings: Settings) -> list[Witness]:
    """Return the witnesses for ``settings``. Opens no connection."""
    places = settings.witnesses
    found: list[Witness] = [FileWitness(path) for path in places.files]
    found += [HttpWitness(url) for url in places.urls]
    if places.bucket is not None:
        found.append(
            BucketWitness(
                settings.s3_endpoint,
                secure=settings.s3_secure,
                region=settings.s3_region,
                bucket=places.bucket.name,
                access_key=places.bucket.access_key,
                secret_key=places.bucket.secret_key,
                retention=places.bucket.retention,
            )
        )
    return found
