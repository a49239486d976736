"""Until when a resumable upload can be gone on with."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; uploads that came in one pass have none."""
    op.add_column("uploads", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
