"""Accounts have a plan, a region, a key and an end; contents lie in a region under a key; meetings start."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add what is new; accounts from before are paid ones at home."""
    instant = sa.DateTime(timezone=True)
    for column in (
        sa.Column("plan", sa.String(16), nullable=False, server_default="paid"),
        sa.Column("region", sa.String(32), nullable=False, server_default="home"),
        sa.Column("removed_at", instant, nullable=True),
        sa.Column("erase_at", instant, nullable=True),
        sa.Column("erased_at", instant, nullable=True),
        sa.Column("sealed_key", sa.LargeBinary, nullable=True),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    ):
        op.add_column("accounts", column)
    op.create_table(
        "meetings",
        sa.Column("account_id", sa.String(128), sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("starts_at", instant, nullable=True),
        sa.Column("retention", sa.JSON, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.add_column("uploads", sa.Column("region", sa.String(32), nullable=False, server_default="home"))
    op.add_column("uploads", sa.Column("content_key", sa.LargeBinary, nullable=True))
    op.add_column("uploads", sa.Column("person", sa.Text, nullable=True))
