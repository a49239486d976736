"""Who reads the log for somebody outside just now, where the feed of events begins, and traces."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Let a reader of the log be held by one process; begin the feed behind what is written by now; let
    uploads and what is told of them keep the trace that they came with.

    What was written before went out as text at its time: years of it must not go out again.
    """
    op.add_column("log_cursors", sa.Column("holder", sa.String(64), nullable=True))
    op.add_column("log_cursors", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
    op.execute("INSERT INTO log_cursors (reader, position) SELECT 'events', count(*) FROM log")
    op.add_column("uploads", sa.Column("traceparent", sa.String(55), nullable=True))
    op.add_column("webhook_events", sa.Column("traceparent", sa.String(55), nullable=True))
