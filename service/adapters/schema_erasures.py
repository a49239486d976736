"""The table of erasures."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, String, Table, text

from service.adapters.schema import Instant, metadata

_UNDONE: Final = text("done_at IS NULL")

# No foreign keys: an erasure outlives what it erased.
erasures: Final = Table(
    "erasures",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("account_id", String(128), nullable=False),
    Column("reach", String(16), nullable=False),
    Column("subject", String(255)),
    Column("mark", String(64), nullable=False),
    Column("asked_by", String(128)),
    Column("asked_at", Instant, nullable=False),
    Column("uploads", BigInteger),
    Column("size", BigInteger),
    Column("done_at", Instant),
    Column("line", BigInteger),
    Index(
        "erasures_undone",
        "account_id",
        "reach",
        "mark",
        unique=True,
        sqlite_where=_UNDONE,
        postgresql_where=_UNDONE,
    ),
)
