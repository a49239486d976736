"""Released files are scanned again: what is wanted, what is left of it, and how often each was downloaded."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the tables and columns. Downloads from before are in the log and not in the count."""
    instant = sa.DateTime(timezone=True)
    op.add_column("uploads", sa.Column("downloads", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("uploads", sa.Column("rescanned_with", sa.Integer, nullable=True))
    op.create_index("meetings_by_start", "meetings", ["starts_at"])
    op.create_table(
        "rescans",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("signature_version", sa.Integer, nullable=True),
        sa.Column("account_id", sa.String(128), nullable=True),
        sa.Column("upload_id", sa.String(40), nullable=True),
        sa.Column("asked_by", sa.String(128), nullable=True),
        sa.Column("begun_at", instant, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("recalled", sa.Integer, nullable=False),
        sa.Column("held", sa.Integer, nullable=False),
        sa.Column("ended_at", instant, nullable=True),
        sa.Column("superseded", sa.Boolean, nullable=False),
    )
    op.create_table(
        "rescan_files",
        sa.Column("upload_id", sa.String(40), sa.ForeignKey("uploads.id"), primary_key=True),
        sa.Column("rescan_id", sa.BigInteger, sa.ForeignKey("rescans.id"), primary_key=True),
        sa.Column("account_id", sa.String(128), nullable=False),
        sa.Column("meeting_id", sa.String(128), nullable=False),
        sa.Column("came_in", sa.String(6), nullable=False),
        sa.Column("downloads", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", instant, nullable=False),
    )
    op.create_index("rescan_files_by_rescan", "rescan_files", ["rescan_id"])
    op.create_index("rescan_files_by_meeting", "rescan_files", ["account_id", "meeting_id"])
    op.create_index("rescan_files_in_order", "rescan_files", ["came_in", "downloads", "upload_id"])
