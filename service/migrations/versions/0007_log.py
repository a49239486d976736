"""Lines of the log that are not about an upload, who did what a line tells of, and the tree of the lines."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Widen the log and add its tree; SQLite changes a column by making the table anew."""
    with op.batch_alter_table("log") as log:
        log.add_column(sa.Column("actor", sa.String(128), nullable=True))
        for name, length in (("upload_id", 40), ("account_id", 128), ("meeting_id", 128)):
            log.alter_column(name, existing_type=sa.String(length), nullable=True)
        for name in ("before", "after"):
            log.alter_column(name, existing_type=sa.String(16), nullable=True)
        log.add_column(sa.Column("position", sa.BigInteger(), nullable=True))
        log.add_column(sa.Column("line", sa.Text(), nullable=True))
    op.create_index("log_by_position", "log", ["position"], unique=True)
    unplaced = sa.text("position IS NULL")
    op.create_index("log_waiting", "log", ["id"], sqlite_where=unplaced, postgresql_where=unplaced)
    _create_tree()
    _create_keys()


def _create_tree() -> None:
    op.create_table(
        "log_tree",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "log_tiles",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number"),
    )
    op.create_table(
        "log_checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "log_cursors",
        sa.Column("reader", sa.String(64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reader"),
    )


def _create_keys() -> None:
    op.create_table(
        "log_keys",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("generation"),
    )
    op.create_table(
        "pseudonym_keys",
        sa.Column("account_id", sa.String(128), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
    )
