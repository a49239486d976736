"""The ledger's tables, for SQLite and PostgreSQL alike. ``service/migrations`` brings them into being."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

metadata: Final = MetaData()


class Instant(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no zone, so values go in and come out as UTC on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Store UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


#: The type of ids that count up, on both databases.
ROW_ID: Final = BigInteger().with_variant(Integer, "sqlite")

accounts: Final = Table(
    "accounts",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("plan", String(16), nullable=False, server_default="paid"),
    Column("region", String(32), nullable=False, server_default="home"),
    Column("removed_at", Instant),
    Column("erase_at", Instant),
    Column("erased_at", Instant),
    Column("sealed_key", LargeBinary),
    Column("version", Integer, nullable=False, server_default="1"),
)

meetings: Final = Table(
    "meetings",
    metadata,
    Column("account_id", ForeignKey("accounts.id"), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("starts_at", Instant),
    Column("retention", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Index("meetings_by_start", "starts_at"),
)

api_keys: Final = Table(
    "api_keys",
    metadata,
    Column("prefix", String(32), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("secret_sha256", String(64), nullable=False),
    Column("label", String(255), nullable=False),
    Column("scopes", String(255), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
)

uploads: Final = Table(
    "uploads",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("meeting_id", String(128), nullable=False),
    Column("name", String(255), nullable=False),
    Column("name_folded", Text, nullable=False, server_default=""),
    Column("declared_type", String(127), nullable=False),
    Column("detected_type", String(127), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("size", BigInteger),
    Column("sha256", String(64)),
    Column("reason", String(64)),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant),
    Column("lease_until", Instant),
    Column("leftover", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("grant_id", String(64)),
    Column("reserved", BigInteger),
    Column("expires_at", Instant),
    Column("waiting_since", Instant),
    Column("traceparent", String(55)),
    Column("region", String(32), nullable=False, server_default="home"),
    Column("content_key", LargeBinary),
    Column("person", Text),
    Column("erasure_id", String(40)),
    Column("downloads", BigInteger, nullable=False, server_default="0"),
    Column("rescanned_with", Integer),
    Column("verdict_kind", String(16)),
    Column("verdict_code", String(64)),
    Column("verdict_signature", String(512)),
    Column("verdict_sha256", String(64)),
    Column("verdict_size", BigInteger),
    Column("verdict_engine", String(64)),
    Column("verdict_signature_version", Integer),
    Column("verdict_signatures_made_at", Instant),
    Column("verdict_protection", String(16)),
    Column("verdict_policy", String(64)),
    Column("verdict_duration", Float),
    Column("verdict_at", Instant),
    Index("uploads_by_meeting", "account_id", "meeting_id", "id"),
    Index("uploads_by_state", "state", "id"),
    Index("uploads_by_leftover", "leftover", "id"),
    Index("uploads_by_grant", "account_id", "grant_id"),
    Index("uploads_by_sha256", "sha256", "id"),
    Index("uploads_by_account", "account_id", "id"),
    Index("uploads_by_meeting_alone", "meeting_id", "id"),
    Index("uploads_by_verdict", "verdict_kind", "id"),
    Index("uploads_in_short", "id", "verdict_kind", "state", "account_id", "meeting_id", "name_folded"),
    Index(
        "uploads_by_signature",
        "verdict_signature",
        "id",
        sqlite_where=text("verdict_signature IS NOT NULL"),
        postgresql_where=text("verdict_signature IS NOT NULL"),
    ),
    Index(
        "uploads_unforgotten",
        "id",
        sqlite_where=text("state = 'erased' AND erasure_id IS NULL"),
        postgresql_where=text("state = 'erased' AND erasure_id IS NULL"),
    ),
    Index(
        "uploads_by_erasure",
        "erasure_id",
        sqlite_where=text("erasure_id IS NOT NULL"),
        postgresql_where=text("erasure_id IS NOT NULL"),
    ),
)

segments: Final = Table(
    "segments",
    metadata,
    Column("upload_id", ForeignKey("uploads.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("account_id", String(128), nullable=False),
    Column("meeting_id", String(128), nullable=False),
    Column("key", String(128), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("etag", String(128), nullable=False),
)

#: Lines wait for their place for less than a second, so this index is always small.
_UNPLACED: Final = text("position IS NULL")
_OF_NO_UPLOAD: Final = text("upload_id IS NULL")

log: Final = Table(
    "log",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("upload_id", ForeignKey("uploads.id")),
    Column("account_id", String(128)),
    Column("meeting_id", String(128)),
    Column("actor", String(128)),
    Column("at", Instant, nullable=False),
    Column("event", String(32), nullable=False),
    Column("before", String(16)),
    Column("after", String(16)),
    Column("detail", JSON, nullable=False),
    Column("position", BigInteger),
    Column("line", Text),
    Index("log_by_upload", "upload_id", "id"),
    Index("log_by_position", "position", unique=True),
    Index("log_waiting", "id", sqlite_where=_UNPLACED, postgresql_where=_UNPLACED),
    Index("log_by_act", "event", "id", sqlite_where=_OF_NO_UPLOAD, postgresql_where=_OF_NO_UPLOAD),
    Index("log_of_accounts", "account_id", sqlite_where=_OF_NO_UPLOAD, postgresql_where=_OF_NO_UPLOAD),
)
