"""Grants say whom they are for."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add what is new; grants from before are for nobody in particular."""
    op.add_column("grants", sa.Column("person", sa.Text, nullable=True))
