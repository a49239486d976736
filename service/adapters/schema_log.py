"""The tables of the log's tree, its checkpoints and its keys. The lines are in ``schema``."""

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from service.adapters.schema import Instant, metadata

#: One row: how many lines have their place. Changed by compare-and-swap.
log_tree: Final = Table(
    "log_tree",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
)

log_tiles: Final = Table(
    "log_tiles",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

log_checkpoints: Final = Table(
    "log_checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("note", Text, nullable=False),
)

log_keys: Final = Table(
    "log_keys",
    metadata,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("name", String(128), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
)

pseudonym_keys: Final = Table(
    "pseudonym_keys",
    metadata,
    Column("account_id", String(128), primary_key=True),
    Column("sealed", LargeBinary),
    Column("created_at", Instant, nullable=False),
)

log_cursors: Final = Table(
    "log_cursors",
    metadata,
    Column("reader", String(64), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("holder", String(64)),
    Column("held_until", Instant),
)
