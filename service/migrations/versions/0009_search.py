"""What uploads are searched by, for those who watch over all accounts.

Every search pages by id, so each index ends in it: what is asked for comes out in the order of the page. The
signature's leaves out the many uploads that have none. ``uploads_in_short`` begins with the id instead: what
no other index can tell is told by a walk over it, which is a quarter of the rows' size.
"""

import unicodedata

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "0009"
down_revision = "0008"

_BATCH = 5000
_LONGEST_FOLDED = 255
#: For each index: the rows in it, and how many share its first column, its first two, and so on.
_SHARED = {
    "sqlite_autoindex_uploads_1": "1000000 1",
    "uploads_in_short": "1000000 1 1 1 1 1 1",
    "uploads_by_sha256": "1000000 2 1",
    "uploads_by_meeting": "1000000 5000 20 1",
    "uploads_by_meeting_alone": "1000000 30 1",
    "uploads_by_account": "1000000 5000 1",
    "uploads_by_grant": "1000000 5000 50",
    "uploads_by_signature": "30000 100 1",
    "uploads_by_state": "1000000 100000 1",
    "uploads_by_verdict": "1000000 150000 1",
    "uploads_by_leftover": "1000000 200000 1",
}


def upgrade() -> None:
    """Add the folded names and the indexes."""
    op.add_column("uploads", sa.Column("name_folded", sa.Text(), nullable=False, server_default=""))
    _fold_names(op.get_bind())
    op.create_index("uploads_by_sha256", "uploads", ["sha256", "id"])
    op.create_index("uploads_by_account", "uploads", ["account_id", "id"])
    op.create_index("uploads_by_meeting_alone", "uploads", ["meeting_id", "id"])
    op.create_index("uploads_by_verdict", "uploads", ["verdict_kind", "id"])
    asked = ["verdict_kind", "state", "account_id", "meeting_id", "name_folded"]
    op.create_index("uploads_in_short", "uploads", ["id", *asked])
    signed = sa.text("verdict_signature IS NOT NULL")
    op.create_index(
        "uploads_by_signature",
        "uploads",
        ["verdict_signature", "id"],
        sqlite_where=signed,
        postgresql_where=signed,
    )
    if op.get_bind().dialect.name == "postgresql":
        _index_parts_of_names(op.get_bind())
    else:
        _tell_the_planner(op.get_bind())


def _fold_names(connection: sa.Connection) -> None:
    uploads = sa.table("uploads", sa.column("id"), sa.column("name"), sa.column("name_folded"))
    fill = sa.update(uploads).where(uploads.c.id == sa.bindparam("upload"))
    fill = fill.values(name_folded=sa.bindparam("folded"))
    last = ""
    while True:
        query = sa.select(uploads.c.id, uploads.c.name).where(uploads.c.id > last)
        rows = connection.execute(query.order_by(uploads.c.id).limit(_BATCH)).all()
        if not rows:
            return
        connection.execute(fill, [{"upload": row.id, "folded": _folded(row.name)} for row in rows])
        last = rows[-1].id


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())[:_LONGEST_FOLDED]


def _tell_the_planner(connection: sa.Connection) -> None:
    """Tell SQLite how many rows share a value, as ANALYZE would of a large ledger (sqlite.org/fileformat2,
    2.6.3). It gathers nothing by itself, and would as soon walk over all clean uploads as over one account's.
    """
    connection.execute(sa.text("ANALYZE sqlite_schema"))
    connection.execute(sa.text("DELETE FROM sqlite_stat1 WHERE tbl = 'uploads'"))
    row = sa.text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('uploads', :index, :rows)")
    connection.execute(row, [{"index": index, "rows": rows} for index, rows in _SHARED.items()])


def _index_parts_of_names(connection: sa.Connection) -> None:
    """Index the names by their trigrams; without the extension a part of a name is searched row by row."""
    try:
        with connection.begin_nested():
            connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    except DBAPIError:
        # Not installed, or the role may not make it. docs/console-search.md tells how to add it later.
        return
    # With the usual hundred samples every part of a name would be guessed to be rare.
    connection.execute(sa.text("ALTER TABLE uploads ALTER COLUMN name_folded SET STATISTICS 1000"))
    connection.execute(
        sa.text("CREATE INDEX uploads_by_name ON uploads USING gin (name_folded gin_trgm_ops)")
    )
