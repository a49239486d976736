"""What must stay by order."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add what is new; nothing is under hold yet."""
    op.create_table(
        "holds",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("account_id", sa.String(128), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("meeting_id", sa.String(128), nullable=True),
        sa.Column("upload_id", sa.String(40), sa.ForeignKey("uploads.id"), nullable=True),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("placed_by", sa.String(128), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.String(128), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("holds_by_account", "holds", ["account_id", "id"])
