"""The tables of rescans, and of the files that are still to be scanned in them."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table

from service.adapters.schema import ROW_ID, Instant, metadata

rescans: Final = Table(
    "rescans",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("signature_version", Integer),
    Column("account_id", String(128)),
    Column("upload_id", String(40)),
    Column("asked_by", String(128)),
    Column("begun_at", Instant, nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("recalled", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("ended_at", Instant),
    Column("superseded", Boolean, nullable=False),
)

#: A row goes when its file was dealt with. ``came_in`` and ``downloads`` are the file's, for the order.
rescan_files: Final = Table(
    "rescan_files",
    metadata,
    Column("upload_id", ForeignKey("uploads.id"), primary_key=True),
    Column("rescan_id", ForeignKey("rescans.id"), primary_key=True),
    Column("account_id", String(128), nullable=False),
    Column("meeting_id", String(128), nullable=False),
    Column("came_in", String(6), nullable=False),
    Column("downloads", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Index("rescan_files_by_rescan", "rescan_id"),
    Index("rescan_files_by_meeting", "account_id", "meeting_id"),
    Index("rescan_files_in_order", "came_in", "downloads", "upload_id"),
)
