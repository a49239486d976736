"""When each reviewer signed in last, which outlives the session."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the column; of earlier sign-ins the log tells."""
    op.add_column("reviewers", sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True))
