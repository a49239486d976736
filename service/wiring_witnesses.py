"""Builds the witnesses from the settings, for ``wiring``."""

from service.adapters.bucket_witness import BucketWitness
from service.adapters.file_witness import FileWitness
from service.adapters.http_witness import HttpWitness
from service.config import Settings
from service.core.account import HOME
from service.ports import Witness


def witnesses(settings: Settings) -> list[Witness]:
    """Return the witnesses for ``settings``. Opens no connection."""
    places, home = settings.witnesses, settings.stores[HOME]
    found: list[Witness] = [FileWitness(path) for path in places.files]
    found += [HttpWitness(url) for url in places.urls]
    if places.bucket is not None:
        found.append(
            BucketWitness(
                home.endpoint,
                secure=home.secure,
                region=home.s3_region,
                bucket=places.bucket.name,
                access_key=places.bucket.access_key,
                secret_key=places.bucket.secret_key,
                retention=places.bucket.retention,
            )
        )
    return found
