"""The tables of webhooks, beside the ledger's own."""

from typing import Final

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)

from service.adapters.schema import Instant, metadata

webhook_endpoints: Final = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("url", String(2048), nullable=False),
    Column("events", String(255), nullable=False),
    Column("description", String(255), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("previous_secret", LargeBinary),
    Column("previous_until", Instant),
    Column("disabled_reason", String(16)),
    Column("failures", Integer, nullable=False),
    Column("rest_until", Instant),
    Column("last_success_at", Instant),
)

webhook_events: Final = Table(
    "webhook_events",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("account_id", String(128), nullable=False),
    Column("upload_id", String(40), index=True),
    Column("type", String(32), nullable=False),
    Column("at", Instant, nullable=False, index=True),
    # The bytes that are sent. None: the upload was erased since, and with it what was told of it.
    Column("body", LargeBinary),
    Column("traceparent", String(55)),
    Index("webhook_events_by_account", "account_id", "at"),
)

# No foreign keys: an upload's move writes here in its own transaction and must not fail because somebody
# removes the endpoint at that moment. A delivery without its endpoint is sent by nobody and purged in time.
webhook_deliveries: Final = Table(
    "webhook_deliveries",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("account_id", String(128), nullable=False),
    Column("endpoint_id", String(40), nullable=False),
    Column("event_id", String(40), nullable=False, index=True),
    Column("type", String(32), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("due_at", Instant),
    Column("lease_until", Instant),
    Column("attempts", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Index("webhook_deliveries_by_endpoint", "endpoint_id", "id"),
    Index("webhook_deliveries_due", "state", "due_at"),
    Index("webhook_deliveries_due_there", "endpoint_id", "state", "due_at"),
    Index("webhook_deliveries_under_way", "account_id", "lease_until"),
)
