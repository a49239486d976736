"""What people decide over the scanner, and since when an upload waits."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_OPEN = sa.text("standing = 'open'")


def upgrade() -> None:
    """Add the tables and the column; uploads that wait already are known by their other times."""
    op.add_column("uploads", sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("upload_id", sa.String(40), sa.ForeignKey("uploads.id"), nullable=False),
        sa.Column("account_id", sa.String(128), nullable=False),
        sa.Column("meeting_id", sa.String(128), nullable=False),
        sa.Column("choice", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("signature", sa.String(512), nullable=True),
        *_moments("proposed", "expires", required=True),
        sa.Column("proposed_by", sa.String(64), nullable=False),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("settled_by", sa.String(64), nullable=True),
        *_moments("settled", required=False),
        sa.CheckConstraint("settled_by <> proposed_by", name="decisions_of_two_people"),
    )
    op.create_index("decisions_by_upload", "decisions", ["upload_id", "id"])
    op.create_index(
        "decisions_open",
        "decisions",
        ["upload_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_table(
        "allowances",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("decision_id", sa.String(40), sa.ForeignKey("decisions.id"), nullable=False, unique=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(512), nullable=False),
        sa.Column("proposed_by", sa.String(64), nullable=False),
        sa.Column("confirmed_by", sa.String(64), nullable=False),
        *_moments("created", "expires", required=True),
        sa.Column("revoked_by", sa.String(64), nullable=True),
        *_moments("revoked", required=False),
        sa.CheckConstraint("confirmed_by <> proposed_by", name="allowances_of_two_people"),
    )
    op.create_index("allowances_by_content", "allowances", ["sha256", "signature"])


def _moments(*names: str, required: bool) -> list[sa.Column]:  # type: ignore[type-arg]
    return [sa.Column(f"{name}_at", sa.DateTime(timezone=True), nullable=not required) for name in names]
