"""The tables of grants and of the keys that sign them."""

from typing import Final

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from service.adapters.schema import Instant, metadata

signing_keys: Final = Table(
    "signing_keys",
    metadata,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("id", String(32), nullable=False, unique=True),
    Column("public_key", JSON, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("trusted_until", Instant),
)

grant_keys: Final = Table(
    "grant_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("public_key", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

grants: Final = Table(
    "grants",
    metadata,
    Column("account_id", ForeignKey("accounts.id"), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("meeting_id", String(128), nullable=False),
    Column("upload_id", String(40)),
    Column("max_files", Integer),
    Column("max_bytes", BigInteger),
    Column("types", JSON, nullable=False),
    Column("person", Text),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Index("grants_by_expiry", "expires_at"),
)
