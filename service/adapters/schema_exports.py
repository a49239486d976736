"""The tables of exports and of the uploads whose contents are in them."""

from typing import Final

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from service.adapters.schema import Instant, metadata

exports: Final = Table(
    "exports",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("person", Text),
    Column("asked_at", Instant, nullable=False),
    Column("asked_by", String(128), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("region", String(32), nullable=False),
    Column("phase", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", Instant),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("content_key", LargeBinary),
    Column("segments", JSON, nullable=False),
    Column("size", BigInteger),
    Column("sha256", String(64)),
    Column("ready_at", Instant),
    Column("expires_at", Instant),
    Column("taken_at", Instant),
    Column("leftover", String(16), nullable=False),
    Column("sweep_at", Instant),
    Column("version", Integer, nullable=False),
    Index("exports_by_account", "account_id", "id"),
    Index("exports_by_phase", "phase", "id"),
)

export_uploads: Final = Table(
    "export_uploads",
    metadata,
    Column("export_id", ForeignKey("exports.id", ondelete="CASCADE"), primary_key=True),
    Column("upload_id", ForeignKey("uploads.id"), primary_key=True),
    Index("export_uploads_by_upload", "upload_id"),
)
