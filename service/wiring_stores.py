"""Builds the stores from the settings, for ``wiring``."""

from collections.abc import Mapping

from service.adapters.minio_store import Buckets, Identity, MinioStore, Role
from service.config import Settings
from service.ports import ObjectStore
from service.store_config import StoreSettings


def stores(settings: Settings) -> Mapping[str, ObjectStore]:
    """Return the store of each region. Opens no connection."""
    return {region: _store(store) for region, store in settings.stores.items()}


def _store(settings: StoreSettings) -> MinioStore:
    return MinioStore(
        settings.endpoint,
        secure=settings.secure,
        region=settings.s3_region,
        buckets=Buckets(settings.quarantine_bucket, settings.released_bucket),
        identities={Role(role): Identity(*keys) for role, keys in settings.identities.items()},
    )
