"""The tables of the console's reviewers, their sessions and their tries to sign in."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, String, Table

from service.adapters.schema import ROW_ID, Instant, metadata

reviewers: Final = Table(
    "reviewers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(128), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("password_hash", String(255)),
    Column("subject", String(64), unique=True),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    # Of the newest session, which may be forgotten already.
    Column("signed_in_at", Instant),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("reviewer_id", ForeignKey("reviewers.id"), nullable=False, index=True),
    Column("began_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Index("sessions_by_age", "began_at"),
)

sign_ins: Final = Table(
    "sign_ins",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("try_id", String(32), nullable=False, index=True),
    Column("name", String(128), nullable=False),
    Column("at", Instant, nullable=False),
    Index("sign_ins_by_name", "name", "at"),
    Index("sign_ins_by_age", "at"),
)
