"""The tables of what was answered to requests with an Idempotency-Key, and of what rate limits count."""

from typing import Final

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from service.adapters.schema import ROW_ID, Instant, metadata

answers: Final = Table(
    "answers",
    metadata,
    Column("account_id", ForeignKey("accounts.id"), primary_key=True),
    Column("grant_id", String(128), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("claim_id", String(32), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    # No foreign key: the key is taken before the upload's row is written, in the same transaction.
    Column("upload_id", String(40)),
    Column("made_at", Instant, nullable=False),
    Column("running_until", Instant),
    Column("status", Integer),
    Column("headers", JSON),
    Column("sealed_body", LargeBinary),
    Index("answers_by_age", "made_at"),
)

creations: Final = Table(
    "creations",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("account_id", String(128), nullable=False),
    Column("name", String(128), nullable=False),
    Column("at", Instant, nullable=False),
    Index("creations_by_name", "account_id", "name", "at"),
    Index("creations_by_age", "at"),
)
