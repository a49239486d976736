"""Lines of the log that are not about an upload, and who did what a line tells of."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Widen the log; SQLite changes a column by making the table anew."""
    with op.batch_alter_table("log") as log:
        log.add_column(sa.Column("actor", sa.String(128), nullable=True))
        for name, length in (("upload_id", 40), ("account_id", 128), ("meeting_id", 128)):
            log.alter_column(name, existing_type=sa.String(length), nullable=True)
        for name in ("before", "after"):
            log.alter_column(name, existing_type=sa.String(16), nullable=True)
