"""Prepared databases for the contract suites: migrated by the product's own migration."""

from pathlib import Path

from sqlalchemy import Engine, text

from service import wiring
from service.adapters.schema import metadata
from service.config import read_settings

_ROLES = ("INGEST", "SCAN", "RELEASE", "DOWNLOAD", "JANITOR")


def migrate(url: str) -> None:
    """Bring the database at ``url`` up to date as ``python -m service migrate`` does."""
    keys = {f"GREENROOM_S3_{role}_{part}_KEY": "unused" for role in _ROLES for part in ("ACCESS", "SECRET")}
    wiring.migrate(
        read_settings(
            {
                **keys,
                "GREENROOM_DATABASE_URL": url,
                "GREENROOM_S3_ENDPOINT": "127.0.0.1:1",
                "GREENROOM_CLAMD": "unix:/nowhere",
                "GREENROOM_SECRETS_KEY": "A" * 43 + "=",
                "GREENROOM_MASTER_KEY_URI": "none",
            }
        )
    )


def sqlite_url(path: Path) -> str:
    """Return the URL of the SQLite file at an absolute path."""
    return f"sqlite:///{path}"


def empty(engine: Engine) -> None:
    """Delete every row of the ledger."""
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(text(f'DELETE FROM "{table.name}"'))  # noqa: S608 - our own tables' names
