"""The tables of what people decided over the scanner."""

from typing import Final

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, text

from service.adapters.schema import Instant, metadata

_OPEN: Final = text("standing = 'open'")

decisions: Final = Table(
    "decisions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("upload_id", ForeignKey("uploads.id"), nullable=False),
    Column("account_id", String(128), nullable=False),
    Column("meeting_id", String(128), nullable=False),
    Column("choice", String(16), nullable=False),
    Column("reason", String(2000), nullable=False),
    Column("days", Integer),
    Column("version", Integer, nullable=False),
    Column("sha256", String(64)),
    Column("signature", String(512)),
    Column("proposed_by", String(64), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("standing", String(16), nullable=False),
    Column("settled_by", String(64)),
    Column("settled_at", Instant),
    CheckConstraint("settled_by <> proposed_by", name="decisions_of_two_people"),
    Index("decisions_by_upload", "upload_id", "id"),
    Index("decisions_open", "upload_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)

allowances: Final = Table(
    "allowances",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("decision_id", ForeignKey("decisions.id"), nullable=False, unique=True),
    Column("sha256", String(64), nullable=False),
    Column("signature", String(512), nullable=False),
    Column("proposed_by", String(64), nullable=False),
    Column("confirmed_by", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_by", String(64)),
    Column("revoked_at", Instant),
    CheckConstraint("confirmed_by <> proposed_by", name="allowances_of_two_people"),
    Index("allowances_by_content", "sha256", "signature"),
)
