"""What was asked to be erased, and which uploads were erased by it."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_UNDONE = sa.text("done_at IS NULL")
_ERASED = sa.text("erasure_id IS NOT NULL")
_UNFORGOTTEN = sa.text("state = 'erased' AND erasure_id IS NULL")
_OF_NO_UPLOAD = sa.text("upload_id IS NULL")


def upgrade() -> None:
    """Add the table, the column and what erasures find their rows by."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("account_id", sa.String(128), nullable=False),
        sa.Column("reach", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(255), nullable=True),
        sa.Column("mark", sa.String(64), nullable=False),
        sa.Column("asked_by", sa.String(128), nullable=True),
        sa.Column("asked_at", instant, nullable=False),
        sa.Column("uploads", sa.BigInteger, nullable=True),
        sa.Column("size", sa.BigInteger, nullable=True),
        sa.Column("done_at", instant, nullable=True),
        sa.Column("line", sa.BigInteger, nullable=True),
    )
    op.create_index(
        "erasures_undone",
        "erasures",
        ["account_id", "reach", "mark"],
        unique=True,
        sqlite_where=_UNDONE,
        postgresql_where=_UNDONE,
    )
    op.add_column("uploads", sa.Column("erasure_id", sa.String(40), nullable=True))
    op.create_index(
        "uploads_unforgotten", "uploads", ["id"], sqlite_where=_UNFORGOTTEN, postgresql_where=_UNFORGOTTEN
    )
    op.create_index(
        "uploads_by_erasure", "uploads", ["erasure_id"], sqlite_where=_ERASED, postgresql_where=_ERASED
    )
    op.create_index(
        "log_of_accounts", "log", ["account_id"], sqlite_where=_OF_NO_UPLOAD, postgresql_where=_OF_NO_UPLOAD
    )
