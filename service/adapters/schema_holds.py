"""The table of what must stay by order."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, String, Table

from service.adapters.schema import Instant, metadata

holds: Final = Table(
    "holds",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("meeting_id", String(128)),
    Column("upload_id", ForeignKey("uploads.id")),
    Column("reason", String(2000), nullable=False),
    Column("placed_by", String(128), nullable=False),
    Column("placed_at", Instant, nullable=False),
    Column("lifted_by", String(128)),
    Column("lifted_at", Instant),
    Index("holds_by_account", "account_id", "id"),
)
