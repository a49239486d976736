"""The table of the files that Jitsi meetings know."""

from typing import Final

from sqlalchemy import Column, ForeignKey, String, Table

from service.adapters.schema import metadata

jitsi_files: Final = Table(
    "jitsi_files",
    metadata,
    Column("account_id", ForeignKey("accounts.id"), primary_key=True),
    Column("meeting_id", String(128), primary_key=True),
    Column("file_id", String(64), primary_key=True),
    Column("upload_id", ForeignKey("uploads.id"), nullable=False, unique=True),
    Column("user_id", String(255), nullable=False),
    Column("customer_id", String(255), nullable=False),
)
