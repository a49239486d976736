"""Exports."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the tables."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "exports",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("account_id", sa.String(128), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("person", sa.Text, nullable=True),
        sa.Column("asked_at", instant, nullable=False),
        sa.Column("asked_by", sa.String(128), nullable=False),
        sa.Column("due_at", instant, nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("lease_until", instant, nullable=True),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("content_key", sa.LargeBinary, nullable=True),
        sa.Column("segments", sa.JSON, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=True),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("ready_at", instant, nullable=True),
        sa.Column("expires_at", instant, nullable=True),
        sa.Column("taken_at", instant, nullable=True),
        sa.Column("leftover", sa.String(16), nullable=False),
        sa.Column("sweep_at", instant, nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("exports_by_account", "exports", ["account_id", "id"])
    op.create_index("exports_by_phase", "exports", ["phase", "id"])
    op.create_table(
        "export_uploads",
        sa.Column(
            "export_id", sa.String(40), sa.ForeignKey("exports.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("upload_id", sa.String(40), sa.ForeignKey("uploads.id"), primary_key=True),
    )
    op.create_index("export_uploads_by_upload", "export_uploads", ["upload_id"])
